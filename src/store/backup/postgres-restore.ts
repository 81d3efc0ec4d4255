/**
 * Restores PostgreSQL in one transaction: what was there is put aside, the backup comes in its place, and every row is
 * counted. Whatever goes wrong, and whenever, the database is either as it was or as the backup is.
 *
 *   pg_restore ──SQL──► psql:  begin │ what is there goes aside │ the dump │ every row is counted │ commit
 */
import { pipeline } from 'node:stream/promises'
import { MESH_TABLES } from '../migrations/pending.js'
import type { Backup } from './archive.js'
import { BadBackup, DatabaseInUse, RestoreFailed } from './errors.js'
import { assertPrograms, placeOf, type Running, start } from './pg-programs.js'
import { coordinatorsAt, DUMP } from './postgres-backup.js'
import { withPostgres } from './postgres-client.js'
import { literal, lookAtTables, quoted } from './tables.js'
import type { Tables } from './manifest.js'
import { asStoreError } from '../sql-errors.js'

/** A table that somebody else uses is waited for so long, in PostgreSQL's words. */
const LOCK_TIMEOUT = '10s'

/** Returns where the tables of a schema are while they are aside. */
export const asideOf = (schema: string): string => `${schema}_before_restore`

/** Restores a backup into the schema that the address leads into. */
export async function restorePostgres(databaseUrl: string, backup: Backup): Promise<void> {
  try {
    const { manifest } = backup
    if (manifest.kind !== 'postgres')
      throw new BadBackup(
        `${backup.path} is of the embedded database, and DATABASE_URL names a PostgreSQL: unset DATABASE_URL, or restore a backup of PostgreSQL`,
      )
    const there = await withPostgres(databaseUrl, async ({ ask, major }) => {
      await assertPrograms(['pg_restore', 'psql'], major)
      await assertUnused(ask)
      const tables = await lookAtTables(ask, { count: false })
      const names = await tablesOf(ask)
      if (names.length > 0 && tables.migrations[MESH_TABLES.name] === undefined)
        throw new RestoreFailed(
          `the schema ${tables.schema} has tables that are not of a BosonServer (${names.slice(0, 3).join(', ')}): restore into a database or a schema of its own`,
        )
      const [source] = await ask(
        `select to_regnamespace(${literal(quoted(manifest.tables.schema))}) is not null as here`,
      )
      return {
        schema: tables.schema,
        isEmpty: names.length === 0,
        hasSource: source?.['here'] === true,
        tables: manifest.tables,
      }
    })
    await run(databaseUrl, backup, there)
  } catch (error) {
    throw asStoreError(error)
  }
}

/** Swaps the tables with those that the last restore has put aside. Doing it twice changes nothing. */
export async function undoPostgres(databaseUrl: string): Promise<void> {
  try {
    await withPostgres(databaseUrl, async ({ ask }) => {
      await assertUnused(ask)
      const [{ schema = null } = {}] = await ask('select current_schema() as schema')
      const current = String(schema)
      const [aside] = await ask(
        `select 1 from pg_class where relkind = 'r' and relnamespace = to_regnamespace(${literal(quoted(asideOf(current)))}) limit 1`,
      )
      if (aside === undefined)
        throw new RestoreFailed(`no restore has put anything aside: there is no schema ${asideOf(current)}`)
      const between = `${current}_undone`
      await ask(
        script([
          'begin',
          `set local lock_timeout = ${literal(LOCK_TIMEOUT)}`,
          `create schema ${quoted(between)}`,
          moveAll(current, between),
          moveAll(asideOf(current), current),
          `drop schema ${quoted(asideOf(current))}`,
          `alter schema ${quoted(between)} rename to ${quoted(asideOf(current))}`,
          'commit',
        ]),
      )
    })
  } catch (error) {
    throw asStoreError(error)
  }
}

interface Target {
  /** Where the tables are to be. */
  readonly schema: string
  readonly isEmpty: boolean
  /** Whether the schema that the backup is of is here too, beside it. */
  readonly hasSource: boolean
  /** As they were when the backup was made. */
  readonly tables: Tables
}

async function run(databaseUrl: string, backup: Backup, target: Target): Promise<void> {
  const place = placeOf(databaseUrl)
  const psql = start(
    'psql',
    ['--no-psqlrc', '--quiet', '--no-password', '--set=ON_ERROR_STOP=1', '--file=-', place.url],
    place,
    'pipe',
  )
  const dump = start(
    'pg_restore',
    ['--file=-', '--no-owner', '--no-privileges', '--exit-on-error'],
    place,
    'pipe',
  )
  psql.stdout.resume()
  try {
    const script = async function* () {
      yield before(target)
      yield* dump.stdout
      await dump.done
      // Without this last word, for whatever reason it is not said, nothing has happened.
      yield after(target)
    }
    const fed = Promise.allSettled([
      pipeline(backup.part(DUMP), stdinOf(dump)),
      pipeline(script, stdinOf(psql)),
    ])
    // What psql says is the reason; that it read no further is not.
    await psql.done
    for (const each of await fed) if (each.status === 'rejected') throw each.reason
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new RestoreFailed(`${backup.path} was not restored, and the database is as it was: ${reason}`, {
      cause: error,
    })
  } finally {
    psql.child.kill()
    dump.child.kill()
  }
}

/** A dump has its tables where they were: when they are to be elsewhere, they move there behind it. */
function before({ schema, isEmpty, hasSource, tables }: Target): string {
  const source = tables.schema
  return script([
    'begin',
    `set local lock_timeout = ${literal(LOCK_TIMEOUT)}`,
    'set local client_min_messages = warning',
    ...(isEmpty
      ? []
      : [
          `drop schema if exists ${quoted(asideOf(schema))} cascade`,
          `create schema ${quoted(asideOf(schema))}`,
          moveAll(schema, asideOf(schema)),
        ]),
    ...(schema === source
      ? []
      : [
          ...(hasSource ? [`alter schema ${quoted(source)} rename to ${quoted(meanwhileOf(source))}`] : []),
          `create schema ${quoted(source)}`,
        ]),
  ])
}

/** Every row is there, or none is. */
function after({ schema, hasSource, tables }: Target): string {
  const source = tables.schema
  const counts = Object.entries(tables.rows).map(
    ([name, rows]) =>
      `if (select count(*) from ${quoted(source)}.${quoted(name)}) <> ${rows} then raise exception 'wanted % rows of %', ${rows}, ${literal(name)}; end if;`,
  )
  return script([
    `do ${literal(`begin ${counts.join('\n')} end`)}`,
    ...(schema === source
      ? []
      : [
          moveAll(source, schema),
          `drop schema ${quoted(source)}`,
          ...(hasSource ? [`alter schema ${quoted(meanwhileOf(source))} rename to ${quoted(source)}`] : []),
        ]),
    'commit',
  ])
}

const script = (statements: readonly string[]): string => `${statements.join(';\n')};\n`

const meanwhileOf = (schema: string): string => `${schema}_meanwhile`

function stdinOf({ child: { stdin } }: Running): NodeJS.WritableStream {
  if (stdin === null) throw new TypeError('its input is piped')
  return stdin
}

/** Tables take their indexes, constraints and own sequences along. */
const moveAll = (from: string, to: string): string =>
  `do ${literal(`
  declare relation record;
  begin
    for relation in
      select c.oid::regclass as name from pg_class c
      where c.relnamespace = to_regnamespace(${literal(quoted(from))})
        and (c.relkind in ('r', 'p', 'v', 'm') or c.relkind = 'S' and not exists (
          select 1 from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')))
    loop
      execute format('alter table %s set schema %I', relation.name, ${literal(to)});
    end loop;
  end`)}`

async function assertUnused(ask: Parameters<typeof coordinatorsAt>[0]): Promise<void> {
  if ((await coordinatorsAt(ask)) > 0)
    throw new DatabaseInUse('a coordinator is connected to this database: stop it first, and every other one')
}

async function tablesOf(ask: Parameters<typeof coordinatorsAt>[0]): Promise<readonly string[]> {
  const rows = await ask(
    `select relname as name from pg_class where relkind in ('r', 'p') and relnamespace = to_regnamespace(current_schema())`,
  )
  return rows.map(({ name }) => String(name))
}
