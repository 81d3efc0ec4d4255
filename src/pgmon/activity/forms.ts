/** What goes on in a server, as it is answered. Durations in s, sizes in bytes, ratios from 0 to 1. */
import { z } from 'zod'
import { moment } from '../../http/fields.js'
import { figure, text, unknown } from '../forms.js'

export const STATES = [
  'active',
  'idle',
  'idle in transaction',
  'idle in transaction (aborted)',
  'fastpath function call',
  'disabled',
] as const

export const Session = z
  .object({
    pid: z.int().meta({ description: '0: a prepared transaction, which is of no process.' }),
    database: text,
    user: text,
    application: text,
    client: text.meta({
      description: 'Address and port; null: a local socket, or a process of the server itself.',
    }),
    kind: z.string().meta({ description: '`client backend`, `autovacuum worker`, …' }),
    state: text,
    wait: text.meta({ description: '`Lock: transactionid`; null: it does not wait.' }),
    started_at: moment
      .nullable()
      .meta({ description: 'Of the session, to the microsecond: names it together with its pid.' }),
    transaction_s: figure,
    query_s: figure.meta({
      description: 'How long the query runs, or has been over when the session is idle.',
    }),
    query: text.meta({
      description:
        'Cut at 4,096 characters, `***` where it has a password; null: it may not be seen, as by viewers.',
    }),
    blocked_by: z.array(z.int()),
    is_ours: z.boolean().meta({ description: 'It is one of the monitor’s own.' }),
  })
  .meta({ id: 'Session' })
export type Session = z.output<typeof Session>

export const Activity = z
  .object({
    name: z.string(),
    checked_at: moment,
    total: z.int().meta({ description: 'Sessions that meet the filters; the first 500 are told.' }),
    sessions: z.array(Session).meta({ description: 'Active ones first, of these the longest.' }),
    unknown,
  })
  .meta({ id: 'Activity' })
export type Activity = z.output<typeof Activity>

/** What `POST …/activity/{pid}/cancel` and `…/terminate` answer. */
export const Signalled = z
  .object({
    outcome: z.literal('signalled').meta({
      description: 'The session was told; it ends what it does at the next place where it looks.',
    }),
    server: z.string(),
    session: Session,
    note: text.meta({ description: 'What else it means, when it was one of the coordinator’s own.' }),
  })
  .meta({ id: 'Signalled' })
export type Signalled = z.output<typeof Signalled>

/** Who waits for whom: roots hold what the others want. */
export interface Waiting {
  session: Session
  /** What it waits for; null: for nothing. */
  lock: { mode: string; type: string; relation: string | null } | null
  waited_s: number | null
  /** It stands elsewhere too, and those that wait for it are told there. */
  is_repeated: boolean
  waiting: Waiting[]
}
export const Waiting: z.ZodType<Waiting> = z.lazy(() => WaitingForm).meta({ id: 'Waiting' })
const WaitingForm = z.object({
  session: Session,
  lock: z.object({ mode: z.string(), type: z.string(), relation: text }).nullable(),
  waited_s: figure.meta({ description: 'Since PostgreSQL 14.' }),
  is_repeated: z
    .boolean()
    .meta({ description: 'It stands elsewhere too, and those that wait for it are told there.' }),
  get waiting() {
    return z.array(Waiting)
  },
})

export const Locks = z
  .object({
    name: z.string(),
    checked_at: moment,
    blocked: z.int().meta({ description: 'Sessions that wait for another one’s lock.' }),
    tree: z.array(Waiting).meta({
      description:
        'Roots hold what those below them wait for. A session that waits for several stands below each; a circle is cut where it closes.',
    }),
    left_out: z.int().meta({
      description: 'Sessions for which a tree of 1,000 places and 32 levels has no room.',
    }),
    unknown,
  })
  .meta({ id: 'Locks' })
export type Locks = z.output<typeof Locks>

export const STATEMENT_ORDERS = ['time', 'calls', 'reads'] as const
export type StatementOrder = (typeof STATEMENT_ORDERS)[number]

export const Statement = z
  .object({
    id: text.meta({ description: '`queryid`; null: it may not be seen.' }),
    database: text,
    user: text,
    query: text.meta({ description: 'Constants are `$1`; null: it may not be seen, as by viewers.' }),
    calls: z.number(),
    total_ms: z.number(),
    mean_ms: z.number(),
    max_ms: z.number(),
    rows: z.number(),
    blocks_hit: z.number(),
    blocks_read: z.number(),
    cache_hit_ratio: figure,
    read_ms: figure.meta({ description: 'Waiting for what it read; null: `track_io_timing` is off.' }),
    temp_blocks: z.number(),
    time_ratio: z.number().meta({ description: 'Of all statements’ time.' }),
  })
  .meta({ id: 'Statement' })
export type Statement = z.output<typeof Statement>

export const Statements = z
  .object({
    name: z.string(),
    checked_at: moment,
    since: moment.nullable().meta({ description: 'When its figures were last reset.' }),
    statements: z.array(Statement),
    unknown: unknown.meta({ description: 'Says how to install pg_stat_statements where it is not.' }),
  })
  .meta({ id: 'Statements' })
export type Statements = z.output<typeof Statements>

export const Table = z
  .object({
    schema: z.string(),
    name: z.string(),
    total_bytes: z.number().meta({ description: 'With its indexes and its TOAST.' }),
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

export const UnusedIndex = z
  .object({ schema: z.string(), table: z.string(), name: z.string(), size_bytes: z.number() })
  .meta({ id: 'UnusedIndex' })
export type UnusedIndex = z.output<typeof UnusedIndex>

export const Tables = z
  .object({
    server: z.string(),
    name: z.string(),
    checked_at: moment,
    tables: z.array(Table).meta({ description: 'The 50 largest, the largest first.' }),
    unused_indexes: z.array(UnusedIndex).meta({
      description:
        'The 20 largest that nothing was looked up in, and that enforce nothing. Replicas count for themselves.',
    }),
    counted_since: moment.nullable().meta({
      description: 'Since when it is counted what is used; null: since the database was made.',
    }),
    unknown,
  })
  .meta({ id: 'MonitoredTables' })
export type Tables = z.output<typeof Tables>

export const Advice = z
  .object({
    code: z.string().meta({ description: 'For programs: `fsync_off`, `wraparound`, …' }),
    level: z.enum(['warn', 'error']),
    found: z.string(),
    action: z.string(),
    source: z.string().meta({ description: 'Where PostgreSQL’s manual says so.' }),
  })
  .meta({ id: 'Advice' })
export type Advice = z.output<typeof Advice>

export const AdviceList = z
  .object({ name: z.string(), checked_at: moment, advice: z.array(Advice) })
  .meta({ id: 'AdviceList' })
export type AdviceList = z.output<typeof AdviceList>
