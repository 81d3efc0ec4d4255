/** Where a page of a table begins and ends, in the order of a time and of the rows' ids. */
import { badRequest } from '../http/faults.js'
import { MOMENT_MAX_MS } from '../http/fields.js'
import { cursorOf, type ListCursor, type ListQuery } from '../http/listing.js'

/** The last row of the page before. */
export interface Mark {
  readonly at: Date
  readonly id: number
}

/** Returns where the page begins; null: with the first row. */
export function markOf({ after }: Pick<ListQuery, 'after'>): Mark | null {
  if (after === undefined) return null
  const [atMs, id] = cursorOf(after)
  return { at: momentOf(Number(atMs)), id: wholeOf(id) }
}

/** Returns a moment; throws a 400 when a cursor that is not ours names none. */
export function momentOf(ms: number): Date {
  return new Date(wholeOf(ms, MOMENT_MAX_MS))
}

/** Returns the rows of a page, of which one more than wanted was asked for, and where the next one begins. */
export function cut<R>(
  found: readonly R[],
  limit: number,
  cursor: (last: R) => ListCursor,
): { readonly page: readonly R[]; readonly next: ListCursor | null } {
  const page = found.slice(0, limit)
  const last = page.at(-1)
  return { page, next: last !== undefined && found.length > limit ? cursor(last) : null }
}

function wholeOf(value: number | string, max = Number.MAX_SAFE_INTEGER): number {
  const whole = Number(value)
  if (Number.isInteger(whole) && whole >= 0 && whole <= max) return whole
  throw badRequest('after: wanted `next` of the page before')
}
