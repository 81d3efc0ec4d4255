/** What nodes and clients have in common as answers tell it. */
import { z } from 'zod'
import { id } from '../../../http/fields.js'
import { Nat } from './nat.js'

export const session = {
  id,
  sessionId: z.string(),
  state: z.string().meta({
    description: 'State of its actor: `registering`, `online`, `lapsed`, `suspended` …',
    example: 'online',
  }),
  generation: z.int().meta({ description: 'Counts the sessions of this identity; the newest wins.' }),
  overlay4: z.string().meta({ example: '10.77.0.2' }),
  overlay6: z.string().meta({ example: 'fd77:b050::2' }),
  silentMs: z
    .number()
    .nullable()
    .meta({ description: 'Since when nothing was heard of it, ms; null without a socket.' }),
  rttMs: z.number().nullable().meta({ description: 'Smoothed round trip to the coordinator, ms.' }),
  nat: Nat,
}
