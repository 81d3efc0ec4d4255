/** The history in the database: what is written, asked and cleared out. */
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Room } from '../../store/index.js'
import type { RestDatabase } from '../database.js'
import type { SumsRow } from './add-up.js'
import type { Sample } from './figures.js'
import { type Interval, INTERVALS, type Span } from './intervals.js'
import { NO_SUMS, plus, type Sums } from './sums.js'
import { asSample, writeSamples } from './write-samples.js'

/** Samples that are written at once, at most: a transaction of a fraction of a second. */
export const SAMPLES_MAX = 500
/** Some rows of a time. */
export interface Page<T> {
  readonly rows: readonly T[]
  /** Rows in all. */
  readonly total: number
}
export interface PageWish {
  readonly limit: number
  readonly newestFirst: boolean
  /** The last row of the page before: its moment, ms since 1970 UTC, and the source of a sample. */
  readonly after: readonly [atMs: number, source: string] | null
}

export class HistoryTable {
  readonly #room: Room<RestDatabase>

  constructor(room: Room<RestDatabase>) {
    this.#room = room
  }

  /** Writes at most `SAMPLES_MAX` samples, all or none; those that are there already change nothing. */
  async write(samples: readonly Sample[]): Promise<void> {
    if (samples.length === 0) return
    await this.#room.transact(tx => writeSamples(tx, samples))
  }

  /** Resolves with the newest sample of each source, the newest first. */
  latest(id: string): Promise<readonly Sample[]> {
    return this.#room.ask(async db => {
      const rows = await db
        .selectFrom('metric_latest')
        .selectAll()
        .where('id', '=', id)
        .orderBy('at', 'desc')
        .execute()
      return rows.map(asSample)
    })
  }

  samples(id: string, span: Span, wish: PageWish): Promise<Page<Sample>> {
    return this.#room.ask(async db => {
      const [at, source] = placeAfter(wish)
      const all = db.selectFrom('metric_samples').where('id', '=', id).where(within(span))
      const { total } = await all
        .select(({ fn }) => fn.countAll<string | number>().as('total'))
        .executeTakeFirstOrThrow()
      const rows = await all
        .selectAll()
        .$if(wish.after !== null, query =>
          query.where(beyond(sql`(at, source)`, sql`(${at}, ${source})`, wish)),
        )
        .orderBy('at', wish.newestFirst ? 'desc' : 'asc')
        .orderBy('source', wish.newestFirst ? 'desc' : 'asc')
        .limit(wish.limit)
        .execute()
      return { rows: rows.map(asSample), total: Number(total) }
    })
  }

  sums(id: string, interval: Interval, span: Span, wish: PageWish): Promise<Page<SumsRow>> {
    return this.#room.ask(async db => {
      const [at] = placeAfter(wish)
      const all = sumsIn(db, id, interval, span)
      const { total } = await all
        .select(({ fn }) => fn.countAll<string | number>().as('total'))
        .executeTakeFirstOrThrow()
      const rows = await all
        .selectAll()
        .$if(wish.after !== null, query => query.where(beyond(sql`at`, sql`${at}`, wish)))
        .orderBy('at', wish.newestFirst ? 'desc' : 'asc')
        .limit(wish.limit)
        .execute()
      return {
        rows: rows.map(({ at, ...sums }) => ({ id, interval, atMs: at.getTime(), sums })),
        total: Number(total),
      }
    })
  }

  /** Resolves with the sums of all pieces together. */
  total(id: string, pieces: readonly (Span & { readonly interval: Interval })[]): Promise<Sums> {
    return this.#room.ask(async db => {
      let total = NO_SUMS
      for (const piece of pieces)
        for (const row of await sumsIn(db, id, piece.interval, piece).selectAll().execute())
          total = plus(total, row)
      return total
    })
  }

  /** Deletes at most `rows` of each kind from before these moments; resolves with whether there may be more. */
  async prune(before: Readonly<Record<'sample' | Interval, number>>, rows: number): Promise<boolean> {
    const deleted = await this.#room.ask(async db => [
      await sql`
        delete from metric_samples where ctid = any (array(
          select ctid from metric_samples where at < ${new Date(before.sample)} limit ${rows}
        ))`.execute(db),
      await sql`
        delete from metric_latest where ctid = any (array(
          select ctid from metric_latest where at < ${new Date(before.day)} limit ${rows}
        ))`.execute(db),
      ...(await inTurn(INTERVALS, interval =>
        sql`
          delete from metric_sums where ctid = any (array(
            select ctid from metric_sums
            where interval = ${interval} and at < ${new Date(before[interval])} limit ${rows}
          ))`.execute(db),
      )),
    ])
    return deleted.some(({ numAffectedRows = 0n }) => numAffectedRows === BigInt(rows))
  }
}

const sumsIn = (db: Kysely<RestDatabase>, id: string, interval: Interval, span: Span) =>
  db.selectFrom('metric_sums').where('id', '=', id).where('interval', '=', interval).where(within(span))

const within = ({ fromMs, toMs }: Span) => sql<boolean>`at >= ${new Date(fromMs)} and at < ${new Date(toMs)}`

const placeAfter = ({ after }: PageWish): readonly [Date, string] => [
  new Date(after?.[0] ?? 0),
  after?.[1] ?? '',
]

const beyond = (row: RawBuilder<unknown>, place: RawBuilder<unknown>, { newestFirst }: PageWish) =>
  newestFirst ? sql<boolean>`${row} < ${place}` : sql<boolean>`${row} > ${place}`

async function inTurn<T, R>(values: readonly T[], work: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const value of values) results.push(await work(value))
  return results
}
