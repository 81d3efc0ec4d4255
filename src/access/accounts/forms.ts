/** Accounts and sign-ins as they are answered. */
import { z } from 'zod'
import { moment, oneOf } from '../../http/fields.js'
import { json, type Reply } from '../../http/reply.js'
import { ACCOUNT_ROLES } from '../../http/roles.js'
import type { Account } from './accounts.js'
import type { SignedIn } from './door.js'
import { BYTES_MAX } from './password.js'

export const role = oneOf(...ACCOUNT_ROLES)

const anyPassword = { error: `wanted a password of at most ${BYTES_MAX} bytes` }
/** What is sent as a password; whether it is good, password.ts says. */
export const password = z
  .string(anyPassword)
  .refine(text => Buffer.byteLength(text) <= BYTES_MAX, anyPassword)
  .meta({ format: 'password' })

export const AccountForm = z
  .object({
    accountId: z.string(),
    userId: z.int().meta({ description: 'The number that tariffs, peers and payments know it by.' }),
    name: z.string(),
    role: z.enum(ACCOUNT_ROLES),
    disabledAt: moment.nullable().meta({ description: 'Null: it can be used.' }),
    createdAt: moment,
    lastSignInAt: moment.nullable(),
  })
  .meta({ id: 'Account' })
export type AccountForm = z.output<typeof AccountForm>

export const accountForm = (account: Account): AccountForm => ({
  accountId: account.account_id,
  userId: account.user_id,
  name: account.name,
  role: account.role,
  disabledAt: account.disabled_at?.toISOString() ?? null,
  createdAt: account.created_at.toISOString(),
  lastSignInAt: account.last_sign_in_at?.toISOString() ?? null,
})

export const SignInForm = z
  .object({
    token: z.string().meta({ description: 'For the header `Authorization: Bearer …`.' }),
    expiresAt: moment.meta({ description: 'When the token ends; renew it before.' }),
    refreshToken: z.string().meta({
      description: 'Good for one renewal, which gives the next one. A second use ends the sign-in.',
    }),
    account: AccountForm,
  })
  .meta({ id: 'SignIn' })

export const signInReply = ({ token, expiresAtMs, refreshToken, account }: SignedIn): Reply =>
  json({
    token,
    expiresAt: new Date(expiresAtMs).toISOString(),
    refreshToken,
    account: accountForm(account),
  } satisfies z.output<typeof SignInForm>)
