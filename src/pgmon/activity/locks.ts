/** Who waits for whose lock, in one look: sessions, what they wait for, and whom PostgreSQL says they wait for. */
import type { Unknown } from '../forms.js'
import type { Asking } from '../ports.js'
import { relationKey } from './relation-names.js'
import { SESSION_COLUMNS, sessionOf, type SessionRow, type Sight, unseenOf } from './sessions.js'
import { type Knot, treeOf } from './tree.js'

/** A session that waits, or that others wait for. */
export interface LockRow extends SessionRow {
  readonly mode: string | null
  readonly type: string | null
  /** Null for a relation of another database, which has only its number here. */
  readonly relation: string | null
  readonly relation_oid: number | null
  readonly relation_database: string | null
  readonly waited_s: number | null
}

/** Since PostgreSQL 14 it says since when a lock is waited for. */
const statementOf = (version: number) => `
with lock as materialized (select * from pg_catalog.pg_locks),
blocked as materialized (
  select *, pg_blocking_pids(pid) as blocked_by from lock where not granted
),
-- Who waits for a row waits for the transaction that has it; which table it is of, the lock of the row itself says.
waits as (
  select b.*, coalesce(b.relation, t.relation) as table_oid, coalesce(t.database, b.database) as database_oid
  from blocked b left join lateral (
    select l.relation, l.database from lock l where l.pid = b.pid and l.locktype = 'tuple' limit 1
  ) t on b.relation is null
  where cardinality(b.blocked_by) > 0
)
select ${SESSION_COLUMNS}, coalesce(w.blocked_by, '{}') as blocked_by, w.mode, w.locktype as type,
  n.nspname || '.' || c.relname as relation, w.table_oid::int8 as relation_oid, d.datname as relation_database,
  ${version >= 140_000 ? 'extract(epoch from clock_timestamp() - w.waitstart)::float8' : 'null::float8'} as waited_s
from pg_catalog.pg_stat_activity a
left join waits w using (pid)
left join pg_catalog.pg_database d on d.oid = w.database_oid
left join pg_catalog.pg_class c on c.oid = w.table_oid
  and w.database_oid in (0, (select oid from pg_catalog.pg_database where datname = current_database()))
left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where w.pid is not null or a.pid in (select unnest(blocked_by) from waits)
order by waited_s desc nulls last, a.pid`

/** Resolves with all who wait, and all who are waited for. */
export const lockRows = (db: Asking): Promise<readonly LockRow[]> => db.ask<LockRow>(statementOf(db.version))

/** Returns the tree of those that wait; `names` are those of relations of other databases. */
export function locksOf(rows: readonly LockRow[], names: ReadonlyMap<string, string>, sight: Sight) {
  const waiting = rows.filter(({ blocked_by }) => blocked_by.length > 0)
  const isPrepared = waiting.some(({ blocked_by }) => blocked_by.includes(0))
  const knots = rows.map(row => knotOf(row, names, sight))
  const { tree, leftOut } = treeOf(isPrepared ? [PREPARED, ...knots] : knots)
  const unknown: Unknown[] = [...unseenOf(rows, sight), ...(isPrepared ? [WHICH_PREPARED] : [])]
  return { blocked: waiting.length, tree, left_out: leftOut, unknown }
}

const knotOf = (row: LockRow, names: ReadonlyMap<string, string>, sight: Sight): Knot => ({
  session: sessionOf(row, sight),
  lock:
    row.mode === null
      ? null
      : { mode: row.mode, type: row.type ?? 'unknown', relation: relationOf(row, names) },
  waited_s: row.waited_s === null ? null : Math.max(0, row.waited_s),
  blockers: row.blocked_by,
})

function relationOf(row: LockRow, names: ReadonlyMap<string, string>): string | null {
  const { relation, relation_oid: oid, relation_database: database } = row
  if (relation !== null || oid === null || database === null) return relation
  const key = relationKey(database, oid)
  return names.get(key) ?? key
}

/** A transaction that waits for its second phase holds its locks without a process. */
const PREPARED: Knot = {
  session: {
    pid: 0,
    database: null,
    user: null,
    application: null,
    client: null,
    kind: 'prepared transaction',
    state: null,
    wait: null,
    started_at: null,
    transaction_s: null,
    query_s: null,
    query: null,
    blocked_by: [],
    is_ours: false,
  },
  lock: null,
  waited_s: null,
  blockers: [],
}
const WHICH_PREPARED: Unknown = {
  what: 'prepared transaction',
  why: 'PostgreSQL does not say which one is waited for: `select * from pg_prepared_xacts` lists them, `ROLLBACK PREPARED` ends one',
}
