/**
 * How large the databases of a server and its write-ahead log are. The server asks its file system for each file: that is
 * dear where there are many, and is asked once in a while.
 */
import type { Asking } from '../ports.js'
import type { Identity } from './identity.js'

export interface Sizes {
  /** Bytes by the id of the database; null: it may not be seen. */
  readonly databases: ReadonlyMap<string, number | null> | null
  /** null: it may not be seen. */
  readonly wal: WalDirectory | null
}

export interface WalDirectory {
  readonly directory_bytes: number
  readonly files: number
}

const DATABASES = `
  select oid::text as id,
    case when has_database_privilege(oid, 'connect') or pg_has_role(current_user, 'pg_read_all_stats', 'usage')
      then pg_database_size(oid)::float8 end as bytes
  from pg_database`

const WAL = `
  select coalesce(sum(size), 0)::float8 as directory_bytes, count(*)::int as files from pg_ls_waldir()`

export async function databaseSizesOf(db: Asking): Promise<ReadonlyMap<string, number | null>> {
  const rows = await db.ask<{ id: string; bytes: number | null }>(DATABASES)
  return new Map(rows.map(({ id, bytes }) => [id, bytes]))
}

/** Resolves with null when the role may not list the directory. */
export async function walDirectoryOf(db: Asking, identity: Identity): Promise<WalDirectory | null> {
  if (!identity.sees_wal_directory) return null
  const [directory = null] = await db.ask<WalDirectory>(WAL)
  return directory
}
