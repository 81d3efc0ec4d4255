/**
 * How samples enter the database: with what they add up to, and as the newest of their source. A sample that is in the
 * table has been added up exactly once, however often it was sent and whenever the process was killed.
 *
 *   samples ──new ones──→ added up by minute, hour and day ──→ sums (+=)
 *                  └────→ latest
 */
import { type RawBuilder, sql, type Transaction } from 'kysely'
import { column } from '../../kit/column.js'
import type { RestDatabase } from '../database.js'
import { addUp, sourceKey, type SumsRow } from './add-up.js'
import type { Figures, Sample } from './figures.js'

/** Rows of sums in one statement: each has up to a hundred numbers to be spelled, which keeps the event loop. */
const SUMS_ROWS = 300

type Tx = Transaction<RestDatabase>

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

/** Returns a row of samples as one. */
export const asSample = ({ at, ...row }: RestDatabase['metric_samples']): Sample => ({
  ...row,
  atMs: at.getTime(),
})

const cellsOf =
  <T>(rows: readonly T[]) =>
  (cellOf: Parameters<typeof column<T>>[1]): string =>
    column(rows, cellOf)

const literal = (figures: Figures): string => column(figures, figure => figure)

const sampleKey = (sample: Sample): string => `${sourceKey(sample)} ${sample.atMs}`
