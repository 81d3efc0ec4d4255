/**
 * `/pgmon/users`: the accounts of those who run the mesh, as the first monitor of databases kept its own. VPN users are no
 * part of it: `/api/v1/users` has them all.
 */
import { z } from 'zod'
import { nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { notFound } from '../../http/faults.js'
import { moment, oneOf, yesNo } from '../../http/fields.js'
import { listQuery, listReply, listReplyOf } from '../../http/listing.js'
import { empty, json } from '../../http/reply.js'
import { ACCOUNT_ROLES, type OperatorRole } from '../../http/roles.js'
import { accountOf } from '../callers.js'
import type { Account, Accounts } from './accounts.js'
import type { Desk } from './desk.js'
import { password } from './forms.js'
import { name, newName } from './name.js'

export interface MonitorUserParts {
  readonly accounts: Accounts
  readonly desk: Desk
}

/** The one of an account that has no part in running the mesh comes first. */
const [, ...ROLES] = ACCOUNT_ROLES satisfies readonly ['user', ...OperatorRole[]]
const role = oneOf(...ROLES)

const MonitorUser = z
  .object({
    login: z.string(),
    role: z.enum(ROLES),
    is_active: z.boolean(),
    created_at: moment,
    last_login: moment.nullable(),
  })
  .meta({ id: 'MonitorUser' })

const PATH = '/pgmon/users'
const tag = 'accounts'
const access = 'admin'
const params = z.object({ login: name })
const one = { description: 'The user.', schema: MonitorUser }
/** How the list is ordered, and what accounts call it. */
const SORTS = { login: 'name', created_at: 'createdAt' } as const

export const monitorUserEndpoints = ({ accounts, desk }: MonitorUserParts): readonly Endpoint[] => {
  const called = async (login: string) => userOf(await accounts.byName(login), login)

  return [
    endpoint({
      method: 'GET',
      path: PATH,
      access,
      tag,
      summary: 'Lists the accounts of those who run the mesh',
      query: z.object(listQuery('login', 'created_at')),
      replies: { 200: { description: 'A page of users.', schema: listReply('users', MonitorUser) } },
      async handle({ query }) {
        const sort = query.sort?.replace(/\w+$/, field => SORTS[field as keyof typeof SORTS]) // the query lets no other through
        const { rows, total, next } = await accounts.list({ ...query, sort, operators: true })
        return json(listReplyOf('users', { rows: rows.flatMap(asUser), total, next }))
      },
    }),
    endpoint({
      method: 'POST',
      path: PATH,
      access,
      tag,
      summary: 'Makes an account for somebody who runs the mesh',
      body: z.strictObject({ login: newName, password, role }),
      replies: { 201: one },
      faults: [409],
      async handle({ body: { login, ...wish }, caller }) {
        const account = await desk.create({ name: login, ...wish }, nameOf(caller))
        return json(userOf(account, login), 201)
      },
    }),
    endpoint({
      method: 'GET',
      path: `${PATH}/me`,
      access: 'viewer',
      tag,
      summary: 'Tells of the account whose token this is',
      replies: { 200: one },
      faults: [409],
      handle: async ({ caller }) => json(userOf(await accounts.byId(accountOf(caller)), nameOf(caller))),
    }),
    endpoint({
      method: 'GET',
      path: `${PATH}/{login}`,
      access,
      tag,
      summary: 'Tells of one account',
      params,
      replies: { 200: one },
      handle: async ({ params: { login } }) => json(await called(login)),
    }),
    endpoint({
      method: 'PUT',
      path: `${PATH}/{login}`,
      access,
      tag,
      summary: 'Changes the password or the role of an account, disables or enables it',
      description:
        'What is not named stays as it is. Its tokens end at once; with another password, or disabled, it is signed out everywhere. The last admin stays.',
      params,
      body: z
        .strictObject({ password, role, is_active: yesNo })
        .partial()
        .refine(change => Object.keys(change).length > 0, { error: 'wanted password, role or is_active' }),
      replies: { 200: one },
      faults: [409],
      async handle({ params: { login }, body: { password: secret, role: as, is_active }, caller }) {
        await called(login)
        // What may be refused comes first: all of it is done, or nothing.
        if (secret !== undefined) desk.mustBeGood(secret, login)
        const change = {
          ...(as !== undefined && { role: as }),
          ...(is_active !== undefined && { disabled: !is_active }),
        }
        if (Object.keys(change).length > 0) await desk.change(login, change, nameOf(caller))
        if (secret !== undefined) await desk.setPassword(login, secret, nameOf(caller))
        return json(await called(login))
      },
    }),
    endpoint({
      method: 'DELETE',
      path: `${PATH}/{login}`,
      access,
      tag,
      summary: 'Removes an account',
      description: 'Its tokens end at once. The last admin stays.',
      params,
      replies: { 204: { description: 'It is gone.' } },
      faults: [409],
      async handle({ params: { login }, caller }) {
        await called(login)
        await desk.remove(login, nameOf(caller))
        return empty()
      },
    }),
  ]
}

/** Returns a user as it is answered; throws a 404 when there is none, or when it has no part in running the mesh. */
function userOf(account: Account | undefined, login: string): z.output<typeof MonitorUser> {
  const [user] = account === undefined ? [] : asUser(account)
  if (user === undefined) throw notFound(`there is no user ${login}`)
  return user
}

/** Returns the user that an account is; nothing for one that has no part in running the mesh. */
const asUser = (account: Account): readonly z.output<typeof MonitorUser>[] =>
  account.role === 'user'
    ? []
    : [
        {
          login: account.name,
          role: account.role,
          is_active: account.disabled_at === null,
          created_at: account.created_at.toISOString(),
          last_login: account.last_sign_in_at?.toISOString() ?? null,
        },
      ]
