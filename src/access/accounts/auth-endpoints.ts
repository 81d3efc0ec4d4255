/** `/auth`: what the first VPN API promised its users. */
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { badRequest, HttpError } from '../../http/faults.js'
import { moment } from '../../http/fields.js'
import { empty, json, type Reply } from '../../http/reply.js'
import type { Account, Accounts } from './accounts.js'
import type { Door, SignedIn } from './door.js'
import { password } from './forms.js'
import { newName } from './name.js'
import type { Mailbox } from '../mail/mailbox.js'
import type { SignUp } from './sign-up.js'

const anEmail = { error: 'wanted an e-mail address' }
export const email = newName.refine(text => /^[^@]+@[^@]+\.[^@]+$/.test(text), anEmail)

const UserOut = z
  .object({
    id: z.int(),
    email: z.string(),
    status: z.enum(['active', 'disabled', 'unconfirmed']),
    is_admin: z.boolean(),
    created_at: moment,
  })
  .meta({ id: 'UserOut' })

const TokenOut = z
  .object({
    access_token: z.string(),
    token_type: z.literal('bearer'),
    expires_in: z.int().meta({ description: 'How long the token is good, s.' }),
    refresh_token: z.string().meta({ description: 'Good for one renewal.' }),
  })
  .meta({ id: 'TokenOut' })

const Promotion = z.object({
  user_id: z.coerce.number({ error: 'wanted the number of a user' }).int().positive(),
  secret: z.string({ error: 'wanted the PROMOTE_SECRET' }).min(1).max(512),
})

const OnItsWay = z.object({ status: z.literal('ok'), message: z.literal('Check your email') })

const tag = 'accounts'
const oneUser = { description: 'The user.', schema: UserOut }
const oneToken = { 200: { description: 'A token, and what renews it.', schema: TokenOut } }
const code = z.string({ error: 'wanted the code of the mail' }).max(64)
const refresh = z.strictObject({ refresh_token: z.string({ error: 'wanted a refresh token' }).max(128) })

export interface AuthParts {
  readonly accounts: Accounts
  readonly door: Door
  readonly signUp: SignUp
  readonly mailbox: Mailbox
  readonly nowMs: () => number
}

export const authEndpoints = ({ accounts, door, signUp, mailbox, nowMs }: AuthParts): readonly Endpoint[] => [
  endpoint({
    method: 'POST',
    path: '/auth/register',
    access: 'open',
    tag,
    summary: 'Registers an account with the role user',
    description: 'Where `BOSON_SIGN_UP` lets people; otherwise admins make accounts.',
    body: z.strictObject({ email, password }),
    replies: { 201: oneUser },
    faults: [403, 409],
    handle: async ({ body, remote }) =>
      json(userOut(await signUp.register(body.email, body.password, remote)), 201),
  }),
  endpoint({
    method: 'POST',
    path: '/auth/register/email',
    access: 'open',
    tag,
    summary: 'Registers an account by mail',
    description:
      'With a password, the code that is mailed confirms the address (`POST /auth/confirm`); without one, a password is chosen by it (`POST /auth/password/reset`). The answer is the same whether there is such an account already or not.',
    body: z.strictObject({ email, password: password.optional() }),
    replies: { 202: { description: 'A mail is on its way.', schema: OnItsWay } },
    faults: [403],
    handle({ body, remote }) {
      signUp.registerByMail(body.email, body.password ?? null, remote)
      return json({ status: 'ok', message: 'Check your email' } satisfies z.output<typeof OnItsWay>, 202)
    },
  }),
  endpoint({
    method: 'POST',
    path: '/auth/confirm',
    access: 'open',
    tag,
    summary: 'Confirms the address of an account by the code that was mailed to it',
    body: z.strictObject({ code }),
    replies: { 200: oneUser },
    handle: async ({ body }) => json(userOut(await mailbox.confirm(body.code))),
  }),
  endpoint({
    method: 'POST',
    path: '/auth/password/forgot',
    access: 'open',
    tag,
    summary: 'Has a code mailed by which a password can be replaced',
    description: 'The answer is the same whether there is such an account or not.',
    body: z.strictObject({ email }),
    replies: { 202: { description: 'If there is such an account, a mail is on its way.' } },
    handle({ body, remote }) {
      mailbox.forgot(body.email, remote)
      return empty(202)
    },
  }),
  endpoint({
    method: 'POST',
    path: '/auth/password/reset',
    access: 'open',
    tag,
    summary: 'Replaces a password by the code that was mailed',
    description: 'Every sign-in of the account ends.',
    body: z.strictObject({ code, password }),
    replies: { 204: { description: 'The new password holds.' } },
    async handle({ body }) {
      await mailbox.reset(body.code, body.password)
      return empty()
    },
  }),
  endpoint({
    method: 'POST',
    path: '/auth/login',
    access: 'open',
    tag,
    summary: 'Signs in, as the first VPN API answered it',
    description: '`POST /api/v1/sign-in` is the same.',
    body: z.strictObject({ email: z.string(anEmail).max(254), password }),
    replies: oneToken,
    faults: [401, 403],
    handle: async ({ body, remote }) =>
      tokenReply(await door.signIn(body.email, body.password, remote), nowMs()),
  }),
  endpoint({
    method: 'POST',
    path: '/auth/refresh',
    access: 'open',
    tag,
    summary: 'Trades a refresh token for the next token',
    body: refresh,
    replies: oneToken,
    faults: [401],
    handle: async ({ body }) => tokenReply(await door.renew(body.refresh_token), nowMs()),
  }),
  endpoint({
    method: 'POST',
    path: '/auth/logout',
    access: 'open',
    tag,
    summary: 'Ends a sign-in, its tokens too',
    body: refresh,
    replies: { 204: { description: 'It has ended.' } },
    async handle({ body }) {
      await door.signOut({ refreshToken: body.refresh_token })
      return empty()
    },
  }),
  endpoint({
    method: 'GET',
    path: '/auth/me',
    access: 'user',
    tag,
    summary: 'Tells of the account whose token this is',
    replies: { 200: oneUser },
    faults: [409],
    async handle({ caller }) {
      const accountId = 'accountId' in caller ? caller.accountId : null
      const account = accountId === null ? undefined : await accounts.byId(accountId)
      if (account === undefined) throw new HttpError(409, 'no_account', 'SECRET_TOKEN has no account')
      return json(userOut(account))
    },
  }),
  endpoint({
    method: 'POST',
    path: '/auth/admin/promote',
    access: 'open',
    tag,
    summary: 'Makes a user the first admin',
    description:
      'By `PROMOTE_SECRET`, and only while there is no admin. Send it in the body, or as the header `X-Promote-Secret`; in the query it is read too, where proxies may write it down.',
    query: Promotion.partial(),
    body: Promotion.partial().strict(),
    replies: { 200: oneUser },
    faults: [403, 404, 409],
    async handle({ body, query, headers, remote }) {
      const given = {
        user_id: body.user_id ?? query.user_id,
        secret: body.secret ?? headers.get('x-promote-secret') ?? query.secret,
      }
      const { data, error } = Promotion.safeParse(given)
      if (data === undefined) throw badRequest(error.issues.map(({ message }) => message).join('; '))
      return json(userOut(await signUp.promote(data.user_id, data.secret, remote)))
    },
  }),
]

const userOut = (account: Account): z.output<typeof UserOut> => ({
  id: account.user_id,
  email: account.name,
  status: account.disabled_at !== null ? 'disabled' : account.unconfirmed ? 'unconfirmed' : 'active',
  is_admin: account.role === 'admin',
  created_at: account.created_at.toISOString(),
})

const tokenReply = ({ token, expiresAtMs, refreshToken }: SignedIn, nowMs: number): Reply =>
  json({
    access_token: token,
    token_type: 'bearer',
    expires_in: Math.floor((expiresAtMs - nowMs) / 1_000),
    refresh_token: refreshToken,
  } satisfies z.output<typeof TokenOut>)
