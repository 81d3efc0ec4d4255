/**
 * Looks at a database without changing it: for `boson doctor`, beside a coordinator that uses it or without one. An
 * embedded database cannot be shared, and opening it writes: that one is looked at as a copy.
 */
import { cp, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { constants, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PostgresPool } from 'kysely'
import type { Clock } from '../kit/clock.js'
import { MIGRATIONS } from './migrations/index.js'
import { pglitePool } from './pglite-pool.js'
import { postgresPool } from './postgres-pool.js'

export interface DatabaseLook {
  /** Such as `PostgreSQL 15.14`. */
  readonly version: string
  readonly roundTripMs: number
  /** How far its wall clock is ahead of ours, ms, give or take half the round trip. */
  readonly aheadMs: number
  /** Changes of the tables that it has not seen yet; the next start makes them. */
  readonly missing: readonly string[]
  /** Changes that this version does not know: a newer one has used it. */
  readonly unknown: readonly string[]
  /** What its role may not do, in words: empty when it may do all that is needed. */
  readonly refused: readonly string[]
  readonly connections: { readonly used: number; readonly max: number } | null
}

export interface LookOptions {
  readonly clock: Pick<Clock, 'now' | 'wallMs'>
  /** How long one question may take, ms. */
  readonly withinMs: number
}

/** Resolves with what a PostgreSQL says; rejects with the driver's error. */
export async function lookAtPostgres(databaseUrl: string, options: LookOptions): Promise<DatabaseLook> {
  return lookAt(postgresPool({ databaseUrl, queryTimeoutMs: options.withinMs, log: undefined }), options)
}

/** Resolves with what the embedded database in `dir` says, as nobody uses it; null when it is too large to copy. */
export async function lookAtPglite(
  dir: string,
  { copyMax, ...options }: LookOptions & { readonly copyMax: number },
): Promise<DatabaseLook | null> {
  // Says at once when the directory is no database at all.
  await readFile(join(dir, 'PG_VERSION'))
  await stat(join(dir, 'global/pg_control'))
  if ((await bytesIn(dir, copyMax)) > copyMax) return null
  const folder = await mkdtemp(join(tmpdir(), 'boson-doctor-'))
  try {
    const copy = join(folder, 'pglite')
    await cp(dir, copy, { recursive: true, mode: constants.COPYFILE_FICLONE })
    return await lookAt(await pglitePool({ dir: copy, queryTimeoutMs: options.withinMs }), options)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Whether a directory of the embedded database was begun and never finished: the next start makes it anew. */
export const isUnfinished = (dataDir: string): boolean => existsSync(join(dataDir, 'pglite.unfinished'))

async function lookAt(pool: PostgresPool, { clock }: LookOptions): Promise<DatabaseLook> {
  try {
    const client = await pool.connect()
    const ask = async (sql: string) => {
      const { rows } = await client.query<Record<string, unknown>>(sql, [])
      return rows
    }
    try {
      await ask('begin read only')
      const startedMs = clock.now()
      const [time] = await ask('select extract(epoch from clock_timestamp())::float8 * 1000 as ms')
      const roundTripMs = clock.now() - startedMs
      const aheadMs = Number(time?.['ms']) - (clock.wallMs() - roundTripMs / 2)
      const [about] = await ask(ABOUT)
      const applied = (
        about?.['migrated'] === true ? await ask('select name from kysely_migration') : []
      ).map(row => String(row['name']))
      const look: DatabaseLook = {
        version: `PostgreSQL ${String(about?.['version'])}`,
        roundTripMs,
        aheadMs,
        missing: Object.keys(MIGRATIONS).filter(name => !applied.includes(name)),
        unknown: applied.filter(name => !(name in MIGRATIONS)),
        refused: refusedOf(about ?? {}, applied.length > 0),
        connections: await connectionsOf(ask),
      }
      await ask('rollback')
      return look
    } finally {
      client.release()
    }
  } finally {
    await pool.end()
  }
}

const ABOUT = `
  select current_setting('server_version') as version,
    to_regclass('kysely_migration') is not null as migrated,
    pg_is_in_recovery() or current_setting('default_transaction_read_only') = 'on' as read_only,
    current_schema() is null as homeless,
    has_schema_privilege(current_schema(), 'CREATE') as may_create,
    (select coalesce(bool_and(has_table_privilege(c.oid, 'SELECT') and has_table_privilege(c.oid, 'INSERT')
        and has_table_privilege(c.oid, 'UPDATE') and has_table_privilege(c.oid, 'DELETE')), true)
      from pg_class c where c.relkind = 'r' and c.relnamespace = to_regnamespace(current_schema())) as may_write`

function refusedOf(about: Readonly<Record<string, unknown>>, migrated: boolean): readonly string[] {
  if (about['homeless'] === true) return ['it has no schema to be in: see search_path']
  return [
    ...(about['read_only'] === true
      ? ['it takes no changes: a standby, or default_transaction_read_only']
      : []),
    ...(about['may_create'] === false ? ['its role may not make tables in this schema'] : []),
    ...(migrated && about['may_write'] === false ? ['its role may not write all tables'] : []),
  ]
}

/** Other connections are counted by roles that may see them; the embedded database has none. */
async function connectionsOf(
  ask: (sql: string) => Promise<readonly Record<string, unknown>[]>,
): Promise<DatabaseLook['connections']> {
  const [row] = await ask(
    `select (select count(*) from pg_stat_activity where backend_type = 'client backend')::int as used,
       current_setting('max_connections')::int as max`,
  )
  return row === undefined ? null : { used: Number(row['used']), max: Number(row['max']) }
}

/** Returns the size of a folder, or more than `most` as soon as it is more, bytes. */
async function bytesIn(dir: string, most: number): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size
    if (bytes > most) break
  }
  return bytes
}
