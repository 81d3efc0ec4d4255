/**
 * `/pgmon/token`, `/pgmon/refresh`, `/pgmon/logout`: signing in as the first monitor of databases had it. They are the
 * accounts and the doors of everywhere else; here the refresh token is a cookie, which no script of a page can read.
 *
 *   name, password ─→ token for an hour + cookie for a week ─→ next token + next cookie ─→ …
 *
 * A cookie is given to pages of this coordinator only, and taken from them only: another site's page could send it
 * along, or have one of its own account kept here. SameSite says the same to browsers; older ones, and pages of a
 * sibling domain, are held by `isOwnPage`.
 */
import { z } from 'zod'
import type { Config } from '../../app/config.js'
import { cookieOf, setCookie } from '../../http/cookie.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { HttpError } from '../../http/faults.js'
import { isOwnPage } from '../../http/own-page.js'
import { empty, json, type Reply } from '../../http/reply.js'
import { ACCOUNT_ROLES } from '../../http/roles.js'
import type { Door, SignedIn } from './door.js'
import { password } from './forms.js'
import { name } from './name.js'
import { TIMING } from './timing.js'

type Headers = ReadonlyMap<string, string>

export interface MonitorDoorParts {
  readonly door: Door
  readonly nowMs: () => number
  /** Whether browsers come by TLS, as far as the settings say. */
  readonly isTls: boolean
}

const MonitorToken = z
  .object({
    access_token: z.string().meta({ description: 'For the header `Authorization: Bearer …`.' }),
    token_type: z.literal('bearer'),
    expires_in: z.int().meta({ description: 'How long the token is good, s: an hour.' }),
    role: z.enum(ACCOUNT_ROLES),
  })
  .meta({ id: 'MonitorToken' })

/** What OAuth 2.0 has beside name and password, and we have no use for. */
const unused = z.string().max(256).optional()
const SignIn = z.strictObject({
  username: name,
  password,
  grant_type: z.enum(['password', ''], { error: 'wanted password' }).optional(),
  scope: unused,
  client_id: unused,
  client_secret: unused,
})

/** As the first monitor promised: the token for an hour, what renews it for a week. It all ends at once when the account changes. */
const LIVES = { tokenMs: TIMING.longTokenMs, idleMs: TIMING.signInMs } as const
const COOKIE = 'pgmon_refresh'
const PATH = '/pgmon'
const tag = 'accounts'
const oneToken = { 200: { description: 'A token, and a cookie that renews it.', schema: MonitorToken } }

export function monitorDoorEndpoints({ door, nowMs, isTls }: MonitorDoorParts): readonly Endpoint[] {
  const cookie = (value: string, headers: Headers) => ({
    'Set-Cookie': setCookie({
      name: COOKIE,
      value,
      path: PATH,
      maxAgeS: TIMING.signInMs / 1_000,
      isSecure: isTls || saysTls(headers),
    }),
  })
  const tokenReply = ({ token, expiresAtMs, refreshToken, account }: SignedIn, headers: Headers): Reply =>
    json(
      {
        access_token: token,
        token_type: 'bearer',
        expires_in: Math.floor((expiresAtMs - nowMs()) / 1_000),
        role: account.role,
      } satisfies z.output<typeof MonitorToken>,
      200,
      isOwnPage(headers) ? cookie(refreshToken, headers) : {},
    )

  return [
    endpoint({
      method: 'POST',
      path: `${PATH}/token`,
      access: 'open',
      tag,
      summary: 'Signs in, as the first monitor of databases answered it',
      description:
        'A form, as OAuth 2.0 has it, or JSON. `POST /api/v1/sign-in` is the same with a shorter token. The cookie is HttpOnly, SameSite=Strict, of the path /pgmon and good for a week; pages of other sites (`CORS_ORIGIN`) get none, and sign in again when the hour is over.',
      body: SignIn,
      form: true,
      replies: oneToken,
      faults: [401, 403],
      handle: async ({ body, remote, headers }) =>
        tokenReply(await door.signIn(body.username, body.password, remote, LIVES), headers),
    }),
    endpoint({
      method: 'POST',
      path: `${PATH}/refresh`,
      access: 'open',
      tag,
      summary: 'Trades the cookie for the next token and the next cookie',
      description:
        'Each cookie is good once. One that comes again was copied: its whole sign-in ends at once, tokens and all. Pages of other sites are refused.',
      replies: oneToken,
      faults: [401, 403],
      async handle({ headers }) {
        mustBeOwnPage(headers)
        const refreshToken = cookieOf(headers, COOKIE)
        if (refreshToken === null)
          throw new HttpError(401, 'signed_out', 'this needs the cookie that POST /pgmon/token gives', {
            'WWW-Authenticate': 'Bearer realm="boson"',
          })
        return tokenReply(await door.renew(refreshToken, LIVES), headers)
      },
    }),
    endpoint({
      method: 'POST',
      path: `${PATH}/logout`,
      access: 'open',
      tag,
      summary: 'Ends a sign-in, its tokens too, and has the cookie forgotten',
      description:
        'The one of the cookie, and the one of the token in the header. What is not good any more ends nothing.',
      replies: { 204: { description: 'It has ended.' } },
      faults: [403],
      async handle({ headers, caller }) {
        const signInId = 'signInId' in caller ? caller.signInId : null
        const refreshToken = cookieOf(headers, COOKIE)
        if (refreshToken !== null) {
          mustBeOwnPage(headers)
          await door.signOut({ refreshToken })
        }
        if (signInId !== null) await door.signOut({ signInId })
        return empty(204, refreshToken === null ? {} : cookie('', headers))
      },
    }),
  ]
}

/** Returns whether the settings say that browsers come by TLS. */
export const isTls = ({ tlsCert, publicUrl }: Pick<Config, 'tlsCert' | 'publicUrl'>): boolean =>
  tlsCert !== null || publicUrl?.startsWith('https:') === true

/** A proxy may say so, and so may anybody: who lies has his own cookie kept more carefully. */
const saysTls = (headers: Headers): boolean => headers.get('x-forwarded-proto') === 'https'

function mustBeOwnPage(headers: Headers): void {
  if (isOwnPage(headers)) return
  throw new HttpError(403, 'origin_refused', 'the cookie is for pages of this coordinator only')
}
