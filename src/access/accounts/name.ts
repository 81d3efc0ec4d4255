/** Names of accounts: what people sign in with, and what the audit tells. */
import { z } from 'zod'

/** Of an e-mail address, which a name may be (RFC 5321 §4.5.3.1), characters. */
const NAME_MAX = 254
/** Plain ASCII: no two names look alike. */
const NAME = /^[a-z0-9][a-z0-9._@+-]*$/i
/** The audit means somebody else by them. */
const TAKEN: ReadonlySet<string> = new Set(['operator', 'nobody', 'system'])

const error = `wanted 1 to ${NAME_MAX} of A-Z a-z 0-9 . _ @ + - beginning with a letter or digit`

/** A name that is looked for. */
export const name = z
  .string({ error })
  .max(NAME_MAX, { error })
  .regex(NAME, { error })
  .meta({ example: 'ada@example.org' })

/** A name that is given. */
export const newName = name.refine(text => !TAKEN.has(nameKey(text)), {
  error: `wanted another name than ${[...TAKEN].join(', ')}`,
})

/** Returns what names are compared by: their case does not count. */
export const nameKey = (text: string): string => text.toLowerCase()
