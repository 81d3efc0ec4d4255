/** `/api/v1/sign-in`, `/api/v1/sign-out` and `/api/v1/me`: whoever has an account, for itself. */
import { z } from 'zod'
import type { Caller } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { HttpError } from '../../http/faults.js'
import { moment } from '../../http/fields.js'
import { empty, json } from '../../http/reply.js'
import { ACCOUNT_ROLES } from '../../http/roles.js'
import type { Door } from './door.js'
import { password, SignInForm, signInReply } from './forms.js'
import { name } from './name.js'

const refreshToken = z.string({ error: 'wanted the newest refresh token' }).max(128)

const Me = z.object({
  name: z.string(),
  role: z.enum(ACCOUNT_ROLES),
  accountId: z.string().nullable().meta({ description: 'Null: this is the holder of SECRET_TOKEN.' }),
  expiresAt: moment.nullable().meta({ description: 'When the token ends; null: it does not.' }),
})

const tag = 'accounts'

export const signInEndpoints = (door: Door): readonly Endpoint[] => [
  endpoint({
    method: 'POST',
    path: '/api/v1/sign-in',
    access: 'open',
    tag,
    summary: 'Signs in',
    description:
      'Failures make the next attempt wait (429). The token is good for a quarter of an hour, the sign-in for twelve hours after each renewal and a week at most.',
    body: z.strictObject({ name, password }),
    replies: { 200: { description: 'The token, and what renews it.', schema: SignInForm } },
    faults: [401, 403],
    handle: async ({ body, remote }) => signInReply(await door.signIn(body.name, body.password, remote)),
  }),
  endpoint({
    method: 'POST',
    path: '/api/v1/sign-in/renew',
    access: 'open',
    tag,
    summary: 'Trades a refresh token for the next token',
    description:
      'Each refresh token is good once. One that comes again was copied: its whole sign-in ends at once, tokens and all.',
    body: z.strictObject({ refreshToken }),
    replies: { 200: { description: 'The next ones.', schema: SignInForm } },
    faults: [401],
    handle: async ({ body }) => signInReply(await door.renew(body.refreshToken)),
  }),
  endpoint({
    method: 'POST',
    path: '/api/v1/sign-out',
    access: 'open',
    tag,
    summary: 'Ends a sign-in',
    description:
      'The one of the refresh token, or of the token in the header. Its tokens end at once. What is not good any more ends nothing.',
    body: z.strictObject({ refreshToken: refreshToken.optional() }),
    replies: { 204: { description: 'It has ended.' } },
    async handle({ body, caller }) {
      if (body.refreshToken !== undefined) await door.signOut({ refreshToken: body.refreshToken })
      const signInId = 'signInId' in caller ? caller.signInId : null
      if (signInId !== null) await door.signOut({ signInId })
      return empty()
    },
  }),
  endpoint({
    method: 'GET',
    path: '/api/v1/me',
    access: 'user',
    tag,
    summary: 'Tells whose token this is',
    replies: { 200: { description: 'The holder.', schema: Me } },
    handle: ({ caller }) => json(meOf(caller)),
  }),
  endpoint({
    method: 'POST',
    path: '/api/v1/me/password',
    access: 'user',
    tag,
    summary: 'Changes one’s password',
    description: 'Every sign-in of the account ends, this one too; the answer is a new one.',
    body: z.strictObject({ password, newPassword: password }),
    replies: { 200: { description: 'A new sign-in.', schema: SignInForm } },
    faults: [409],
    async handle({ body, caller, remote }) {
      const { accountId } = personOf(caller)
      if (accountId === null)
        throw new HttpError(
          409,
          'no_account',
          'SECRET_TOKEN has no password: it is a setting of the coordinator',
        )
      return signInReply(await door.changePassword(accountId, body, remote))
    },
  }),
]

function meOf(caller: Caller): z.output<typeof Me> {
  const person = personOf(caller)
  const { name: called, accountId, expiresAtMs } = person
  return {
    name: called,
    role: person.kind === 'operator' ? person.role : 'user',
    accountId,
    expiresAt: expiresAtMs === null ? null : new Date(expiresAtMs).toISOString(),
  }
}

/** The access `user` lets nobody else in. */
function personOf(caller: Caller): Extract<Caller, { kind: 'operator' | 'user' }> {
  if (caller.kind === 'operator' || caller.kind === 'user') return caller
  throw new HttpError(403, 'forbidden', 'this is for people')
}
