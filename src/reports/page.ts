/** Pages of a table in the order of a time, the newest first unless the reverse is asked for. */
import { z } from 'zod'
import { badRequest } from '../http/faults.js'
import type { ListQuery } from '../http/listing.js'

/** A row of the page before: its time, ms, and its id. */
export interface Mark {
  readonly atMs: number
  readonly id: number
}

/** Returns where the page begins; null: with the first row. */
export function markOf({ after }: Pick<ListQuery, 'after'>): Mark | null {
  if (after === undefined) return null
  try {
    const [atMs, id] = Cursor.parse(JSON.parse(Buffer.from(after, 'base64url').toString()))
    return { atMs, id }
  } catch {
    throw badRequest('after: wanted `next` of the page before')
  }
}

const Cursor = z.tuple([z.int(), z.int()])

/** Returns what a list answers about its rows, of which one more than wanted was asked for. */
export function pageOf<R>(
  found: readonly R[],
  limit: number,
  markOf: (row: R) => Mark,
): { readonly page: readonly R[]; readonly next: string | null } {
  const page = found.slice(0, limit)
  const last = page.at(-1)
  if (last === undefined || found.length <= limit) return { page, next: null }
  const { atMs, id } = markOf(last)
  return { page, next: Buffer.from(JSON.stringify([atMs, id])).toString('base64url') }
}
