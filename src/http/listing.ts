/**
 * Lists, the same everywhere: `limit` rows, after a cursor, in an order; the answer tells how many there are in
 * all and where the next page begins.
 */
import { z } from 'zod'
import { badRequest } from './faults.js'
import { whole } from './fields.js'

/** How many rows a list has when nobody says, and at most. */
const ROWS = 1_000
export const ROWS_MAX = 10_000

export interface ListQuery {
  readonly limit: number
  /** The last row of the page before, as its `next` names it. */
  readonly after?: string | undefined
  /** Name of a field; with a minus before it, from the largest to the smallest. */
  readonly sort?: string | undefined
}

/** How many rows are wanted. */
export const rows = whole(1, ROWS_MAX).default(ROWS).meta({ description: 'The most rows that are wanted.' })

/** Returns what every list takes; `sorts` are the fields it can be ordered by. */
export const listQuery = <const S extends readonly [string, ...string[]]>(...sorts: S) => {
  const error = `wanted one of ${sorts.join(', ')}, with a minus before it for the reverse order`
  return {
    limit: rows,
    after: z.string().max(512).optional().meta({ description: '`next` of the page before.' }),
    sort: z
      .enum([...sorts, ...sorts.map(name => `-${name}` as const)], { error })
      .optional()
      .meta({ description: 'The field to order by; a minus before it reverses the order.' }),
  }
}

/** What a list answers beside its rows. */
export const listReply = <N extends string, R extends z.ZodType>(name: N, row: R) =>
  z.object({
    ...({ [name]: z.array(row) } as Record<N, z.ZodArray<R>>), // the name is N
    count: z.int().meta({ description: 'Rows of this page.' }),
    total: z.int().meta({ description: 'Rows that meet the filters.' }),
    next: z
      .string()
      .nullable()
      .meta({ description: '`after` of the next page; null: this is the last one.' }),
  })

type Key = string | number | null
/** Where a page begins: after the row that has this in the field it is sorted by, and this id. */
export type ListCursor = readonly [Key, string]

/**
 * Returns a page of all rows. `idOf` must be unique: it orders what is otherwise equal, so that no row is left out
 * or told twice while others come and go. Unknown values come last.
 */
export function listed<N extends string, R>(
  name: N,
  all: readonly R[],
  { limit, after, sort }: ListQuery,
  idOf: (row: R) => string,
  valueOf: (row: R, field: string) => Key = row => idOf(row),
): Record<N, readonly R[]> & {
  readonly count: number
  readonly total: number
  readonly next: string | null
} {
  const down = sort?.startsWith('-') === true
  const field = sort?.slice(down ? 1 : 0)
  const order = (a: ListCursor, b: ListCursor) =>
    compare(a[0], b[0], down) || (a[1] < b[1] ? -1 : Number(a[1] > b[1]))
  const from = after === undefined ? null : cursorOf(after)
  const first = new First<R>(limit + 1, order)
  for (const row of all) {
    const key = [field === undefined ? null : valueOf(row, field), idOf(row)] as const
    if (from === null || order(key, from) > 0) first.offer(key, row)
  }
  const page = first.kept.slice(0, limit)
  const last = page.at(-1)
  const more = last !== undefined && first.kept.length > limit
  return listReplyOf(name, {
    rows: page.map(([, row]) => row),
    total: all.length,
    next: more ? last[0] : null,
  })
}

/** The first few of many rows: nobody waits until a hundred thousand are sorted for a page of a hundred. */
class First<R> {
  /** In order. */
  readonly kept: (readonly [ListCursor, R])[] = []
  readonly #most: number
  readonly #order: (a: ListCursor, b: ListCursor) => number

  constructor(most: number, order: (a: ListCursor, b: ListCursor) => number) {
    this.#most = most
    this.#order = order
  }

  offer(key: ListCursor, row: R): void {
    const last = this.kept[this.#most - 1]
    if (last !== undefined && this.#order(key, last[0]) >= 0) return
    let [low, high] = [0, this.kept.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const [other] = this.kept[middle] as readonly [ListCursor, R] // between the two
      if (this.#order(key, other) < 0) high = middle
      else low = middle + 1
    }
    this.kept.splice(low, 0, [key, row])
    if (this.kept.length > this.#most) this.kept.pop()
  }
}

/** Returns a page that a database has sorted and cut; `next`: what it sorted by, and the id, of the last row, unless that ends the list. */
export const listReplyOf = <N extends string, R>(
  name: N,
  { rows, total, next }: { rows: readonly R[]; total: number; next: ListCursor | null },
) =>
  ({
    [name]: rows,
    count: rows.length,
    total,
    next: next === null ? null : Buffer.from(JSON.stringify(next)).toString('base64url'),
  }) as Record<N, readonly R[]> & { count: number; total: number; next: string | null } // the name is N

function compare(a: Key, b: Key, down: boolean): number {
  if (a === b) return 0
  if (a === null) return 1
  if (b === null) return -1
  const order = a < b ? -1 : 1
  return down ? -order : order
}

const Cursor = z.tuple([z.union([z.string(), z.number(), z.null()]), z.string()])

/** Returns what `after` of a query says. */
export function cursorOf(after: string): ListCursor {
  try {
    return Cursor.parse(JSON.parse(Buffer.from(after, 'base64url').toString()))
  } catch {
    throw badRequest('after: wanted `next` of the page before')
  }
}
