/** What a client may want of its node, as settings: those of `boson client`, and flags of `boson route`. */
import { z } from 'zod'
import type { RouteWish } from '../actors/ports.js'
import { COST_TERMS } from '../protocol/messages.js'
import type { ValuesOf } from './read-settings.js'
import { type Accepts, list, matching, number, optional, text } from './setting.js'

export const name = matching(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  '1 to 64 of A-Z a-z 0-9 . _ - beginning with a letter or digit',
)
export const country = matching(/^[A-Z]{2}$/, 'two capital letters such as DE')

/** As many as the wire takes. */
export const TAGS_MAX = 16
export const PREFER_MAX = 16
export const AVOID_MAX = 32

/** How much terms of the cost count: `rtt=2,price=0`. */
export type Weights = Readonly<Partial<Record<(typeof COST_TERMS)[number], number>>>

const factors = z.partialRecord(z.enum(COST_TERMS), z.coerce.number().min(0).max(1_000))

export const weights: Accepts<Weights> = {
  schema: z.union([
    factors,
    z
      .string()
      .regex(/^\w+=[\d.]+(,\w+=[\d.]+)*$/)
      .transform(value => Object.fromEntries(value.split(',').map(part => part.split('='))))
      .pipe(factors),
  ]),
  wanted: `terms and factors such as rtt=2,price=0; terms are ${COST_TERMS.join(', ')}`,
}

export const WISH_SETTINGS = {
  country: optional('BOSON_COUNTRY', country, { doc: 'The node is in this country.', example: 'DE' }),
  region: optional('BOSON_REGION', text(64), { doc: 'The node is in this region.' }),
  node: optional('BOSON_NODE', name, { doc: 'This node and no other.' }),
  tags: optional('BOSON_TAGS', list(name, TAGS_MAX), { doc: 'The node has all of these tags.' }),
  group: optional('BOSON_GROUP', name, { doc: 'The node is in this group of the operator’s.' }),
  minBandwidth: optional('BOSON_MIN_BANDWIDTH', number(0, 1_000_000), {
    doc: 'The node has at least this much left, Mbit/s.',
  }),
  maxLatency: optional('BOSON_MAX_LATENCY', number(0, 60_000), {
    doc: 'The node’s round trip to the coordinator is at most this, ms.',
  }),
  prefer: optional('BOSON_PREFER', list(name, PREFER_MAX), {
    doc: 'One of these nodes, if any of them qualifies.',
  }),
  avoid: optional('BOSON_AVOID', list(name, AVOID_MAX), {
    doc: 'One of these nodes only when no other qualifies.',
  }),
  weigh: optional('BOSON_WEIGH', weights, {
    doc: 'How much a term of a route’s cost counts; 1 is usual, 0 not at all.',
    example: 'rtt=2,price=0',
  }),
}

/** Returns the wish as the coordinator hears it; what is not wanted is not in it. */
export function wishOf(settings: ValuesOf<typeof WISH_SETTINGS>): RouteWish {
  const { country, region, node, tags, group, minBandwidth, maxLatency, prefer, avoid, weigh } = settings
  return {
    ...(country !== null && { country }),
    ...(region !== null && { region }),
    ...(node !== null && { target: node }),
    ...(tags !== null && { tags }),
    ...(group !== null && { group }),
    ...(minBandwidth !== null && { minBandwidthMbps: minBandwidth }),
    ...(maxLatency !== null && { maxLatencyMs: maxLatency }),
    ...(prefer !== null && { prefer }),
    ...(avoid !== null && { avoid }),
    ...(weigh !== null && { weights: weightList(weigh) }),
  }
}

/** Returns weights as the wire spells them. */
export const weightList = (weights: Weights): NonNullable<RouteWish['weights']> =>
  COST_TERMS.flatMap(term => (weights[term] === undefined ? [] : [[term, weights[term]] as const]))
