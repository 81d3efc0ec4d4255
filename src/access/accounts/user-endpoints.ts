/** `/api/v1/users`: accounts, as admins keep them. Operators see them, because they give them tariffs and peers. */
import { z } from 'zod'
import { nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { HttpError } from '../../http/faults.js'
import { text, yesNo } from '../../http/fields.js'
import { listQuery, listReply, listReplyOf } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import type { Random } from '../../kit/random.js'
import type { Accounts } from './accounts.js'
import type { AccountWish, Desk } from './desk.js'
import { AccountForm, accountForm, password, role } from './forms.js'
import { name, newName } from './name.js'
import { newPassword } from './password.js'

export interface UserParts {
  readonly accounts: Accounts
  readonly desk: Desk
  readonly random: Random
}

const givenPassword = password.optional().meta({ description: 'Absent: one is made.', format: 'password' })
const WithPassword = z.object({
  account: AccountForm,
  password: z
    .string()
    .nullable()
    .meta({ description: 'The one that was made, shown now and never again; null: it was given.' }),
})
interface WithGiven {
  readonly password?: string | undefined
}
const one = { 200: { description: 'The account.', schema: AccountForm } }
const PATH = '/api/v1/users'
const tag = 'accounts'
const access = 'admin'
const params = z.object({ name })

export function userEndpoints({ accounts, desk, random }: UserParts): readonly Endpoint[] {
  const create = async (
    { name: called, role: as, password: given }: Omit<AccountWish, 'password'> & WithGiven,
    actor: string,
    options: { readonly onlyFirst?: boolean } = {},
  ) => {
    const secret = given ?? newPassword(random)
    const account = await desk.create({ name: called, role: as, password: secret }, actor, options)
    return json({ account: accountForm(account), password: given === undefined ? secret : null }, 201)
  }

  return [
    endpoint({
      method: 'GET',
      path: PATH,
      access: 'operator',
      tag,
      summary: 'Lists accounts',
      query: z.object({
        ...listQuery('name', 'createdAt'),
        role: role.optional(),
        disabled: yesNo.optional().meta({ description: 'Only those that are disabled, or only others.' }),
        search: text(128).optional().meta({ description: 'A part of the name.' }),
      }),
      replies: { 200: { description: 'A page of accounts.', schema: listReply('users', AccountForm) } },
      async handle({ query }) {
        const { rows, total, next } = await accounts.list(query)
        return json(listReplyOf('users', { rows: rows.map(accountForm), total, next }))
      },
    }),
    endpoint({
      method: 'POST',
      path: PATH,
      access,
      tag,
      summary: 'Makes an account',
      body: z.strictObject({ name: newName, role, password: givenPassword }),
      replies: { 201: { description: 'The account.', schema: WithPassword } },
      faults: [409],
      handle: ({ body, caller }) => create(body, nameOf(caller)),
    }),
    endpoint({
      method: 'POST',
      path: `${PATH}/first`,
      access,
      tag,
      summary: 'Makes the first account, an admin',
      description: 'Only on the machine that the coordinator runs on, and only while there is no account.',
      body: z.strictObject({ name: newName, password: givenPassword }),
      replies: { 201: { description: 'The account.', schema: WithPassword } },
      faults: [409],
      handle({ body, caller, isLocal }) {
        if (!isLocal)
          throw new HttpError(403, 'not_local', 'the first account is made on the coordinator’s own machine')
        return create({ ...body, role: 'admin' }, nameOf(caller), { onlyFirst: true })
      },
    }),
    endpoint({
      method: 'GET',
      path: `${PATH}/{name}`,
      access: 'operator',
      tag,
      summary: 'Tells of one account',
      params,
      replies: one,
      handle: async ({ params: { name: called } }) => json(accountForm(await accounts.called(called))),
    }),
    endpoint({
      method: 'PATCH',
      path: `${PATH}/{name}`,
      access,
      tag,
      summary: 'Changes the role or the name of an account, disables or enables it',
      description:
        'Its tokens end at once, unless it is only called otherwise; one that is disabled is signed out everywhere.',
      params,
      body: z
        .strictObject({ name: newName, role, disabled: yesNo })
        .partial()
        .refine(change => Object.keys(change).length > 0, { error: 'wanted name, role or disabled' }),
      replies: one,
      faults: [409],
      handle: async ({ params: { name: called }, body, caller }) =>
        json(accountForm(await desk.change(called, body, nameOf(caller)))),
    }),
    endpoint({
      method: 'POST',
      path: `${PATH}/{name}/password`,
      access,
      tag,
      summary: 'Gives an account another password',
      description: 'It is signed out everywhere.',
      params,
      body: z.strictObject({ password: givenPassword }),
      replies: { 200: { description: 'The account.', schema: WithPassword } },
      async handle({ params: { name: called }, body, caller }) {
        const secret = body.password ?? newPassword(random)
        const account = await desk.setPassword(called, secret, nameOf(caller))
        return json({
          account: accountForm(account),
          password: body.password === undefined ? secret : null,
        })
      },
    }),
    endpoint({
      method: 'DELETE',
      path: `${PATH}/{name}`,
      access,
      tag,
      summary: 'Removes an account',
      description: 'Its tokens end at once. The last admin stays.',
      params,
      replies: {
        200: {
          description: 'It is gone.',
          schema: z.object({ name: z.string(), removed: z.literal(true) }),
        },
      },
      faults: [409],
      async handle({ params: { name: called }, caller }) {
        const account = await desk.remove(called, nameOf(caller))
        return json({ name: account.name, removed: true })
      },
    }),
  ]
}
