/** What each database of a server has done since its figures were last reset. */
import type { Asking } from '../ports.js'
import type { DatabaseRow } from './forms.js'

/** By the name of the figure, PostgreSQL’s own. */
const COLUMNS = {
  commits: 'xact_commit',
  rollbacks: 'xact_rollback',
  blocks_hit: 'blks_hit',
  blocks_read: 'blks_read',
  tuples_returned: 'tup_returned',
  tuples_fetched: 'tup_fetched',
  tuples_inserted: 'tup_inserted',
  tuples_updated: 'tup_updated',
  tuples_deleted: 'tup_deleted',
  temp_files: 'temp_files',
  temp_bytes: 'temp_bytes',
  deadlocks: 'deadlocks',
  checksum_failures: 'checksum_failures',
} as const satisfies Partial<Record<keyof DatabaseRow, string>>

export type Count = keyof typeof COLUMNS
export const COUNTS = Object.keys(COLUMNS) as readonly Count[] // they are its keys
/** Null where it is not counted: failures of checksums, where there are none. */
export type Counts = { readonly [C in Count]: number | null }

/** What one database has counted until a moment. */
export interface Counted extends Counts {
  readonly id: string
  readonly stats_reset_at_ms: number | null
  /** As the server tells the time, s. */
  readonly at_s: number
}

export interface DatabaseWork extends Counted {
  /** Outlives a change of the name. */
  readonly id: string
  /** null: of what belongs to all databases. */
  readonly name: string | null
  readonly owner: string | null
  readonly connections: number | null
  readonly freeze_age: number | null
}

const SQL = `
  select s.datid::text as id, s.datname::text as name, pg_get_userbyid(d.datdba)::text as owner,
    s.numbackends::int as connections, age(d.datfrozenxid)::float8 as freeze_age,
    extract(epoch from s.stats_reset)::float8 * 1000 as stats_reset_at_ms,
    extract(epoch from statement_timestamp())::float8 as at_s,
    ${COUNTS.map(name => `s.${COLUMNS[name]}::float8 as ${name}`).join(', ')}
  from pg_stat_database s left join pg_database d on d.oid = s.datid
  where $1::text is null or s.datname = $1
  order by s.datname`

/** Resolves with the work of every database, or of the one of this name. */
export const workOf = (db: Asking, name: string | null = null): Promise<readonly DatabaseWork[]> =>
  db.ask<DatabaseWork>(SQL, [name])
