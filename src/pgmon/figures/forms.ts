/**
 * What a server tells of itself, as it is answered. Durations in s, sizes in bytes, ratios from 0 to 1. A figure is null
 * where it is not known; why not, `unknown` says.
 */
import { z } from 'zod'
import { moment } from '../../http/fields.js'
import { STATUSES } from '../servers/forms.js'

const figure = z.number().nullable()
const text = z.string().nullable()

export const Unknown = z
  .object({
    what: z.string().meta({ description: 'A part of the answer: `wal`, `replication`, `statements`.' }),
    why: z
      .string()
      .meta({ description: 'In words: a right that is missing, an extension, the embedded database.' }),
  })
  .meta({ id: 'Unknown' })
export type Unknown = z.output<typeof Unknown>
const unknown = z.array(Unknown)

export const Disk = z
  .object({
    mount: z.string(),
    filesystem: z.string(),
    size_bytes: z.number(),
    used_bytes: z.number(),
    available_bytes: z.number(),
    holds_data: z.boolean().meta({ description: 'The data directory is on it.' }),
  })
  .meta({ id: 'Disk' })
export type Disk = z.output<typeof Disk>

/** Of one database, or of all of a server. Rates are of the time between the last two looks. */
const work = {
  commits_per_s: figure,
  rollbacks_per_s: figure,
  cache_hit_ratio: figure.meta({ description: 'Of the time between the last two looks.' }),
  tuples_read_per_s: figure,
  tuples_written_per_s: figure,
  temp_bytes_per_s: figure,
  deadlocks_per_s: figure,
}

/** The same since the figures of the database were last reset. */
const counts = {
  commits: figure,
  rollbacks: figure,
  blocks_hit: figure,
  blocks_read: figure,
  tuples_returned: figure,
  tuples_fetched: figure,
  tuples_inserted: figure,
  tuples_updated: figure,
  tuples_deleted: figure,
  temp_files: figure,
  temp_bytes: figure,
  deadlocks: figure,
  checksum_failures: figure,
}

export const Connections = z
  .object({
    total: z.int(),
    active: z.int(),
    idle: z.int(),
    idle_in_transaction: z.int(),
    other: z.int().meta({ description: 'Fast path calls, and sessions whose state may not be seen.' }),
    waiting: z.int().meta({ description: 'Active ones that wait for a lock.' }),
    max: figure.meta({ description: '`max_connections`.' }),
    reserved: figure.meta({ description: 'Of these, for superusers and reserved roles.' }),
  })
  .meta({ id: 'Connections' })

export const Wal = z
  .object({
    lsn: text,
    bytes_per_s: figure,
    directory_bytes: figure,
    files: figure,
    archive_failures: figure,
    last_archived_at: moment.nullable(),
  })
  .meta({ id: 'Wal' })

export const Replication = z
  .object({
    is_replica: z.boolean(),
    lag_s: figure.meta({
      description: 'Of a replica: how old what it last replayed is, 0 when it has everything.',
    }),
    lag_bytes: figure,
    receiver: text.meta({ description: 'State of the WAL receiver of a replica.' }),
    replicas: z.array(
      z.object({
        name: z.string(),
        address: text,
        state: text,
        sync: text,
        lag_bytes: figure,
        write_lag_s: figure,
        flush_lag_s: figure,
        replay_lag_s: figure,
      }),
    ),
    slots: z.array(
      z.object({
        name: z.string(),
        type: z.string(),
        database: text,
        active: z.boolean(),
        wal_status: text,
        retained_bytes: figure,
      }),
    ),
  })
  .meta({ id: 'Replication' })

export const DatabaseRow = z
  .object({
    name: z.string(),
    owner: text,
    connections: figure,
    size_bytes: figure,
    ...work,
    ...counts,
    freeze_age: figure.meta({
      description: 'Transactions since its oldest row was frozen; at 2,000,000,000 it stops.',
    }),
    stats_reset_at: moment.nullable(),
  })
  .meta({ id: 'MonitoredDatabase' })
export type DatabaseRow = z.output<typeof DatabaseRow>

export const ServerStats = z
  .object({
    name: z.string(),
    kind: z.enum(['postgres', 'pglite']),
    is_own: z.boolean(),
    status: z.enum(STATUSES),
    fault: text.meta({ description: 'Why it is down; null: it is not.' }),
    checked_at: moment,
    took_ms: figure,
    version: text.meta({ description: '`15.14`.' }),
    started_at: moment.nullable(),
    uptime_s: figure,
    role: z
      .object({
        name: z.string(),
        is_superuser: z.boolean(),
        is_monitor: z.boolean().meta({ description: 'It is a member of pg_monitor.' }),
        can_signal: z.boolean().meta({ description: 'It may cancel and terminate sessions of others.' }),
      })
      .nullable(),
    connections: Connections.nullable(),
    oldest_transaction_s: figure,
    longest_query_s: figure,
    blocked: figure.meta({ description: 'Sessions that wait for another one’s lock.' }),
    ...work,
    ...counts,
    freeze_age: figure,
    size_bytes: figure.meta({ description: 'Of all of its databases.' }),
    wal: Wal.nullable(),
    replication: Replication.nullable(),
    disks: z.array(Disk).nullable(),
    databases: z.array(DatabaseRow),
    extensions: z.array(z.string()).meta({ description: 'In the database that it is known by.' }),
    unknown,
  })
  .meta({ id: 'ServerStats' })
export type ServerStats = z.output<typeof ServerStats>

export const Session = z
  .object({
    pid: z.int(),
    database: text,
    user: text,
    application: text,
    client: text.meta({
      description: 'Address and port; null: a local socket, or a process of the server itself.',
    }),
    kind: z.string().meta({ description: '`client backend`, `autovacuum worker`, …' }),
    state: text,
    wait: text.meta({ description: '`Lock: transactionid`; null: it does not wait.' }),
    started_at: moment.nullable().meta({ description: 'Of the session: names it together with its pid.' }),
    transaction_s: figure,
    query_s: figure.meta({
      description: 'How long the query runs, or has been over when the session is idle.',
    }),
    query: text.meta({ description: 'Cut at 4,096 characters; null: it may not be seen.' }),
    blocked_by: z.array(z.int()),
    is_ours: z.boolean().meta({ description: 'It is one of the monitor’s own.' }),
  })
  .meta({ id: 'Session' })
export type Session = z.output<typeof Session>

export const Activity = z
  .object({ name: z.string(), checked_at: moment, sessions: z.array(Session), unknown })
  .meta({ id: 'Activity' })

/** Who waits for whom: roots wait for nobody, and hold what the others want. */
export interface Waiting {
  session: Session
  /** What it waits for; null: for nothing. */
  lock: { mode: string; type: string; relation: string | null } | null
  waited_s: number | null
  waiting: Waiting[]
}
export const Waiting: z.ZodType<Waiting> = z.lazy(() => WaitingForm).meta({ id: 'Waiting' })
const WaitingForm = z.object({
  session: Session,
  lock: z.object({ mode: z.string(), type: z.string(), relation: text }).nullable(),
  waited_s: figure,
  get waiting() {
    return z.array(Waiting)
  },
})

export const Locks = z
  .object({
    name: z.string(),
    checked_at: moment,
    blocked: z.int(),
    tree: z.array(Waiting).meta({
      description:
        'Roots hold what those below them wait for. A session that waits for several stands below each; a circle is cut where it closes.',
    }),
    unknown,
  })
  .meta({ id: 'Locks' })

export const STATEMENT_ORDERS = ['time', 'calls', 'reads'] as const

export const Statements = z
  .object({
    name: z.string(),
    checked_at: moment,
    since: moment.nullable().meta({ description: 'When its figures were last reset.' }),
    statements: z.array(
      z.object({
        id: z.string(),
        database: text,
        user: text,
        query: z.string(),
        calls: z.number(),
        total_ms: z.number(),
        mean_ms: z.number(),
        max_ms: z.number(),
        rows: z.number(),
        blocks_hit: z.number(),
        blocks_read: z.number(),
        cache_hit_ratio: figure,
        temp_blocks: z.number(),
        time_ratio: z.number().meta({ description: 'Of all statements’ time.' }),
      }),
    ),
    unknown: unknown.meta({ description: 'Says how to install pg_stat_statements where it is not.' }),
  })
  .meta({ id: 'Statements' })

export const Table = z
  .object({
    schema: z.string(),
    name: z.string(),
    total_bytes: z.number(),
    table_bytes: z.number(),
    index_bytes: z.number(),
    live_rows: z.number(),
    dead_rows: z.number(),
    bloat_bytes: figure.meta({
      description: 'Estimated from the planner’s statistics: wrong by a tenth at best.',
    }),
    sequential_scans: figure,
    index_scans: figure,
    last_vacuum_at: moment.nullable().meta({ description: 'By hand or by autovacuum.' }),
    last_analyze_at: moment.nullable(),
    freeze_age: z.number(),
  })
  .meta({ id: 'MonitoredTable' })
export type Table = z.output<typeof Table>

export const DatabaseStats = z
  .object({
    server: z.string(),
    name: z.string(),
    checked_at: moment,
    database: DatabaseRow,
    tables: z.array(Table).meta({ description: 'The largest first.' }),
    unknown,
  })
  .meta({ id: 'DatabaseStats' })
export type DatabaseStats = z.output<typeof DatabaseStats>
