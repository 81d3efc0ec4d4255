/**
 * One look at a server: a few statements on one connection, each for itself, so that one that is refused takes nothing
 * with it. Four, and two more once a minute.
 *
 *   identity ─→ sessions ─→ work ─→ streams ─→ (sizes)
 */
import type { Asking } from '../ports.js'
import type { Unknown } from '../forms.js'
import { type Identity, identityOf } from './identity.js'
import { Sections } from './section.js'
import { type Sessions, sessionsOf } from './sessions.js'
import { type Sizes, sizesOf } from './sizes.js'
import { type Streams, streamsOf } from './streams.js'
import { type DatabaseWork, workOf } from './work.js'

export interface Sight {
  readonly kind: Asking['kind']
  /** Such as 150014. */
  readonly version: number
  readonly identity: Identity
  readonly sessions: Sessions | null
  readonly work: readonly DatabaseWork[] | null
  readonly streams: Streams | null
  /** null: the look had taken too long to ask for them. */
  readonly sizes: Sizes | null
  readonly unknown: readonly Unknown[]
}

export interface LookWishes {
  /** As they were seen a while ago; null: they are asked for. */
  readonly sizes: Sizes | null
  /** Whether the look has taken too long to ask for more. */
  readonly isLate: () => boolean
}

/** Resolves with what is seen; rejects when the server does not answer, or not even says who it is. */
export async function lookAt(db: Asking, { isLate, ...known }: LookWishes): Promise<Sight> {
  const { kind, version } = db
  const identity = await identityOf(db)
  const sections = new Sections(identity.grantee, isLate)
  const sessions = await sections.ask(['connections'], () => sessionsOf(db, identity))
  const work = await sections.ask(['databases'], () => workOf(db))
  const streams = await sections.ask(['replication', 'wal'], () => streamsOf(db))
  const sizes = known.sizes ?? (await sections.ask(['sizes'], () => sizesOf(db, identity, isLate)))
  if (!identity.sees_sessions) {
    sections.missRight('connections', 'what sessions of other roles do may not be seen')
    sections.missRight('replication', 'replicas and the WAL receiver may not be seen')
  }
  if (kind === 'pglite') sections.miss('connections', ONE_SESSION)
  const unknown = [...sections.unknown, ...(sizes?.unknown ?? [])]
  return { kind, version, identity, sessions, work, streams, sizes, unknown }
}

const ONE_SESSION = 'the embedded database has one session, which everybody shares, and no limit'
