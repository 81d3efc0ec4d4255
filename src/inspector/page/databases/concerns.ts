/**
 * What somebody looks for who was woken: what is wrong with a server, worst first, and where to look. Thresholds are where
 * a person can still do something about it.
 */
import { bytes, count, plural } from '../ui/format.js'
import { millions, ratio, seconds } from './words.js'
import type { ServerRow, ServerStats } from './kinds.js'

export interface Concern {
  readonly tone: 'bad' | 'warn'
  readonly what: string
  /** Nothing else matters then. */
  readonly isDown?: true
  /** The part of the server’s view that tells more. */
  readonly part?: 'activity' | 'locks' | 'databases'
}

type Figure = number | null

/** What both a row of the fleet and a whole look tell. */
interface Glance {
  readonly status: ServerRow['status']
  readonly fault: string | null
  readonly blocked: Figure
  readonly connections: Figure
  readonly connectionsMax: Figure
  readonly lagS: Figure
  readonly diskUsed: Figure
}

/** Shares of the limit: new sessions are refused at 1. */
const CONNECTIONS = { warn: 0.8, bad: 0.95 }
/** Shares of the file system that the data is on: PostgreSQL stops when it is full. */
const DISK = { warn: 0.85, bad: 0.95 }
/** What a replica lacks, s. */
const LAG_S = { warn: 60, bad: 600 }
/** A transaction this old keeps vacuum from its work, s. */
const TRANSACTION_S = { warn: 3600, bad: 12 * 3600 }
/** Autovacuum freezes by itself from 200 million on; it gives up everything else for it at 1,600 million. */
const FREEZE_AGE = { warn: 500_000_000, bad: 1_600_000_000 }
/** WAL that is kept for nobody, bytes. */
const RETAINED = { warn: 1e9, bad: 50e9 }

/** Returns what is wrong with a server of the fleet. */
export const concernsOfRow = (row: ServerRow): readonly Concern[] =>
  glanced({
    status: row.status,
    fault: row.fault,
    blocked: row.blocked,
    connections: row.connections,
    connectionsMax: row.connections_max,
    lagS: row.replication_lag_s,
    diskUsed: row.disk_used_ratio,
  })

/** Returns what is wrong with a server, as far as it tells. */
export function concernsOf(stats: ServerStats): readonly Concern[] {
  const { replication, databases } = stats
  const disk = stats.disks?.find(({ holds_data }) => holds_data)
  const concerns: readonly Concern[] = [
    ...glanced({
      status: stats.status,
      fault: stats.fault,
      blocked: stats.blocked,
      connections: stats.connections?.total ?? null,
      connectionsMax: stats.connections?.max ?? null,
      lagS: lagOf(stats),
      diskUsed: disk === undefined ? null : disk.used_bytes / disk.size_bytes,
    }),
    ...past(stats.oldest_transaction_s, TRANSACTION_S, age => ({
      what: `A transaction is open for ${seconds(age)}: nothing that ended since then can be vacuumed`,
      part: 'activity',
    })),
    ...past(stats.freeze_age, FREEZE_AGE, age => ({
      what: `${millions(age)} transactions since the oldest row was frozen; at 2,000 M it stops`,
      part: 'databases',
    })),
    ...past(stats.deadlocks_per_s, { warn: Number.MIN_VALUE }, () => ({
      what: 'Deadlocks happen now',
      part: 'activity',
    })),
    ...databases.flatMap(({ name, checksum_failures: failures }) =>
      past(failures, { bad: 1 }, () => ({
        what: `${plural(failures ?? 0, 'page')} of ${name} failed the checksum: its storage loses data`,
      })),
    ),
    ...(replication?.slots ?? []).flatMap(({ name, active, retained_bytes: retained }) =>
      active
        ? []
        : past(retained, RETAINED, () => ({
            what: `Nobody reads slot ${name}: ${bytes(retained)} of WAL are kept for it`,
          })),
    ),
  ]
  return concerns.toSorted(byWeight)
}

/** What a replica lacks; of a primary, what its slowest replica lacks, s. */
export function lagOf({ replication }: Pick<ServerStats, 'replication'>): Figure {
  if (replication === null) return null
  if (replication.is_replica) return replication.lag_s
  const lags = replication.replicas.flatMap(({ replay_lag_s: lag }) => lag ?? [])
  return lags.length === 0 ? null : Math.max(...lags)
}

function glanced(of: Glance): readonly Concern[] {
  if (of.status === 'down')
    return [{ tone: 'bad', isDown: true, what: `Down, ${of.fault ?? 'it does not answer'}` }]
  if (of.status === 'disabled') return []
  const { connections, connectionsMax: max } = of
  const used = connections === null || max === null || max === 0 ? null : connections / max
  return [
    ...past(of.blocked, { bad: 1 }, blocked => ({
      what: `${plural(blocked, 'session')} ${blocked === 1 ? 'waits' : 'wait'} for somebody else’s lock`,
      part: 'locks',
    })),
    ...past(used, CONNECTIONS, () => ({
      what: `${count(connections)} of ${count(max)} connections are taken`,
      part: 'activity',
    })),
    ...past(of.lagS, LAG_S, lag => ({ what: `Replication is ${seconds(lag)} behind` })),
    ...past(of.diskUsed, DISK, used => ({ what: `The disk that its data is on is ${ratio(used)} full` })),
  ]
}

function past(
  figure: Figure,
  from: { readonly warn?: number; readonly bad?: number },
  say: (figure: number) => Omit<Concern, 'tone'>,
): readonly Concern[] {
  if (figure === null) return []
  if (figure >= (from.bad ?? Number.POSITIVE_INFINITY)) return [{ tone: 'bad', ...say(figure) }]
  return figure >= (from.warn ?? Number.POSITIVE_INFINITY) ? [{ tone: 'warn', ...say(figure) }] : []
}

/** Orders concerns: what is down before what is bad, and that before what is worth a look. */
export const byWeight = (a: Concern, b: Concern): number => weight(b) - weight(a)

const weight = ({ tone, isDown }: Concern): number => Number(tone === 'bad') + Number(isDown === true)
