/**
 * Tokens of people: JWTs (RFC 7519) after the advice of RFC 8725. What is signed is exactly what this writes: a token
 * whose header differs in one character, whatever algorithm it names, is not read any further.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../kit/clock.js'

export interface AccountTokenOptions {
  readonly clock: Clock
  readonly serverId: string
  /** The first signs, each of them verifies. */
  readonly keys: readonly Uint8Array[]
}

/** What a token says. Name and role it does not: those hold that are in the database. */
export interface Claims {
  readonly accountId: string
  readonly signInId: string
  /** Of the account, when the token was issued. */
  readonly epoch: number
  readonly expiresAtMs: number
}

interface Signer {
  readonly key: Uint8Array
  /** With the full stop. */
  readonly head: string
}

const AUDIENCE = 'boson:people'

export class AccountTokens {
  readonly #options: AccountTokenOptions
  readonly #signers: readonly Signer[]

  constructor(options: AccountTokenOptions) {
    this.#options = options
    this.#signers = options.keys.map(key => ({ key, head: `${headOf(key)}.` }))
  }

  issue(
    { accountId, signInId, epoch }: Omit<Claims, 'expiresAtMs'>,
    lifeMs: number,
  ): { readonly token: string; readonly expiresAtMs: number } {
    const { clock, serverId } = this.#options
    const [{ key, head }] = this.#signers as readonly [Signer] // there is one
    const iat = Math.floor(clock.wallMs() / 1_000)
    const exp = iat + lifeMs / 1_000
    const claims = { iss: serverId, aud: AUDIENCE, sub: accountId, sid: signInId, epoch, iat, exp }
    const said = head + Buffer.from(JSON.stringify(claims)).toString('base64url')
    return { token: `${said}.${macOf(key, said).toString('base64url')}`, expiresAtMs: exp * 1_000 }
  }

  /** Returns what a token says; `foreign`: it is of another kind; `bad`: forged, over, or of another coordinator. */
  read(token: string): Claims | 'foreign' | 'bad' {
    const signer = this.#signers.find(({ head }) => token.startsWith(head))
    if (signer === undefined) return 'foreign'
    const end = token.lastIndexOf('.')
    const mac = Buffer.from(token.slice(end + 1), 'base64url')
    const wanted = macOf(signer.key, token.slice(0, end))
    if (mac.length !== wanted.length || !timingSafeEqual(mac, wanted)) return 'bad'
    // We have signed it: it has the shape that we gave it.
    const { iss, aud, sub, sid, epoch, exp } = JSON.parse(
      Buffer.from(token.slice(signer.head.length, end), 'base64url').toString(),
    )
    const { serverId, clock } = this.#options
    if (iss !== serverId || aud !== AUDIENCE || exp * 1_000 <= clock.wallMs()) return 'bad'
    return { accountId: sub, signInId: sid, epoch, expiresAtMs: exp * 1_000 }
  }
}

/** `kid` names the key, and tells nothing of it that helps anyone. */
const headOf = (key: Uint8Array): string =>
  Buffer.from(
    JSON.stringify({
      alg: 'HS256',
      typ: 'boson-account+jwt',
      kid: createHash('sha256').update('kid').update(key).digest('hex').slice(0, 16),
    }),
  ).toString('base64url')

const macOf = (key: Uint8Array, said: string): Buffer => createHmac('sha256', key).update(said).digest()
