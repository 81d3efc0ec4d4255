/** Who a server is, and who we are there: what the other questions of a look are made of. */
import { ServerFault } from '../databases/errors.js'
import type { Asking } from '../ports.js'

export interface Identity {
  readonly started_at_ms: number
  readonly uptime_s: number
  readonly role: string
  /** The role as SQL spells it. */
  readonly grantee: string
  readonly is_superuser: boolean
  readonly is_monitor: boolean
  readonly can_signal: boolean
  /** It sees what sessions of others do. */
  readonly sees_sessions: boolean
  readonly sees_wal_directory: boolean
  /** null: it may not be seen. */
  readonly data_directory: string | null
  readonly connections_max: number
  readonly connections_reserved: number
  readonly extensions: readonly string[]
}

/** reserved_connections came with 16; a superuser has every role. */
const SQL = `
  select
    extract(epoch from pg_postmaster_start_time())::float8 * 1000 as started_at_ms,
    extract(epoch from clock_timestamp() - pg_postmaster_start_time())::float8 as uptime_s,
    current_user::text as role,
    quote_ident(current_user) as grantee,
    coalesce((select rolsuper from pg_roles where rolname = current_user), false) as is_superuser,
    pg_has_role(current_user, 'pg_monitor', 'usage') as is_monitor,
    pg_has_role(current_user, 'pg_signal_backend', 'usage') as can_signal,
    pg_has_role(current_user, 'pg_read_all_stats', 'usage') as sees_sessions,
    has_function_privilege('pg_ls_waldir()', 'execute') as sees_wal_directory,
    case when pg_has_role(current_user, 'pg_read_all_settings', 'usage')
      then current_setting('data_directory') end as data_directory,
    current_setting('max_connections')::int as connections_max,
    current_setting('superuser_reserved_connections')::int
      + coalesce(current_setting('reserved_connections', true), '0')::int as connections_reserved,
    array(select extname::text from pg_extension order by extname) as extensions`

/** Resolves with who a server is; rejects when it does not even tell that. */
export async function identityOf(db: Asking): Promise<Identity> {
  const [identity] = await db.ask<Identity>(SQL)
  if (identity === undefined) throw new ServerFault('SERVER_REFUSED', 'it does not say who it is')
  return identity
}
