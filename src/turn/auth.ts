/**
 * The long-term credential mechanism of RFC 8489 §9.2, on credentials and nonces that need no table.
 *
 *   unsigned ─→ challenge (401)      signed ─→ nonce (438) ─→ password algorithm ─→ signature ─→ time and session
 *
 * The signature is checked before anything is said about the user: a stranger cannot ask who exists.
 */
import { timingSafeEqual } from 'node:crypto'
import type { Clock } from '../kit/clock.js'
import type { Random } from '../kit/random.js'
import { ATTRIBUTE } from './attributes.js'
import { type StunMessage, valueOf } from './codec.js'
import type { Refusal } from './counters.js'
import { passwordOf, readUsername } from './credentials.js'
import type { Flow } from './flow.js'
import {
  hasSignature,
  longTermKey,
  PASSWORD_ALGORITHM,
  type PasswordAlgorithm,
  type Signature,
  signedWith,
} from './integrity.js'
import { Nonces } from './nonce.js'

export interface AuthOptions {
  readonly clock: Clock
  readonly random: Random
  readonly realm: string
  /** All are accepted: during a rotation the newer one first, then the older. */
  readonly secrets: readonly string[]
  /** Whether the identity has a live session: credentials end with it. */
  readonly allowed: (id: string) => boolean
}

export interface Admitted {
  /** The identity in the username. */
  readonly id: string
  /** How the request was signed; the answer is signed alike. */
  readonly signature: Signature
  /** The credentials are past their time: good for what they opened, as long as the session lives, not for more. */
  readonly expired: boolean
}

export interface Rejected {
  readonly code: 400 | 401 | 438
  readonly refusal: Refusal
}

export type Verdict = Admitted | Rejected

/** What a rejected client needs in order to come back. */
export interface Challenge {
  readonly realm: string
  readonly nonce: string
}

/** Value of PASSWORD-ALGORITHMS: SHA-256, then MD5, neither with parameters. */
export const PASSWORD_ALGORITHMS = Buffer.from([
  0,
  PASSWORD_ALGORITHM.sha256,
  0,
  0,
  0,
  PASSWORD_ALGORITHM.md5,
  0,
  0,
])
export class Authenticator {
  readonly #options: AuthOptions
  readonly #nonces: Nonces

  constructor(options: AuthOptions) {
    this.#options = options
    this.#nonces = new Nonces(options.random, options.clock.now())
  }

  /** Returns what to challenge a flow with; `offer` makes the nonce say that PASSWORD-ALGORITHMS is there. */
  challenge(flow: Flow, offer: boolean): Challenge {
    const { realm, clock } = this.#options
    return { realm, nonce: this.#nonces.make(flow.key, offer, clock.now()) }
  }

  verdict(request: StunMessage, flow: Flow): Verdict {
    const algorithm = signedWith(request)
    if (algorithm === null) return { code: 401, refusal: 'challenged' }
    const username = valueOf(request, ATTRIBUTE.username)?.toString()
    const realm = valueOf(request, ATTRIBUTE.realm)?.toString()
    const nonce = valueOf(request, ATTRIBUTE.nonce)?.toString()
    if (username === undefined || realm === undefined || nonce === undefined) return BAD_REQUEST
    if (!this.#nonces.holds(nonce, flow.key, this.#options.clock.now()))
      return { code: 438, refusal: 'stale_nonce' }
    const hash = passwordAlgorithm(request)
    if (hash === null) return BAD_REQUEST
    const key = this.#options.secrets
      .map(secret => longTermKey(hash, username, this.#options.realm, passwordOf(secret, username)))
      .find(candidate => hasSignature(request, { algorithm, key: candidate }))
    const user = readUsername(username)
    if (key === undefined || user === null) return { code: 401, refusal: 'bad_credentials' }
    if (!this.#options.allowed(user.id)) return { code: 401, refusal: 'no_session' }
    const expired = this.#options.clock.wallMs() / 1000 >= user.expiresAtS
    return { id: user.id, signature: { algorithm, key }, expired }
  }
}

const BAD_REQUEST: Rejected = { code: 400, refusal: 'bad_request' }

/**
 * Returns how the client makes its key: MD5 when it says nothing, as before RFC 8489; else what it chose from
 * our list, which it repeats, so that nobody between us can have shortened it. Null when the two do not agree.
 */
function passwordAlgorithm(request: StunMessage): PasswordAlgorithm | null {
  const list = valueOf(request, ATTRIBUTE.passwordAlgorithms)
  const chosen = valueOf(request, ATTRIBUTE.passwordAlgorithm)
  if (list === undefined && chosen === undefined) return 'md5'
  if (list === undefined || chosen === undefined || chosen.length !== 4) return null
  if (list.length !== PASSWORD_ALGORITHMS.length || !timingSafeEqual(list, PASSWORD_ALGORITHMS)) return null
  const id = chosen.readUInt16BE(0)
  return id === PASSWORD_ALGORITHM.sha256 ? 'sha256' : id === PASSWORD_ALGORITHM.md5 ? 'md5' : null
}
