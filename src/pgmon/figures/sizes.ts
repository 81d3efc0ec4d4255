/**
 * How large the databases of a server and its write-ahead log are. The server asks its file system for each file: that is
 * dear where there are many, and is asked once in a while.
 */
import type { Unknown } from '../forms.js'
import type { Asking } from '../ports.js'
import type { Identity } from './identity.js'
import { Sections } from './section.js'

export interface Sizes {
  /** Bytes by the id of the database; null: it may not be seen. */
  readonly databases: ReadonlyMap<string, number | null> | null
  /** null: it may not be seen. */
  readonly wal: WalDirectory | null
  readonly unknown: readonly Unknown[]
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

/** Resolves with what the server tells of them; what it refuses is refused until they are asked for again. */
export async function sizesOf(db: Asking, identity: Identity, isLate: () => boolean): Promise<Sizes> {
  const sections = new Sections(identity.grantee, isLate)
  const databases = await sections.ask(['sizes'], () => databaseSizesOf(db))
  if (databases !== null && [...databases.values()].includes(null))
    sections.missRight('sizes', 'a database that the role may not connect to has a size that may not be seen')
  if (!identity.sees_wal_directory)
    sections.missRight('wal', 'the directory of the write-ahead log may not be listed')
  const wal = identity.sees_wal_directory ? await sections.ask(['wal'], () => walDirectoryOf(db)) : null
  return { databases, wal, unknown: sections.unknown }
}

async function databaseSizesOf(db: Asking): Promise<ReadonlyMap<string, number | null>> {
  const rows = await db.ask<{ id: string; bytes: number | null }>(DATABASES)
  return new Map(rows.map(({ id, bytes }) => [id, bytes]))
}

async function walDirectoryOf(db: Asking): Promise<WalDirectory | null> {
  const [directory = null] = await db.ask<WalDirectory>(WAL)
  return directory
}
