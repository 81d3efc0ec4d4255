/** Who asks, as far as the request shows it. */
import { HttpError } from './faults.js'
import type { OperatorRole } from './roles.js'

export type Caller =
  /** Nothing is known of it. What it calls a bearer token may be an enrolment key: who takes those looks itself. */
  | { readonly kind: 'stranger'; readonly bearer: string | null }
  /** Runs the mesh. */
  | (Person & { readonly kind: 'operator'; readonly role: OperatorRole })
  /** Has an account, and no part in running the mesh. */
  | (Person & { readonly kind: 'user' })
  /** Holds a token of ours for a session over HTTP. */
  | { readonly kind: 'agent'; readonly id: string; readonly role: 'node' | 'client' }

interface Person {
  /** As the audit tells it. */
  readonly name: string
  /** null: the holder of SECRET_TOKEN, who has none. */
  readonly accountId: string | null
  /** Names the sign-in that the token is of; null when it is of none. */
  readonly signInId: string | null
  /** When the token ends, ms since 1970 UTC; null: it does not. */
  readonly expiresAtMs: number | null
}

/** Recognises the header `Authorization`; what it does not know is a stranger. */
export type Recognise = (authorization: string | undefined) => Caller | Promise<Caller>

/** Returns the token of `Authorization: Bearer <token>`; null when there is none. */
export const bearerOf = (authorization: string | undefined): string | null =>
  /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? null

/** Throws a 403 unless the caller is this identity, or an operator: with which role is the route's affair. */
export function mustBe(caller: Caller, id: string): void {
  if (caller.kind === 'operator' || (caller.kind === 'agent' && caller.id === id)) return
  throw new HttpError(403, 'not_yours', `this token belongs to ${nameOf(caller)}, not to ${id}`)
}

/** Returns the caller's name for logs and the audit. */
export const nameOf = (caller: Caller): string =>
  caller.kind === 'stranger' ? 'nobody' : caller.kind === 'agent' ? caller.id : caller.name
