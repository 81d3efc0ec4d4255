/** The largest tables of a database, and indexes that nothing was looked up in. */
import type { Unknown } from '../forms.js'
import type { Asking } from '../ports.js'
import { bloatOf, type Column } from './bloat.js'
import type { Table, UnusedIndex } from './forms.js'
import { momentSql } from './moment-sql.js'

const TABLES_MAX = 50
const INDEXES_MAX = 20
/** Of a database with more tables, those with most pages by its own record are measured: each costs some system calls. */
const MEASURED_MAX = 2_000

interface TableRow extends Omit<Table, 'bloat_bytes'> {
  readonly oid: number
  readonly heap_bytes: number
  readonly block_size: number
  readonly fill_factor: number
  /** Tables that could not be measured; the same in each row. */
  readonly held: number
}

interface ColumnRow extends Column {
  readonly oid: number
}

/** To measure what somebody changes exclusively, or waits to, would be to wait behind him. */
const HELD = `
held as materialized (
  select distinct l.relation as oid from pg_catalog.pg_locks l
  where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock'
    and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
),
held_table as materialized (
  select oid from held union select x.indrelid from held join pg_catalog.pg_index x on x.indexrelid = held.oid
)`

/** Without what is PostgreSQL’s own, and what is only of one session. */
const OURS = `c.relpersistence <> 't' and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`

/**
 * Rows as the cumulative statistics count them; where these were lost, as after a crash, as the planner does: then nothing
 * has been vacuumed or analyzed as far as they know, though the planner does know the table.
 */
const TABLES = `
with ${HELD},
candidate as materialized (
  select c.oid, n.nspname, c.relname, c.reltuples, c.reltoastrelid, c.reloptions,
    greatest(age(c.relfrozenxid), age(t.relfrozenxid)) as freeze_age,
    c.oid in (select oid from held_table) or c.reltoastrelid in (select oid from held_table) as is_held
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  left join pg_catalog.pg_class t on t.oid = c.reltoastrelid
  where c.relkind in ('r', 'm') and ${OURS}
  order by c.reltuples < 0 desc, c.relpages + coalesce(t.relpages, 0) desc
  limit ${MEASURED_MAX}
),
measured as materialized (
  select *, pg_table_size(oid) as table_bytes, pg_indexes_size(oid) as index_bytes
  from candidate where not is_held
)
select m.oid::int8 as oid, m.nspname as schema, m.relname as name,
  m.table_bytes + m.index_bytes as total_bytes, m.table_bytes, m.index_bytes,
  pg_relation_size(m.oid) as heap_bytes, current_setting('block_size')::int as block_size,
  coalesce((select option_value::int from pg_options_to_table(m.reloptions) where option_name = 'fillfactor'), 100)
    as fill_factor,
  case when m.reltuples >= 0
      and coalesce(s.last_vacuum, s.last_autovacuum, s.last_analyze, s.last_autoanalyze) is null
    then greatest(m.reltuples::float8, s.n_live_tup) else s.n_live_tup::float8 end as live_rows,
  s.n_dead_tup as dead_rows, s.seq_scan as sequential_scans, s.idx_scan as index_scans,
  ${momentSql('greatest(s.last_vacuum, s.last_autovacuum)')} as last_vacuum_at,
  ${momentSql('greatest(s.last_analyze, s.last_autoanalyze)')} as last_analyze_at,
  m.freeze_age, (select count(*) from candidate where is_held) as held
from measured m
join pg_catalog.pg_stat_all_tables s on s.relid = m.oid
where m.table_bytes is not null -- it was dropped just now
order by total_bytes desc, m.oid
limit ${TABLES_MAX}`

/** The planner tells of columns only to who may read them. */
const COLUMNS = `
select a.attrelid::int8 as oid, a.attlen as length, a.attalign as align, s.avg_width as width,
  coalesce(s.null_frac, 0)::float8 as nulls
from pg_catalog.pg_attribute a
join pg_catalog.pg_class c on c.oid = a.attrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_stats s
  on s.schemaname = n.nspname and s.tablename = c.relname and s.attname = a.attname and not s.inherited
where a.attrelid = any ($1::oid[]) and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum`

/** Resolves with the largest tables of a database, the largest first; asks two statements. */
export async function tablesOf(
  db: Asking,
): Promise<{ readonly tables: Table[]; readonly unknown: Unknown[] }> {
  const rows = await db.ask<TableRow>(TABLES)
  const columns = await db.ask<ColumnRow>(COLUMNS, [rows.map(({ oid }) => oid)])
  const byTable = new Map<number, ColumnRow[]>(rows.map(({ oid }) => [oid, []]))
  for (const column of columns) byTable.get(column.oid)?.push(column)
  const tables = rows.map(row => tableOf(row, byTable.get(row.oid) ?? []))
  const unread = tables.filter(({ bloat_bytes }) => bloat_bytes === null).length
  const held = rows[0]?.held ?? 0
  return {
    tables,
    unknown: [
      ...(unread > 0 ? [{ what: 'bloat', why: noStatistics(unread) }] : []),
      ...(held > 0
        ? [{ what: 'tables', why: `${held} are locked exclusively: to measure them would be to wait` }]
        : []),
    ],
  }
}

const noStatistics = (count: number): string =>
  `the planner knows nothing of ${count} of these tables, or tells us nothing: \`ANALYZE\` them, or \`GRANT pg_read_all_data TO …\` to the role that we ask as`

const tableOf = (row: TableRow, columns: readonly Column[]): Table => ({
  schema: row.schema,
  name: row.name,
  total_bytes: row.total_bytes,
  table_bytes: row.table_bytes,
  index_bytes: row.index_bytes,
  live_rows: row.live_rows,
  dead_rows: row.dead_rows,
  bloat_bytes: bloatOf(
    {
      size: row.heap_bytes,
      rows: row.live_rows,
      blockSize: row.block_size,
      fillFactor: row.fill_factor,
    },
    columns,
  ),
  sequential_scans: row.sequential_scans,
  index_scans: row.index_scans,
  last_vacuum_at: row.last_vacuum_at,
  last_analyze_at: row.last_analyze_at,
  freeze_age: row.freeze_age,
})

/** Unique ones enforce something, and those of partitions go with the one of their table. */
const INDEXES = `
with ${HELD}
select n.nspname as schema, c.relname as table, i.relname as name, pg_relation_size(i.oid) as size_bytes
from pg_catalog.pg_index x
join pg_catalog.pg_class i on i.oid = x.indexrelid
join pg_catalog.pg_class c on c.oid = x.indrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_stat_all_indexes s on s.indexrelid = x.indexrelid
where s.idx_scan = 0 and i.relkind = 'i' and x.indisvalid and not x.indisunique and not x.indisexclusion
  and not x.indisreplident and ${OURS} and x.indrelid not in (select oid from held_table)
  and not exists (select from pg_catalog.pg_inherits where inhrelid = i.oid)
order by i.relpages desc, i.oid
limit ${INDEXES_MAX}`

const COUNTED_SINCE = `
select ${momentSql('stats_reset')} as since from pg_catalog.pg_stat_database where datname = current_database()`

/** Resolves with indexes that nothing was looked up in, the largest first, and since when that was counted (null: ever). */
export async function unusedIndexesOf(db: Asking) {
  const indexes = await db.ask<UnusedIndex>(INDEXES)
  const [row] = await db.ask<{ readonly since: string | null }>(COUNTED_SINCE)
  return { unused_indexes: [...indexes], counted_since: row?.since ?? null }
}
