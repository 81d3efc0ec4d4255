/** What a classification should say of a place in the lab, had it seen everything. */
import { type Nat, UNKNOWN_NAT } from '../../src/mesh/nat.js'
import { type Dependence, type NatOptions, NATS } from './nat.js'
import { type Place, specOf } from './udp-net.js'

/** From the freest to the strictest. */
export const DEPENDENCES: readonly Dependence[] = [
  'endpoint_independent',
  'address_dependent',
  'address_and_port_dependent',
]

/** Returns the words for the routers of a place: of several in a row, the strictest counts. */
export function truthOf({ nat = [], v6 = false, blocksUdp = false }: Place): Nat {
  if (blocksUdp) return { ...UNKNOWN_NAT, udp: 'blocked' }
  const routers = nat.map(spec => {
    const { kind, ...other } = specOf(spec)
    return { ...NATS[kind], ...other }
  })
  return {
    ...UNKNOWN_NAT,
    udp: 'open',
    mapping: strictest(routers, 'mapping'),
    filtering: strictest(routers, 'filtering'),
    nat: routers.length > 0,
    hairpin: routers.at(-1)?.hairpin ?? true,
    portPreservation: routers.every(({ preservesPort }) => preservesPort),
    ipv6: v6,
  }
}

function strictest(routers: readonly NatOptions[], of: 'mapping' | 'filtering'): Dependence {
  const strict = Math.max(0, ...routers.map(router => DEPENDENCES.indexOf(router[of])))
  return DEPENDENCES[strict] as Dependence // in range
}
