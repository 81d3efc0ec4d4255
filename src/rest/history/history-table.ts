/**
 * The history in the database. Samples, what they add up to, and the newest of each are written together: a sample that
 * is in the table has been added up exactly once, however often it was sent and whenever the process was killed.
 *
 *   samples ──new ones──→ added up by minute, hour and day ──→ sums (+=)
 *                  └────→ latest
 */
import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely'
import { column } from '../../kit/column.js'
import type { Room } from '../../store/index.js'
import type { RestDatabase } from '../database.js'
import { addUp, sourceKey, type SumsRow } from './add-up.js'
import type { Figures, Sample } from './figures.js'
import { type Interval, INTERVALS, type Span } from './intervals.js'
import { NO_SUMS, plus, type Sums } from './sums.js'

/** Samples that are written at once, at most: a transaction of a fraction of a second. */
export const SAMPLES_MAX = 500
/** Rows of sums in one statement: each has up to a hundred numbers to be spelled, which keeps the event loop. */
const SUMS_ROWS = 300

type Tx = Transaction<RestDatabase>
type Asked = Kysely<RestDatabase> | Tx

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

/** Writes samples within a transaction; those that are there already change nothing. */
export async function writeSamples(tx: Tx, given: readonly Sample[]): Promise<void> {
  const samples = [...new Map(given.map(sample => [sampleKey(sample), sample])).values()]
  const cells = cellsOf(samples)
  const { rows: taken } = await sql<{ id: string; source: string; at: Date }>`
    insert into metric_samples (id, source, at, figures)
    select id, source, to_timestamp(at / 1000), figures::float8[]
    from unnest(
      ${cells(one => one.id)}::text::text[],
      ${cells(one => one.source)}::text::text[],
      ${cells(one => one.atMs)}::text::float8[],
      ${cells(one => literal(one.figures))}::text::text[]
    ) as row (id, source, at, figures)
    on conflict do nothing
    returning id, source, at`.execute(tx)
  const keys = new Set(taken.map(({ id, source, at }) => `${id} ${source} ${at.getTime()}`))
  const fresh = samples.filter(sample => keys.has(sampleKey(sample)))
  if (fresh.length === 0) return
  const { rows, latest } = addUp(fresh, await latestOf(tx, fresh))
  for (let at = 0; at < rows.length; at += SUMS_ROWS) await writeSums(tx, rows.slice(at, at + SUMS_ROWS))
  await writeLatest(tx, latest)
}

/** Locks them too: of what comes after a sample there is one order, whoever writes. */
async function latestOf(tx: Tx, samples: readonly Sample[]): Promise<ReadonlyMap<string, Sample>> {
  const ids = column([...new Set(samples.map(({ id }) => id))], id => id)
  const { rows } = await sql<RestDatabase['metric_latest']>`
    select id, source, at, figures from metric_latest
    where id = any(${ids}::text::text[]) order by id, source for update`.execute(tx)
  return new Map(rows.map(asSample).map(sample => [sourceKey(sample), sample]))
}

/** Of one sample sums, least and greatest are the same figures, by minute, hour and day: each list travels once. */
async function writeSums(tx: Tx, rows: readonly SumsRow[]): Promise<void> {
  const cells = cellsOf(rows)
  const lists = new Lists()
  const columns = (['counts', 'sums', 'mins', 'maxs'] as const).map(name =>
    cells(one => lists.placeOf(one.sums[name])),
  )
  const joined = (name: 'counts' | 'sums' | 'mins' | 'maxs', join: RawBuilder<unknown>) => sql`array(
    select ${join}
    from unnest(kept.${sql.ref(name)}, excluded.${sql.ref(name)}) with ordinality as pair (a, b, place)
    order by place)`
  await sql`
    with lists as materialized (
      select place, spelled::float8[] as list
      from unnest(${column(lists.spelled, list => list)}::text::text[]) with ordinality as one (spelled, place)
    )
    insert into metric_sums as kept (id, interval, at, samples, counts, sums, mins, maxs)
    select
      id, interval, to_timestamp(at / 1000), samples, counts.list::integer[], sums.list, mins.list, maxs.list
    from unnest(
      ${cells(one => one.id)}::text::text[],
      ${cells(one => one.interval)}::text::text[],
      ${cells(one => one.atMs)}::text::float8[],
      ${cells(one => one.sums.samples)}::text::integer[],
      ${sql.join(columns.map(places => sql`${places}::text::integer[]`))}
    ) as row (id, interval, at, samples, counts_at, sums_at, mins_at, maxs_at)
    join lists as counts on counts.place = counts_at
    join lists as sums on sums.place = sums_at
    join lists as mins on mins.place = mins_at
    join lists as maxs on maxs.place = maxs_at
    on conflict (id, interval, at) do update set
      samples = kept.samples + excluded.samples,
      counts = ${joined('counts', sql`coalesce(a, 0) + coalesce(b, 0)`)},
      sums = ${joined('sums', sql`coalesce(a + b, a, b)`)},
      mins = ${joined('mins', sql`least(a, b)`)},
      maxs = ${joined('maxs', sql`greatest(a, b)`)}`.execute(tx)
}

/** Lists of numbers as PostgreSQL spells them, each once. */
class Lists {
  readonly spelled: string[] = []
  readonly #known = new Map<Figures | string, number>()

  /** Returns where the list is, counted from 1. */
  placeOf(list: Figures): number {
    const known = this.#known.get(list)
    if (known !== undefined) return known
    const spelled = literal(list)
    const place = this.#known.get(spelled) ?? this.spelled.push(spelled)
    this.#known.set(list, place)
    this.#known.set(spelled, place)
    return place
  }
}

async function writeLatest(tx: Tx, samples: readonly Sample[]): Promise<void> {
  const cells = cellsOf(samples)
  await sql`
    insert into metric_latest as kept (id, source, at, figures)
    select id, source, to_timestamp(at / 1000), figures::float8[]
    from unnest(
      ${cells(one => one.id)}::text::text[],
      ${cells(one => one.source)}::text::text[],
      ${cells(one => one.atMs)}::text::float8[],
      ${cells(one => literal(one.figures))}::text::text[]
    ) as row (id, source, at, figures)
    on conflict (id, source) do update set at = excluded.at, figures = excluded.figures
    where kept.at < excluded.at`.execute(tx)
}

const sumsIn = (db: Asked, id: string, interval: Interval, span: Span) =>
  db.selectFrom('metric_sums').where('id', '=', id).where('interval', '=', interval).where(within(span))

const within = ({ fromMs, toMs }: Span) => sql<boolean>`at >= ${new Date(fromMs)} and at < ${new Date(toMs)}`

const placeAfter = ({ after }: PageWish): readonly [Date, string] => [
  new Date(after?.[0] ?? 0),
  after?.[1] ?? '',
]

const beyond = (row: RawBuilder<unknown>, place: RawBuilder<unknown>, { newestFirst }: PageWish) =>
  newestFirst ? sql<boolean>`${row} < ${place}` : sql<boolean>`${row} > ${place}`

const cellsOf =
  <T>(rows: readonly T[]) =>
  (cellOf: Parameters<typeof column<T>>[1]): string =>
    column(rows, cellOf)

const literal = (figures: Figures): string => column(figures, figure => figure)

const sampleKey = (sample: Sample): string => `${sourceKey(sample)} ${sample.atMs}`

const asSample = ({ at, ...row }: RestDatabase['metric_samples']): Sample => ({ ...row, atMs: at.getTime() })

async function inTurn<T, R>(values: readonly T[], work: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const value of values) results.push(await work(value))
  return results
}
