/**
 * What a DBA who looks at a server for the first time would say: settings that lose data, and states that end badly when
 * nobody acts. Each says what was found, what to do, and where PostgreSQL’s manual says so. Thresholds are where there is
 * still time.
 */
import type { Asking } from '../ports.js'
import type { Advice } from './forms.js'

export interface Facts {
  readonly kind: Asking['kind']
  readonly fsync: boolean
  readonly full_page_writes: boolean
  readonly autovacuum: boolean
  readonly connections: number
  /** For those who are no superusers. */
  readonly connections_max: number
  /** Sessions that have been idle in a transaction for longer than `IDLE_MINUTES`. */
  readonly idle_in_transaction: number
  /** Transactions since the oldest row of any database was frozen. */
  readonly freeze_age: number
  readonly blocks_hit: number | null
  readonly blocks_read: number | null
  /** Replication slots that nobody reads. */
  readonly slots: readonly { readonly name: string; readonly retained_bytes: number }[]
  /** Of the database that was asked. */
  readonly invalid_indexes: readonly string[]
}

/** After so long, somebody forgot to commit, minutes. */
const IDLE_MINUTES = 5
/** Share of the limit: at 1 new sessions are refused. */
const CONNECTIONS_SHARE = 0.8
/** Autovacuum freezes from 200 million on; who is so far beyond has vacuum held up. It stops at 2,000 million. */
const FREEZE_AGE = 500_000_000
/** From here on, vacuum gives up everything else for it (`vacuum_failsafe_age`). */
const FREEZE_AGE_FAILSAFE = 1_600_000_000
/** WAL that is kept for nobody, bytes. */
const RETAINED_BYTES = 1e9
/** Below, what is used often does not fit into the memory that there is. */
const HIT_RATIO = 0.9
/** Reads below this number say nothing of a cache: it was not full yet. */
const BLOCKS_READ = 1_000_000

/** Invalid indexes of one answer. */
const INDEXES_MAX = 20

const FACTS = `
select current_setting('fsync')::bool as fsync, current_setting('full_page_writes')::bool as full_page_writes,
  current_setting('autovacuum')::bool and current_setting('track_counts')::bool as autovacuum,
  (select count(*)::int from pg_catalog.pg_stat_activity where datid is not null and pid <> pg_backend_pid()) as connections,
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as connections_max,
  (select count(*)::int from pg_catalog.pg_stat_activity where state like 'idle in transaction%'
    and clock_timestamp() - state_change > interval '${IDLE_MINUTES} minutes') as idle_in_transaction,
  (select max(age(datfrozenxid))::float8 from pg_catalog.pg_database) as freeze_age,
  (select sum(blks_hit)::float8 from pg_catalog.pg_stat_database) as blocks_hit,
  (select sum(blks_read)::float8 from pg_catalog.pg_stat_database) as blocks_read,
  coalesce((select json_agg(slot) from (
    select slot_name as name, pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn()
      else pg_current_wal_lsn() end, restart_lsn)::float8 as retained_bytes
    from pg_catalog.pg_replication_slots where not active and restart_lsn is not null
  ) slot), '[]') as slots,
  array(select format('%s.%s', n.nspname, i.relname)
    from pg_catalog.pg_index x
    join pg_catalog.pg_class i on i.oid = x.indexrelid
    join pg_catalog.pg_namespace n on n.oid = i.relnamespace
    -- One that is being made concurrently is not valid yet.
    where not x.indisvalid and i.relkind = 'i'
      and not exists (select from pg_catalog.pg_stat_progress_create_index p where p.relid = x.indrelid)
    order by 1 limit ${INDEXES_MAX}) as invalid_indexes`

/** Resolves with what there is to say of a server. */
export async function askAdvice(db: Asking): Promise<Advice[]> {
  const [facts] = await db.ask<Omit<Facts, 'kind'>>(FACTS)
  return facts === undefined ? [] : adviceOf({ ...facts, kind: db.kind })
}

/** Returns what there is to say, what is worst first. */
export function adviceOf(facts: Facts): Advice[] {
  const { connections, connections_max: max, idle_in_transaction: idle, freeze_age: age } = facts
  const hits = facts.blocks_hit ?? 0
  const reads = facts.blocks_read ?? 0
  const told: readonly (Advice | false)[] = [
    // The embedded database is kept and vacuumed by the coordinator.
    facts.kind === 'postgres' &&
      !facts.fsync &&
      advice('error', 'fsync_off', [
        'fsync is off: after a crash of the machine the whole cluster may be unreadable',
        'Set `fsync = on` and reload; for faster commits `synchronous_commit = off` loses at most the last moments.',
      ]),
    facts.kind === 'postgres' &&
      !facts.full_page_writes &&
      advice('error', 'full_page_writes_off', [
        'full_page_writes is off: after a crash of the machine pages may be half old and half new',
        'Set `full_page_writes = on` and reload, unless the file system writes pages whole.',
      ]),
    facts.kind === 'postgres' &&
      !facts.autovacuum &&
      advice('error', 'autovacuum_off', [
        'autovacuum is off, or track_counts, without which it knows of nothing: tables grow, and plans go by old statistics',
        'Set `autovacuum = on` and `track_counts = on` and reload.',
      ]),
    age >= FREEZE_AGE &&
      advice(age >= FREEZE_AGE_FAILSAFE ? 'error' : 'warn', 'wraparound', [
        `${millions(age)} million transactions since the oldest row was frozen: at 2,000 million it takes no more`,
        'End old transactions, prepared transactions and slots that nobody reads; then `VACUUM FREEZE` the tables with the greatest age.',
      ]),
    ...facts.slots
      .filter(({ retained_bytes }) => retained_bytes >= RETAINED_BYTES)
      .map(({ name, retained_bytes }) =>
        advice('error', 'slot_inactive', [
          `nobody reads the replication slot ${name}, for which ${gigabytes(retained_bytes)} GB of WAL are kept`,
          'Start its reader, or `SELECT pg_drop_replication_slot(…)`; `max_slot_wal_keep_size` bounds what is kept.',
        ]),
      ),
    connections >= max * CONNECTIONS_SHARE &&
      advice('warn', 'connections', [
        `${connections} of ${max} connections are taken: with all of them nobody else gets in`,
        'End those that are idle for long, or put a pool before it; more connections cost memory and need a restart.',
      ]),
    idle > 0 &&
      advice('warn', 'idle_in_transaction', [
        `${idle} sessions have been idle in a transaction for more than ${IDLE_MINUTES} minutes: they hold locks, and vacuum removes nothing that is younger`,
        'Have the application commit, or end them; `idle_in_transaction_session_timeout` does it by itself.',
      ]),
    ...facts.invalid_indexes.map(name =>
      advice('warn', 'invalid_index', [
        `the index ${name} is invalid: it is kept up to date and used for nothing`,
        'It is left of a `CREATE INDEX CONCURRENTLY` that failed: `REINDEX INDEX CONCURRENTLY` makes it whole, `DROP INDEX` ends it.',
      ]),
    ),
    reads >= BLOCKS_READ &&
      hits / (hits + reads) < HIT_RATIO &&
      advice('warn', 'cache_misses', [
        `${percent(hits / (hits + reads))} % of the blocks that were wanted were in shared_buffers, since the figures were reset`,
        'See which statements read most; with memory to spare, a quarter of it is a good beginning for `shared_buffers`.',
      ]),
  ]
  return told.filter(each => each !== false).sort((a, b) => LEVELS[a.level] - LEVELS[b.level])
}

const LEVELS = { error: 0, warn: 1 } as const

const MANUAL = 'https://www.postgresql.org/docs/current'
const SOURCES = {
  fsync_off: `${MANUAL}/runtime-config-wal.html#GUC-FSYNC`,
  full_page_writes_off: `${MANUAL}/runtime-config-wal.html#GUC-FULL-PAGE-WRITES`,
  autovacuum_off: `${MANUAL}/routine-vacuuming.html#AUTOVACUUM`,
  wraparound: `${MANUAL}/routine-vacuuming.html#VACUUM-FOR-WRAPAROUND`,
  slot_inactive: `${MANUAL}/runtime-config-replication.html#GUC-MAX-SLOT-WAL-KEEP-SIZE`,
  connections: `${MANUAL}/runtime-config-connection.html#GUC-MAX-CONNECTIONS`,
  idle_in_transaction: `${MANUAL}/runtime-config-client.html#GUC-IDLE-IN-TRANSACTION-SESSION-TIMEOUT`,
  invalid_index: `${MANUAL}/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY`,
  cache_misses: `${MANUAL}/runtime-config-resource.html#GUC-SHARED-BUFFERS`,
} as const

const advice = (
  level: Advice['level'],
  code: keyof typeof SOURCES,
  [found, action]: readonly [string, string],
): Advice => ({ code, level, found, action, source: SOURCES[code] })

const millions = (count: number): string => Math.floor(count / 1e6).toLocaleString('en')
const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1)
const percent = (ratio: number): string => (ratio * 100).toFixed(0)
