/** What is in the tables of a database: which migrations they have seen, and how many rows they hold. */
import type { PostgresPool, PostgresPoolClient } from 'kysely'
import { MESH_TABLES } from '../migrations/pending.js'
import type { Tables } from './manifest.js'

/** Asks a database, and resolves with the rows. */
export type Ask = (sql: string) => Promise<readonly Record<string, unknown>[]>

/** Where the mesh's own migrations are remembered; a room's are in `<room>_migration`. */
const MESH_MIGRATIONS = 'kysely_migration'

/** Resolves with what is in the schema that is current. `rows` of tables beside the migrations' own. */
export async function lookAtTables(ask: Ask, { count = true } = {}): Promise<Tables> {
  const [home] = await ask(`select coalesce(current_schema(), 'public') as schema`)
  const found = await ask(
    `select relname as name from pg_class where relkind in ('r', 'p') and relnamespace = to_regnamespace(current_schema())
     order by relname collate "C"`,
  )
  const names = found.map(({ name }) => String(name))
  const migrations: Tables['migrations'] = {}
  for (const name of names.filter(each => each.endsWith('_migration'))) {
    const applied = await ask(`select name from ${quoted(name)} order by name collate "C"`)
    migrations[roomOf(name)] = applied.map(each => String(each['name']))
  }
  const rows: Tables['rows'] = {}
  for (const name of count ? names : []) {
    const [counted] = await ask(`select count(*)::float8 as rows from ${quoted(name)}`)
    rows[name] = Number(counted?.['rows'])
  }
  return { schema: String(home?.['schema']), migrations, rows }
}

/** Runs `work` on one connection of a pool. */
export async function onePooled<T>(pool: PostgresPool, work: (ask: Ask) => Promise<T>): Promise<T> {
  const client: PostgresPoolClient = await pool.connect()
  try {
    return await work(async sql => (await client.query<Record<string, unknown>>(sql, [])).rows)
  } finally {
    client.release()
  }
}

/** Returns a name as SQL has it. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
/** Returns a text as SQL has it. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

const roomOf = (table: string): string =>
  table === MESH_MIGRATIONS ? MESH_TABLES.name : table.replace(/_migration$/, '')
