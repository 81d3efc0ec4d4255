/** What the sessions of a server do: how many of each kind, and the oldest of them. */
import type { Asking } from '../ports.js'
import type { Identity } from './identity.js'

export interface Sessions {
  readonly total: number
  readonly active: number
  readonly idle: number
  readonly idle_in_transaction: number
  readonly waiting: number
  readonly blocked: number
  /** null: what sessions of others do may not be seen. */
  readonly oldest_transaction_s: number | null
  readonly longest_query_s: number | null
}

/**
 * What a session of another role is for may be hidden: then it is a client when it has a database and a user. The embedded
 * database calls its only one a standalone backend. The table of locks is read only when somebody waits, or might.
 * A prepared transaction belongs to no session, and holds back as much as one that does.
 */
const SQL = `
  with session as materialized (
    select pid, state, wait_event_type, xact_start, query_start,
      case when backend_type is null then datid is not null and usesysid is not null
        else backend_type in ('client backend', 'standalone backend') end as is_client
    from pg_stat_activity
  )
  select
    count(*) filter (where is_client)::int as total,
    count(*) filter (where is_client and state = 'active')::int as active,
    count(*) filter (where is_client and state = 'idle')::int as idle,
    count(*) filter (where is_client and state like 'idle in transaction%')::int as idle_in_transaction,
    count(*) filter (where is_client and state = 'active' and wait_event_type = 'Lock')::int as waiting,
    case when $1::boolean and count(*) filter (where wait_event_type = 'Lock') = 0 then 0
      else (select count(distinct pid) from pg_locks where not granted) end::int as blocked,
    case when $1::boolean then coalesce(extract(epoch from clock_timestamp() - least(
        min(xact_start) filter (where is_client and pid <> pg_backend_pid()),
        (select min(prepared) from pg_prepared_xacts)
      )), 0) end::float8 as oldest_transaction_s,
    case when $1::boolean then coalesce(extract(epoch from clock_timestamp()
        - min(query_start) filter (where is_client and state = 'active' and pid <> pg_backend_pid())
      ), 0) end::float8 as longest_query_s
  from session`

export async function sessionsOf(db: Asking, { sees_sessions }: Identity): Promise<Sessions | null> {
  const [sessions = null] = await db.ask<Sessions>(SQL, [sees_sessions])
  return sessions
}
