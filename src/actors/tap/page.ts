/**
 * A page of actors out of very many: looked through in turns, so that nobody else waits, and only as many are kept as the
 * page has.
 */
import type { Clock } from '../../kit/clock.js'
import type { ActorKind, ActorRow, ActorsPage, ActorWish } from '../ports.js'
import { settled } from './row.js'

/** How long one turn of the event loop looks at rows, ms: as long as a heartbeat takes anyway, which may have to wait for it. */
const TURN_MS = 0.1
/** Rows between two looks at the clock: some 10 µs of them. */
const ROWS_PER_GLANCE = 16

type Key = readonly [field: string, id: string]

/** Resolves with the page. */
export async function pageOf(
  rows: Iterable<ActorRow>,
  wish: ActorWish,
  clock: Pick<Clock, 'now' | 'soon'>,
): Promise<ActorsPage> {
  const { limit, after, sort = 'id', descending = false } = wish
  const from = after === undefined ? null : keyFrom(after)
  const sign = descending ? -1 : 1
  const order = (a: Key, b: Key) => sign * compare(a[0], b[0]) || compare(a[1], b[1])
  const kept: { readonly key: Key; readonly row: ActorRow }[] = []
  const kinds: Partial<Record<ActorKind, number>> = {}
  let [total, later, looked] = [0, 0, 0]
  let turnEndsMs = clock.now() + TURN_MS
  for (const row of rows) {
    if (++looked % ROWS_PER_GLANCE === 0 && clock.now() >= turnEndsMs) {
      await new Promise<void>(resolve => clock.soon(resolve))
      turnEndsMs = clock.now() + TURN_MS
    }
    if (!isWanted(row, wish)) continue
    total++
    kinds[row.kind] = (kinds[row.kind] ?? 0) + 1
    const { id } = row
    const key: Key = [sort === 'id' ? id : (row[sort] ?? ''), id]
    if (from !== null && order(key, from) <= 0) continue
    later++
    const last = kept[limit - 1]
    if (last !== undefined && order(key, last.key) >= 0) continue
    kept.splice(placeOf(kept, key, order), 0, { key, row: settled(row) })
    if (kept.length > limit) kept.pop()
  }
  const last = kept.at(-1)
  return {
    actors: kept.map(({ row }) => row),
    total,
    kinds,
    next: last !== undefined && later > kept.length ? textOf(last.key) : null,
  }
}

/** Whether a row meets the wish. */
function isWanted(row: ActorRow, { search, state, country, reason, parent }: ActorWish): boolean {
  if (country !== undefined && row.country !== country) return false
  if (reason !== undefined && row.reason !== reason) return false
  if (parent !== undefined && row.parent !== parent) return false
  if (state !== undefined && !has(row.state, state)) return false
  if (search === undefined || search === '') return true
  return has(row.id, search) || has(row.about, search) || has(row.country, search)
}

const has = (text: string | null, part: string): boolean =>
  text?.toLowerCase().includes(part.toLowerCase()) === true

/** By the value of letters and not by a language: an order that is the same everywhere. */
const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b))

function placeOf(
  kept: readonly { readonly key: Key }[],
  key: Key,
  order: (a: Key, b: Key) => number,
): number {
  let [low, high] = [0, kept.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (order((kept[middle] as { readonly key: Key }).key, key) < 0)
      low = middle + 1 // inside
    else high = middle
  }
  return low
}

const textOf = (key: Key): string => Buffer.from(JSON.stringify(key)).toString('base64url')

/** A cursor that is none of ours begins at the beginning. */
function keyFrom(after: string): Key | null {
  try {
    const key = JSON.parse(Buffer.from(after, 'base64url').toString()) as unknown
    return Array.isArray(key) && typeof key[0] === 'string' && typeof key[1] === 'string'
      ? [key[0], key[1]]
      : null
  } catch {
    return null
  }
}
