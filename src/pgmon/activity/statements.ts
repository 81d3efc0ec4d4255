/** Which statements cost a server most: `pg_stat_statements`, in whichever version is installed. */
import pg from 'pg'
import { HttpError } from '../../http/faults.js'
import type { Unknown } from '../forms.js'
import type { Asking, Server } from '../ports.js'
import type { Statement, StatementOrder } from './forms.js'
import { masked } from './masking.js'
import { momentSql } from './moment-sql.js'
import { HIDDEN_TEXTS, type Sight } from './sessions.js'
import { isRefusal, NO_RIGHT, NOT_LOADED } from './sql-state.js'

export interface StatementQuery {
  readonly by: StatementOrder
  readonly limit: number
}

/** Where the extension is, and which columns it has. */
interface Extension {
  /** A name as SQL spells it. */
  readonly schema: string
  /** Of version 1: 8 is 1.8. */
  readonly minor: number
}

const INSTALLED = `
select n.nspname as schema, e.extversion as version
from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
where e.extname = 'pg_stat_statements'`

const ORDERS: Readonly<Record<StatementOrder, string>> = {
  time: 'total_ms',
  calls: 'calls',
  reads: 'blocks_read',
}

/** 1.8 (PostgreSQL 13) took planning apart from execution, 1.11 (17) shared blocks from local ones. */
const statementOf = ({ schema, minor }: Extension, by: StatementOrder) => {
  const time = minor >= 8 ? 'exec_time' : 'time'
  return `
with statement as (
  select s.queryid::text as id, d.datname as database, r.rolname as user, left(s.query, 4096) as query,
    s.calls, s.total_${time} as total_ms, s.mean_${time} as mean_ms, s.max_${time} as max_ms, s.rows,
    s.shared_blks_hit as blocks_hit, s.shared_blks_read as blocks_read,
    case when current_setting('track_io_timing')::bool
      then s.${minor >= 11 ? 'shared_blk_read_time' : 'blk_read_time'} end as read_ms,
    s.temp_blks_read + s.temp_blks_written as temp_blocks,
    coalesce(s.total_${time} / nullif(sum(s.total_${time}) over (), 0), 0) as time_ratio
  from ${schema}.pg_stat_statements s
  left join pg_catalog.pg_database d on d.oid = s.dbid
  left join pg_catalog.pg_roles r on r.oid = s.userid
)
select * from statement order by ${ORDERS[by]} desc, id limit $1`
}

const sinceOf = ({ schema }: Extension) =>
  `select ${momentSql('stats_reset')} as since from ${schema}.pg_stat_statements_info`

type StatementRow = Omit<Statement, 'cache_hit_ratio'>

/** Resolves with the statements that cost most since the figures were reset. */
export async function statementsOf(db: Asking, server: Server, { by, limit }: StatementQuery, sight: Sight) {
  const extension = await extensionOf(db)
  if (extension === null) return { since: null, statements: [], unknown: [notInstalled(db, server)] }
  try {
    const rows = await db.ask<StatementRow>(statementOf(extension, by), [limit])
    const told = rows.map(row => ({ ...row, query: textOf(row, sight), cache_hit_ratio: hitRatioOf(row) }))
    // PostgreSQL 14 says since when it counts.
    const [info] = extension.minor >= 9 ? await db.ask<{ since: string | null }>(sinceOf(extension)) : []
    return { since: info?.since ?? null, statements: told, unknown: sight === 'text' ? [] : [HIDDEN_TEXTS] }
  } catch (error) {
    if (!isRefusal(error, NOT_LOADED)) throw error
    return { since: null, statements: [], unknown: [notInstalled(db, server)] }
  }
}

/** Begins to count anew; throws a 409 when there is nothing to reset, or the role may not. */
export async function resetStatements(db: Asking, server: Server): Promise<void> {
  const extension = await extensionOf(db)
  if (extension === null) throw new HttpError(409, 'not_installed', notInstalled(db, server).why)
  try {
    await db.ask(`select ${extension.schema}.pg_stat_statements_reset()`)
  } catch (error) {
    if (isRefusal(error, NOT_LOADED)) throw new HttpError(409, 'not_installed', notInstalled(db, server).why)
    if (!isRefusal(error, NO_RIGHT)) throw error
    throw new HttpError(
      409,
      'server_refused',
      `the role ${server.user} may not reset what is counted: \`GRANT EXECUTE ON FUNCTION pg_stat_statements_reset TO …\` lets it`,
    )
  }
}

async function extensionOf(db: Asking): Promise<Extension | null> {
  const [row] = await db.ask<{ readonly schema: string; readonly version: string }>(INSTALLED)
  if (row === undefined) return null
  // The schema is the server’s own word, and need not be on the search path.
  return { schema: pg.escapeIdentifier(row.schema), minor: Number(row.version.split('.')[1] ?? 0) }
}

const notInstalled = (db: Asking, { database }: Server): Unknown => ({
  what: 'statements',
  why:
    db.kind === 'pglite'
      ? 'the embedded database does not count statements'
      : `pg_stat_statements is not installed in ${database}: put it into \`shared_preload_libraries\` in postgresql.conf, restart PostgreSQL, and there: \`CREATE EXTENSION pg_stat_statements\``,
})

/** Who may not see a statement of others is told neither its text nor its number. */
const textOf = ({ id, query }: StatementRow, sight: Sight): string | null =>
  query === null || id === null || sight === 'no text' ? null : masked(query)

const hitRatioOf = ({ blocks_hit, blocks_read }: StatementRow): number | null =>
  blocks_hit + blocks_read === 0 ? null : blocks_hit / (blocks_hit + blocks_read)
