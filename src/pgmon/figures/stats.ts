/** Puts together what is answered of what was seen. Pure. */
import type { Server } from '../ports.js'
import type { Baseline } from './baseline.js'
import type { DiskSight } from './disk-eye.js'
import type { DatabaseRow, ServerStats } from './forms.js'
import type { Sight } from './look.js'
import { APART_S, gainOf, ratesOf, sumOf, totalGainOf, UNKNOWN_RATES } from './rates.js'
import type { Streams } from './streams.js'
import { type Counts, COUNTS, type DatabaseWork } from './work.js'

/** When a look was over, ms since 1970 UTC, and how long it took, ms; null: nothing was asked. */
export interface Moment {
  readonly checkedAtMs: number
  readonly tookMs: number | null
}

const COUNTED_NOTHING = Object.fromEntries(COUNTS.map(name => [name, null])) as Counts // each of them

/** Returns what is answered of a server that told nothing. */
export function nothingOf(
  { name, isOwn }: Server,
  kind: ServerStats['kind'],
  why: Pick<ServerStats, 'status' | 'fault'>,
  { checkedAtMs, tookMs }: Moment,
): ServerStats {
  return {
    name,
    kind,
    is_own: isOwn,
    ...why,
    checked_at: iso(checkedAtMs),
    took_ms: tookMs,
    version: null,
    started_at: null,
    uptime_s: null,
    role: null,
    connections: null,
    oldest_transaction_s: null,
    longest_query_s: null,
    blocked: null,
    ...UNKNOWN_RATES,
    ...COUNTED_NOTHING,
    freeze_age: null,
    size_bytes: null,
    wal: null,
    replication: null,
    disks: null,
    databases: [],
    extensions: [],
    unknown: [],
  }
}

export function statsOf(
  server: Server,
  sight: Sight,
  before: Baseline | null,
  { disks, why }: DiskSight,
  moment: Moment,
): ServerStats {
  const { identity, sessions, work, sizes } = sight
  return {
    ...nothingOf(server, sight.kind, { status: 'up', fault: null }, moment),
    version: versionOf(sight.version),
    started_at: iso(identity.started_at_ms),
    uptime_s: identity.uptime_s,
    role: {
      name: identity.role,
      is_superuser: identity.is_superuser,
      is_monitor: identity.is_monitor,
      can_signal: identity.can_signal,
    },
    connections: connectionsOf(sight),
    oldest_transaction_s: sessions?.oldest_transaction_s ?? null,
    longest_query_s: sessions?.longest_query_s ?? null,
    blocked: sessions?.blocked ?? null,
    ...(work !== null && totalsOf(work, before)),
    size_bytes: work === null ? null : totalSizeOf(work, sizes),
    wal: walOf(sight, before?.streams ?? null),
    replication: replicationOf(sight),
    disks,
    databases: (work ?? []).filter(isDatabase).map(each => databaseRowOf(each, before, sizes)),
    extensions: [...identity.extensions],
    unknown: [...sight.unknown, ...(why === null ? [] : [{ what: 'disks', why }])],
  }
}

/** Since 10, the first number is the release and the rest its corrections. */
const versionOf = (version: number): string => `${Math.trunc(version / 10_000)}.${version % 10_000}`

function connectionsOf({ sessions, identity, kind }: Sight): ServerStats['connections'] {
  if (sessions === null) return null
  // The embedded database has one, whatever its settings allow.
  const limits = kind === 'pglite' ? null : identity
  const { total, active, idle, idle_in_transaction, waiting } = sessions
  return {
    total,
    active,
    idle,
    idle_in_transaction,
    other: total - active - idle - idle_in_transaction,
    waiting,
    max: limits?.connections_max ?? null,
    reserved: limits?.connections_reserved ?? null,
  }
}

function totalsOf(work: readonly DatabaseWork[], before: Baseline | null) {
  const counts = COUNTS.map(name => [name, sumOf(work.map(each => each[name]))] as const)
  const ages = work.flatMap(({ freeze_age: age }) => age ?? [])
  return {
    ...ratesOf(before === null ? null : totalGainOf(work, before.work)),
    ...(Object.fromEntries(counts) as Counts), // each of them
    freeze_age: ages.length === 0 ? null : Math.max(...ages),
  }
}

function totalSizeOf(work: readonly DatabaseWork[], sizes: Sight['sizes']): number | null {
  const all = work.filter(isDatabase).map(({ id }) => sizes?.databases?.get(id) ?? null)
  return all.includes(null) ? null : sumOf(all)
}

type Named = DatabaseWork & { readonly name: string }

/** And not what belongs to all of them. */
const isDatabase = (work: DatabaseWork): work is Named => work.name !== null

/** Returns what is answered of one database. */
export function databaseRowOf(work: Named, before: Baseline | null, sizes: Sight['sizes']): DatabaseRow {
  const { id, name, owner, connections, freeze_age, stats_reset_at_ms, at_s: _, ...counts } = work
  return {
    name,
    owner,
    connections,
    size_bytes: sizes?.databases?.get(id) ?? null,
    ...ratesOf(gainOf(work, before?.work.get(id))),
    ...counts,
    freeze_age,
    stats_reset_at: isoOrNull(stats_reset_at_ms),
  }
}

function walOf({ streams, sizes }: Sight, before: Streams | null): ServerStats['wal'] {
  if (streams === null) return null
  return {
    lsn: streams.lsn,
    bytes_per_s: walRateOf(streams, before),
    directory_bytes: sizes?.wal?.directory_bytes ?? null,
    files: sizes?.wal?.files ?? null,
    archive_failures: streams.is_archived ? streams.archive_failures : null,
    last_archived_at: isoOrNull(streams.last_archived_at_ms),
  }
}

/** The position, not what is counted as written: the rest of a segment that is left empty is archived and kept, too. */
function walRateOf(now: Streams, before: Streams | null): number | null {
  if (now.lsn_bytes === null || before === null || before.lsn_bytes === null) return null
  const [seconds, bytes] = [now.at_s - before.at_s, now.lsn_bytes - before.lsn_bytes]
  return seconds < APART_S || bytes < 0 ? null : bytes / seconds
}

function replicationOf({ streams }: Sight): ServerStats['replication'] {
  if (streams === null) return null
  const { is_replica, lag_s, lag_bytes, receiver, replicas, slots } = streams
  return {
    is_replica,
    lag_s: notBelowZero(lag_s),
    lag_bytes,
    receiver,
    replicas: replicas.map(replica => ({ ...replica, lag_bytes: notBelowZero(replica.lag_bytes) })),
    slots: slots.map(slot => ({ ...slot, retained_bytes: notBelowZero(slot.retained_bytes) })),
  }
}

/** Clocks of two machines differ, and who follows may have come further since the first of two positions was read. */
const notBelowZero = (figure: number | null): number | null => (figure === null ? null : Math.max(0, figure))

const iso = (ms: number): string => new Date(ms).toISOString()
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms))
