/**
 * What a server tells of itself, as it is answered. Durations in s, sizes in bytes, ratios from 0 to 1. A figure is null
 * where it is not known; why not, `unknown` says.
 */
import { z } from 'zod'
import { moment } from '../../http/fields.js'
import { Table } from '../activity/forms.js'
import { figure, text, unknown } from '../forms.js'
import { STATUSES } from '../servers/forms.js'

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
      description:
        'Transactions since its oldest row was frozen; near 2,100,000,000 it takes no more writes.',
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
