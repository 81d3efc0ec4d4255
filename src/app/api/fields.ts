/** What several bodies have in common: ids, lists of them, factors; each says what was wanted. */
import { z } from 'zod'
import { COST_TERMS } from '../../protocol/messages.js'
import { isId } from '../../protocol/schema.js'

/** A price or a weight beyond this is a slip of the finger. */
const FACTOR_MAX = 1_000

/** Name of a node, a client, a tag or a group. */
export const id = z.custom<string>(isId, {
  error: 'wanted 1 to 64 of A-Z a-z 0-9 . _ - beginning with a letter or digit',
})

/** Returns a list of at most so many ids; the wire sets the bounds. */
export const ids = (max: number) => {
  const error = `wanted a list of at most ${max}, each once`
  return z
    .array(id, { error })
    .max(max, { error })
    .refine(list => new Set(list).size === list.length, { error })
}

export const amount = (min: number, max: number) => {
  const error = `wanted a number from ${min} to ${max}`
  return z.number({ error }).min(min, { error }).max(max, { error })
}

export const factor = amount(0, FACTOR_MAX)

/** How much each term of the cost counts. */
export const weights = z.partialRecord(z.enum(COST_TERMS), factor, {
  error: `wanted an object with a number for any of ${COST_TERMS.join(', ')}`,
})
