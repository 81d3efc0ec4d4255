/** Writes what a visit brought home, and that it is over, in one statement: one way to the database, all or nothing. */
import { type RawBuilder, sql } from 'kysely'
import { DATABASE_FIGURES, SERVER_FIGURES } from './columns.js'
import type { Collector } from './forms.js'
import type { Found } from './visit.js'

export interface Over {
  readonly serverId: number
  readonly collector: Collector
  /** What the samples are of, ms since 1970 UTC. */
  readonly atMs: number
  readonly endedAtMs: number
  readonly tookMs: number
  /** null: nothing came of it. */
  readonly found: Found | null
  /** Why not; null: it was good. */
  readonly error: string | null
}

/** Characters of why nothing came of a visit: servers may be talkative. */
const ERROR_MAX = 500

/** Returns how many samples a visit makes. */
export const samplesIn = ({ server, databases, tables }: Found): number =>
  Number(Object.keys(server).length > 0) + databases.length + tables.length

export function keepStatement(over: Over): RawBuilder<unknown> {
  const { serverId, collector, endedAtMs, tookMs, found, error } = over
  const counters = found?.counters ?? null
  const parts =
    found === null
      ? []
      : [...serverPart(over, found), ...databasePart(over, found), ...tablePart(over, found)]
  return sql`
    ${parts.length === 0 ? sql`` : sql`with ${sql.join(parts)}`}
    update pgmon_rounds set
      ended_at = ${new Date(endedAtMs)},
      took_ms = ${Math.round(tookMs)},
      error = ${error?.slice(0, ERROR_MAX) ?? null},
      counters = coalesce(${counters === null ? null : JSON.stringify(counters)}::jsonb, counters)
    where server_id = ${serverId} and collector = ${collector}`
}

/** Several collectors add their figures to the sample of one moment: none takes away what another has told. */
function serverPart({ serverId, atMs }: Over, { server }: Found): RawBuilder<unknown>[] {
  const told = SERVER_FIGURES.filter(name => server[name] !== undefined)
  if (told.length === 0) return []
  return [
    sql`servers as (
      insert into pgmon_server_samples as kept (server_id, at, ${columns(told)})
      values (${serverId}, ${new Date(atMs)}, ${sql.join(told.map(name => server[name]))})
      on conflict (server_id, at) do update set ${merged(told)}
    )`,
  ]
}

function databasePart({ serverId, atMs }: Over, { databases }: Found): RawBuilder<unknown>[] {
  const told = DATABASE_FIGURES.filter(name => databases.some(row => row[name] !== undefined))
  if (told.length === 0) return []
  const rows = JSON.stringify(databases)
  return [
    sql`databases as (
      insert into pgmon_database_samples as kept (server_id, at, database, ${columns(told)})
      select ${serverId}, ${new Date(atMs)}, database, ${columns(told)}
      from json_to_recordset(${rows}::json) as row (database text, ${floats(told)})
      on conflict (server_id, database, at) do update set ${merged(told)}
    )`,
  ]
}

const TABLE_FIGURES = [
  'total_bytes',
  'table_bytes',
  'index_bytes',
  'live_rows',
  'dead_rows',
  'bloat_bytes',
  'freeze_age',
] as const

function tablePart({ serverId, atMs }: Over, { tables }: Found): RawBuilder<unknown>[] {
  if (tables.length === 0) return []
  const rows = JSON.stringify(tables)
  return [
    sql`tables as (
      insert into pgmon_table_samples (server_id, at, database, schema_name, table_name, ${columns(TABLE_FIGURES)})
      select ${serverId}, ${new Date(atMs)}, database, "schema", name, ${columns(TABLE_FIGURES)}
      from json_to_recordset(${rows}::json) as row (database text, "schema" text, name text, ${floats(TABLE_FIGURES)})
      on conflict do nothing
    )`,
  ]
}

type Names = readonly string[]
const columns = (names: Names) => sql.join(names.map(name => sql.ref(name)))
const floats = (names: Names) => sql.join(names.map(name => sql`${sql.ref(name)} float8`))
const merged = (names: Names) =>
  sql.join(
    names.map(
      name => sql`${sql.ref(name)} = coalesce(${sql.ref(`excluded.${name}`)}, ${sql.ref(`kept.${name}`)})`,
    ),
  )
