/**
 * Where samples lie: each table in partitions by month, made before they are needed and dropped whole when they are too
 * old. Nothing is deleted row by row.
 *
 *   pgmon_server_samples ─┬─ pgmon_server_samples_2026_10
 *                         ├─ pgmon_server_samples_2026_11    this month
 *                         └─ pgmon_server_samples_2026_12    the next one: nobody waits at midnight
 */
import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { Room } from '../../store/rooms.js'
import type { MonitorTables } from '../tables.js'
import { type Month, monthCalled, monthOf } from './months.js'

export const SAMPLE_TABLES = [
  'pgmon_server_samples',
  'pgmon_database_samples',
  'pgmon_table_samples',
] as const
type SampleTable = (typeof SAMPLE_TABLES)[number]

type Tx = Transaction<MonitorTables>

/** Who reads the samples is waited for so long: whoever asks next would wait behind us. */
const LOCK_TIMEOUT = '2s'

export class Partitions {
  readonly #room: Room<MonitorTables>
  /** Months that were there when they were last looked for. */
  readonly #known = new Set<string>()

  constructor(room: Room<MonitorTables>) {
    this.#room = room
  }

  /** Makes those of a moment and of the month after it, unless they are there; ms since 1970 UTC. */
  async make(atMs: number): Promise<void> {
    const month = monthOf(atMs)
    const months = [month, monthOf(month.toMs)].filter(({ name }) => !this.#known.has(name))
    if (months.length === 0) return
    await this.#alone(async tx => {
      for (const table of SAMPLE_TABLES) {
        const there = new Set((await partitionsOf(tx, table)).map(({ name }) => name))
        for (const each of months) if (!there.has(each.name)) await makeOne(tx, table, each)
      }
    })
    for (const { name } of months) this.#known.add(name)
  }

  /** Runs a statement that writes samples of this moment, with partitions for them. */
  async write(atMs: number, statement: RawBuilder<unknown>): Promise<void> {
    await this.make(atMs)
    try {
      await this.#room.ask(db => statement.execute(db))
    } catch (error) {
      if (!isMissing(error)) throw error
      // Another coordinator whose clock is ahead, or an operator, has dropped them since.
      this.#known.clear()
      await this.make(atMs)
      await this.#room.ask(db => statement.execute(db))
    }
  }

  /** Drops those that were over before a moment; resolves with how many. */
  async drop(beforeMs: number): Promise<number> {
    let dropped = 0
    await this.#alone(async tx => {
      for (const table of SAMPLE_TABLES) {
        const old = (await partitionsOf(tx, table)).filter(({ toMs }) => toMs <= beforeMs)
        for (const month of old) {
          await sql`drop table ${sql.table(nameOf(table, month))}`.execute(tx)
          this.#known.delete(month.name)
        }
        dropped += old.length
      }
    })
    return dropped
  }

  /** One coordinator at a time. */
  #alone<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#room.transact(async tx => {
      await sql`select pg_advisory_xact_lock(hashtextextended(current_schema() || '.pgmon_partitions', 0))`.execute(
        tx,
      )
      await sql`set local lock_timeout = ${sql.lit(LOCK_TIMEOUT)}`.execute(tx)
      return work(tx)
    })
  }
}

/** Attached rather than made as a partition at once: that would lock the table against everyone who reads it. */
async function makeOne(tx: Tx, table: SampleTable, month: Month): Promise<void> {
  const partition = sql.table(nameOf(table, month))
  await sql`create table ${partition} (like ${sql.table(table)} including all)`.execute(tx)
  await sql`
    alter table ${sql.table(table)} attach partition ${partition}
    for values from (${literal(month.fromMs)}) to (${literal(month.toMs)})`.execute(tx)
}

/** Resolves with the months that a table has partitions of; those of other names are not ours. */
async function partitionsOf(tx: Tx, table: SampleTable): Promise<readonly Month[]> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = to_regclass(${table})`.execute(tx)
  return rows.flatMap(({ name }) => {
    const month = name.startsWith(`${table}_`) ? monthCalled(name.slice(table.length + 1)) : null
    return month === null ? [] : [month]
  })
}

const nameOf = (table: SampleTable, { name }: Month): string => `${table}_${name}`
const literal = (ms: number) => sql.lit(new Date(ms).toISOString())

/** No partition takes a row. */
const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === '23514'
