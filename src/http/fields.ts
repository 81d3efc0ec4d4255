/** What several definitions have in common; each field says what was wanted. */
import { z } from 'zod'
import { COST_TERMS } from '../protocol/messages.js'
import { isId } from '../protocol/schema.js'

const anId = { error: 'wanted 1 to 64 of A-Z a-z 0-9 . _ - beginning with a letter or digit' }

/** Name of a node, a client, a tag or a group. */
export const id = z
  .string(anId)
  .refine(isId, anId)
  .meta({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$', example: 'fra-1' })

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

export const whole = (min: number, max: number) => {
  const error = `wanted a whole number from ${min} to ${max}`
  return z.int({ error }).min(min, { error }).max(max, { error })
}

export const text = (max: number) => {
  const error = `wanted 1 to ${max} characters`
  return z.string({ error }).min(1, { error }).max(max, { error })
}

export const oneOf = <const T extends readonly [string, ...string[]]>(...values: T) =>
  z.enum(values, { error: `wanted one of ${values.join(', ')}` })

export const country = z
  .string({ error: 'wanted two capital letters such as DE' })
  .regex(/^[A-Z]{2}$/, { error: 'wanted two capital letters such as DE' })
  .meta({ example: 'DE' })

export const yesNo = z.boolean({ error: 'wanted true or false' })

/** A moment as it is answered: ISO 8601, UTC. */
export const moment = z.iso.datetime().meta({ example: '2026-01-15T10:30:00.000Z' })

/** The last moment that databases spell as we do, ms: the end of the year 9999. */
export const MOMENT_MAX_MS = 253_402_300_799_999

/** A moment as it is asked for: ISO 8601 with any offset, or ms since 1970 UTC; gives ms since 1970 UTC. */
export const instant = z
  .union([z.iso.datetime({ offset: true }), z.string().regex(/^\d{1,15}$/)], {
    error: 'wanted a time such as 2026-01-15T10:30:00Z, or ms since 1970 UTC',
  })
  .transform(given => (/^\d+$/.test(given) ? Number(given) : Date.parse(given)))
  .refine(ms => ms >= 0 && ms <= MOMENT_MAX_MS, { error: 'wanted a time of the years 1970 to 9999' })

/** A price or a weight beyond this is a slip of the finger. */
const FACTOR_MAX = 1_000

export const factor = amount(0, FACTOR_MAX)

/** How much each term of the cost counts. */
export const weights = z.partialRecord(z.enum(COST_TERMS), factor, {
  error: `wanted an object with a number for any of ${COST_TERMS.join(', ')}`,
})
