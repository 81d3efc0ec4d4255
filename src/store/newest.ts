/** Which of several changes to the same thing counts: the newest, and never an older generation. */
import type {
  AuditEvent,
  Change,
  Identity,
  PathRecord,
  StoredRoute,
  StoredSession,
  StoredSteering,
} from '../actors/ports.js'
import { othersTurn } from './turns.js'

/** Changes that are looked at in one turn: about a millisecond. */
const TURN_CHANGES = 2_000

/** Changes by kind, one per key. */
export interface Newest {
  readonly identities: readonly Identity[]
  readonly sessions: readonly StoredSession[]
  readonly routes: readonly StoredRoute[]
  readonly paths: readonly PathRecord[]
  readonly steerings: readonly StoredSteering[]
  readonly audit: readonly AuditEvent[]
}

/** Returns the one value of each key that a store has to write. */
export function newestOf(changes: readonly Change[]): Newest {
  const { take, newest } = collector()
  take(changes)
  return newest()
}

/** Resolves with the same; however many changes there are, other work goes on. */
export async function newestInTurns(changes: readonly Change[]): Promise<Newest> {
  const { take, newest } = collector()
  for (let at = 0; at < changes.length; at += TURN_CHANGES) {
    if (at > 0) await othersTurn()
    take(changes.slice(at, at + TURN_CHANGES))
  }
  return newest()
}

function collector() {
  const identities = new Map<string, Identity>()
  const sessions = new Map<string, StoredSession>()
  const routes = new Map<string, StoredRoute>()
  const paths = new Map<string, PathRecord>()
  const steerings = new Map<string, StoredSteering>()
  const audit = new Map<string, AuditEvent>()
  const add = (change: Change) => {
    switch (change.kind) {
      case 'identity':
        identities.set(change.key, mergeIdentity(identities.get(change.key), change.value))
        break
      case 'session':
        sessions.set(change.key, mergeSession(sessions.get(change.key), change.value))
        break
      case 'route':
        routes.set(change.key, change.value)
        break
      case 'path':
        paths.set(change.key, change.value)
        break
      case 'steering':
        steerings.set(change.key, change.value)
        break
      case 'audit':
        if (!audit.has(change.key)) audit.set(change.key, change.value)
    }
  }
  return {
    take: (changes: readonly Change[]) => changes.forEach(add),
    newest: (): Newest => ({
      identities: [...identities.values()],
      sessions: [...sessions.values()],
      routes: [...routes.values()],
      paths: [...paths.values()],
      steerings: [...steerings.values()],
      audit: [...audit.values()],
    }),
  }
}

/**
 * Returns what an identity becomes. What was bound at first contact stays; generation and profile go together;
 * a revocation is final, whichever generation it came with, so that a coordinator that has not heard of it
 * cannot undo it.
 */
export function mergeIdentity(stored: Identity | undefined, value: Identity): Identity {
  if (stored === undefined) return value
  const newer = value.generation >= stored.generation
  return {
    ...stored,
    generation: newer ? value.generation : stored.generation,
    profile: newer ? value.profile : stored.profile,
    revokedAtMs: stored.revokedAtMs ?? value.revokedAtMs,
  }
}

/** Returns what a session becomes: the value, unless it is of an older generation. */
export function mergeSession(stored: StoredSession | undefined, value: StoredSession): StoredSession {
  return stored !== undefined && value.generation < stored.generation ? stored : value
}
