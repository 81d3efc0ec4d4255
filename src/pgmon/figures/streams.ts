/** The write-ahead log of a server: where it stands, who archives it, and who follows it. */
import type { Asking } from '../ports.js'
import type { ServerStats } from './forms.js'

type Replication = NonNullable<ServerStats['replication']>

export interface Streams {
  /** Written, or on a replica received; null where none has come yet. */
  readonly lsn: string | null
  /** The same, from the beginning of time. */
  readonly lsn_bytes: number | null
  /** When that was, as the server tells the time, s. */
  readonly at_s: number
  readonly is_archived: boolean
  readonly archive_failures: number
  readonly last_archived_at_ms: number | null
  readonly is_replica: boolean
  readonly lag_s: number | null
  readonly lag_bytes: number | null
  readonly receiver: string | null
  readonly replicas: Replication['replicas']
  readonly slots: Replication['slots']
}

/**
 * A replica that has replayed all it received has everything only while it still receives: one that is cut off grows older.
 * The primary forgets the lags of a replica that is up to date for a while.
 */
const SQL = `
  with here as materialized (
    select pg_is_in_recovery() as is_replica,
      case when pg_is_in_recovery() then pg_last_wal_receive_lsn() end as received,
      case when pg_is_in_recovery() then pg_last_wal_replay_lsn() end as replayed,
      case when not pg_is_in_recovery() then pg_current_wal_lsn() end as written
  ), stand as materialized (
    select *, coalesce(written, greatest(received, replayed)) as lsn from here
  )
  select
    lsn::text, pg_wal_lsn_diff(lsn, '0/0')::float8 as lsn_bytes,
    extract(epoch from statement_timestamp())::float8 as at_s,
    current_setting('archive_mode') <> 'off' as is_archived,
    archiver.failed_count::float8 as archive_failures,
    extract(epoch from archiver.last_archived_time)::float8 * 1000 as last_archived_at_ms,
    is_replica,
    case when not is_replica then null
      when receiver.pid is not null and replayed >= received then 0
      else extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp())
    end::float8 as lag_s,
    pg_wal_lsn_diff(greatest(received, replayed, receiver.latest_end_lsn), replayed)::float8 as lag_bytes,
    receiver.status as receiver,
    (select coalesce(json_agg(json_build_object(
        'name', coalesce(nullif(application_name, ''), usename, pid::text),
        'address', host(client_addr),
        'state', state,
        'sync', sync_state,
        'lag_bytes', pg_wal_lsn_diff(lsn, replay_lsn),
        'write_lag_s', case when write_lsn >= lsn then 0 else extract(epoch from write_lag) end,
        'flush_lag_s', case when flush_lsn >= lsn then 0 else extract(epoch from flush_lag) end,
        'replay_lag_s', case when replay_lsn >= lsn then 0 else extract(epoch from replay_lag) end
      ) order by application_name, pid), '[]') from pg_stat_replication) as replicas,
    (select coalesce(json_agg(json_build_object(
        'name', slot_name,
        'type', slot_type,
        'database', database,
        'active', active,
        'wal_status', wal_status,
        'retained_bytes', pg_wal_lsn_diff(lsn, restart_lsn)
      ) order by slot_name), '[]') from pg_replication_slots) as slots
  from stand cross join pg_stat_archiver archiver left join pg_stat_wal_receiver receiver on true`

export async function streamsOf(db: Asking): Promise<Streams | null> {
  const [streams = null] = await db.ask<Streams>(SQL)
  return streams
}
