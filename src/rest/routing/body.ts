/** A request for a route, as clients of the first BosonServer spell it, and as the wire does. */
import { z } from 'zod'
import type { RouteWish } from '../../actors/ports.js'
import { amount, id } from '../../http/fields.js'
import { countryCode, endpointField, ipAddress, line, natType, proof, publicKey } from '../fields.js'

const MBPS_MAX = 1_000_000
const MS_MAX = 60_000

const Requirements = z
  .object({
    minBandwidth: amount(0, MBPS_MAX).meta({ description: 'The node has at least this much left, Mbit/s.' }),
    maxLatency: amount(0, MS_MAX).meta({
      description:
        'The round trip from the coordinator to the node is at most this, ms; of a node that speaks HTTP, the `latency` that it reports.',
    }),
    preferredLocation: line(64).meta({ description: 'The node is in this region.', example: 'eu-central' }),
    preferredCountry: countryCode.meta({ description: 'The node is in this country.' }),
    exit: z.boolean().meta({ description: 'The node forwards to the internet.' }),
  })
  .partial()

export const RouteRequest = z.object({
  clientId: id.meta({ description: 'A UUID, or any other name.' }),
  targetNodeId: id.nullable().default(null).meta({ description: 'This node and no other.' }),
  requirements: Requirements.default({}).meta({
    description: 'All that is given is met, or the request is refused.',
  }),
  clientNetworkInfo: z
    .object({
      ipv4: ipAddress,
      natType,
      stunMappedAddress: endpointField.nullable().default(null),
    })
    .optional(),
  publicKey: publicKey.optional().meta({
    description: 'Of the client’s WireGuard. A new client that names none is given a key pair.',
  }),
  proof: proof.optional(),
})

export type RouteRequest = z.output<typeof RouteRequest>

/** Returns the request as the wire spells it. */
export function wishOf({ targetNodeId, requirements }: RouteRequest): RouteWish {
  const { minBandwidth, maxLatency, preferredCountry, preferredLocation = '', exit } = requirements
  return {
    ...(targetNodeId !== null && { target: targetNodeId }),
    ...(minBandwidth !== undefined && { minBandwidthMbps: minBandwidth }),
    ...(maxLatency !== undefined && { maxLatencyMs: maxLatency }),
    ...(preferredCountry !== undefined && { country: preferredCountry }),
    ...(preferredLocation !== '' && { region: preferredLocation }),
    ...(exit !== undefined && { exit }),
  }
}
