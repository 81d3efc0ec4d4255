/**
 * Credentials that need no table: the username says until when and for whom, the password is an HMAC over it.
 *
 *   username    1790000000:node-1                                    expiry (s since 1970) and identity
 *   password    base64(HMAC-SHA1(secret, username))
 *
 * coturn's `use-auth-secret` makes and accepts the same, so a session need not know which server it is sent to.
 */
import { createHmac } from 'node:crypto'
import { TurnError } from './errors.js'

export interface Credentials {
  readonly username: string
  readonly password: string
  /** Seconds since 1970. */
  readonly expiresAtS: number
}

/** Shorter secrets can be guessed from one signed request. */
const LEAST_SECRET_BYTES = 32

/** Returns credentials for `id` that open allocations until `ttlS` seconds from now. */
export function issueCredentials(secret: string, id: string, ttlS: number, wallMs: number): Credentials {
  const expiresAtS = Math.floor(wallMs / 1000) + ttlS
  const username = `${expiresAtS}:${id}`
  return { username, password: passwordOf(secret, username), expiresAtS }
}

/** Returns the password that belongs to a username. */
export const passwordOf = (secret: string, username: string): string =>
  createHmac('sha1', secret).update(username).digest('base64')

/** Returns the parts of a username, or null when it has another form. */
export function readUsername(username: string): { readonly expiresAtS: number; readonly id: string } | null {
  const [, expiry, id] = /^(\d{1,10}):([^\0]{1,128})$/.exec(username) ?? []
  return expiry === undefined || id === undefined ? null : { expiresAtS: Number(expiry), id }
}

/** Throws when a secret is too short to keep. */
export function checkSecrets(secrets: readonly string[]): void {
  if (secrets.length === 0) throw new TurnError('bad_secret', 'turn secrets: wanted at least one')
  if (secrets.some(secret => Buffer.byteLength(secret) < LEAST_SECRET_BYTES))
    throw new TurnError('bad_secret', `turn secrets: wanted at least ${LEAST_SECRET_BYTES} bytes each`)
}
