/** A usual node and a usual client, for tests that say what is unusual. */
import type { ClientFacts } from '../../src/mesh/client-facts.js'
import { UNKNOWN_NAT } from '../../src/mesh/nat.js'
import type { NodeFacts } from '../../src/mesh/node-facts.js'
import { NodePools } from '../../src/mesh/pools.js'
import { NO_STEERING } from '../../src/mesh/steering.js'

export const NODE: NodeFacts = {
  id: 'fra-1',
  accepting: true,
  draining: false,
  degraded: false,
  country: 'DE',
  region: 'eu-central',
  tags: ['vps'],
  groups: ['paid'],
  exit: false,
  policy: 'auto',
  costWeight: null,
  position: null,
  nat: UNKNOWN_NAT,
  seenAt: null,
  maxSessions: 100,
  reserved: 0,
  linksLeft: 1_000,
  bandwidthMbps: 1_000,
  bwTotalMbps: 100,
  rttMs: 20,
  lossPct: null,
  flaps: 0,
  cpuTotalPct: 10,
  packetLossPct: 0,
  latencyP50Ms: null,
  pressurePct: null,
}

export const CLIENT: ClientFacts = {
  position: null,
  nat: UNKNOWN_NAT,
  seenAt: null,
  policy: 'auto',
  steering: NO_STEERING,
  groups: [],
}

export function poolsOf<N extends NodeFacts>(nodes: Iterable<N>): NodePools<N> {
  const pools = new NodePools<N>()
  for (const node of nodes) pools.update(node)
  return pools
}
