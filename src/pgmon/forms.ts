/** What the answers of this room have in common. A figure that is not known is null, and `unknown` says why. */
import { z } from 'zod'

export const figure = z.number().nullable()
export const text = z.string().nullable()

export const Unknown = z
  .object({
    what: z.string().meta({ description: 'A part of the answer: `wal`, `replication`, `statements`.' }),
    why: z
      .string()
      .meta({ description: 'In words: a right that is missing, an extension, the embedded database.' }),
  })
  .meta({ id: 'Unknown' })
export type Unknown = z.output<typeof Unknown>

export const unknown = z.array(Unknown)
