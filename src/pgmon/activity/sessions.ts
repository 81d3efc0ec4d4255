/** The sessions of a server: `pg_stat_activity`, as it is answered. */
import type { Unknown } from '../forms.js'
import type { Asking } from '../ports.js'
import type { Session, STATES } from './forms.js'
import { masked } from './masking.js'
import { momentSql } from './moment-sql.js'

/** Sessions of one answer. */
export const SESSIONS_MAX = 500

/** Whether the caller may see the text of queries: it may hold what customers own. */
export type Sight = 'text' | 'no text'

export interface SessionFilters {
  readonly state?: (typeof STATES)[number] | undefined
  readonly database?: string | undefined
  /** Its transaction or its query has run so long, or its last query has been over so long, s. */
  readonly minS?: number | undefined
}

/** A session as `SESSION_COLUMNS` tell it. */
export interface SessionRow {
  readonly pid: number
  readonly database: string | null
  readonly user: string | null
  readonly application: string | null
  readonly client: string | null
  readonly kind: string | null
  readonly state: string | null
  readonly wait: string | null
  readonly started_at: string | null
  readonly transaction_s: number | null
  readonly query_s: number | null
  readonly query: string | null
  readonly blocked_by: readonly number[]
  readonly is_ours: boolean
}

/** When a session began, as it is told and compared. */
export const STARTED_AT = momentSql('a.backend_start', 'US')

/** Of `pg_stat_activity a`. Whose application bears our name, but has another user, is not ours. */
export const SESSION_COLUMNS = `
  a.pid, a.datname as database, a.usename as user, a.application_name as application,
  case when family(a.client_addr) = 6 then '[' || host(a.client_addr) || ']' else host(a.client_addr) end
    || ':' || a.client_port as client,
  a.backend_type as kind, a.state, a.wait_event_type || ': ' || a.wait_event as wait, ${STARTED_AT} as started_at,
  extract(epoch from clock_timestamp() - a.xact_start)::float8 as transaction_s,
  extract(epoch from clock_timestamp() - case when a.state in ('active', 'fastpath function call')
    then a.query_start else a.state_change end)::float8 as query_s,
  left(a.query, 4096) as query,
  a.pid = pg_backend_pid() or (a.application_name = 'boson monitor' and a.usename = current_user) as is_ours`

const ACTIVITY = `
with session as materialized (
  select ${SESSION_COLUMNS},
    -- It locks what all sessions wait by: asked only for those that wait.
    case when a.wait_event_type = 'Lock' then pg_blocking_pids(a.pid) else '{}' end as blocked_by
  from pg_catalog.pg_stat_activity a
)
select *, count(*) over ()::int as total from session
where ($1::text is null or state = $1) and ($2::text is null or database = $2)
  and ($3::float8 is null or greatest(transaction_s, query_s) >= $3)
order by case when state in ('active', 'fastpath function call') and kind is distinct from 'walsender' then 0
    when state like 'idle in transaction%' then 1 when state is not null then 2 else 3 end,
  greatest(transaction_s, query_s) desc nulls last, pid
limit $4`

/** Resolves with the sessions that meet the filters, active ones first and of these the longest, and with how many there are. */
export async function sessionsOf(db: Asking, filters: SessionFilters, sight: Sight) {
  const { state = null, database = null, minS = null } = filters
  const rows = await db.ask<SessionRow & { readonly total: number }>(ACTIVITY, [
    state,
    database,
    minS,
    SESSIONS_MAX,
  ])
  return {
    total: rows[0]?.total ?? 0,
    sessions: rows.map(row => sessionOf(row, sight)),
    unknown: unseenOf(rows, sight),
  }
}

/** Returns a session as it is answered. */
export const sessionOf = (row: SessionRow, sight: Sight): Session => ({
  pid: row.pid,
  database: row.database,
  user: row.user,
  application: row.application,
  client: row.client,
  kind: row.kind ?? 'unknown',
  state: row.state,
  wait: row.wait,
  started_at: row.started_at,
  transaction_s: row.transaction_s,
  query_s: row.query_s,
  query: row.query === null || isHidden(row) || sight === 'no text' ? null : masked(row.query),
  blocked_by: [...row.blocked_by],
  is_ours: row.is_ours,
})

/** Of sessions of others, a role without rights is told who they are, and nothing else. */
const isHidden = ({ started_at }: SessionRow): boolean => started_at === null

/** Returns what of these sessions the caller does not see, and why. */
export function unseenOf(rows: readonly SessionRow[], sight: Sight): Unknown[] {
  const hidden = rows.filter(isHidden).length
  return [
    ...(sight === 'no text' ? [HIDDEN_TEXTS] : []),
    ...(hidden > 0
      ? [
          {
            what: 'sessions',
            why: `what ${hidden} of them do may be seen by members of pg_monitor: \`GRANT pg_monitor TO …\` to the role that we ask as`,
          },
        ]
      : []),
  ]
}

export const HIDDEN_TEXTS: Unknown = {
  what: 'query',
  why: 'texts of queries may hold customers’ data: the role operator is wanted',
}
