/** What a NAT does in a few words, for tables and sentences. */
import type { Behaviour, Nat } from './nat.js'

/** Returns such as `maps per destination, lets in ports it sent to`. */
export function natInWords(nat: Nat): string {
  if (nat.udp === 'blocked') return 'UDP does not get out'
  if (nat.mapping === 'unknown' && nat.filtering === 'unknown') return 'not known'
  return `${nat.nat === false ? 'no NAT' : MAPPING[nat.mapping]}, ${FILTERING[nat.filtering]}`
}

/** Returns what people call such a NAT: `full cone`, `port restricted`, `symmetric`; null when it is not known. */
export function natName({ udp, nat, mapping, filtering }: Nat): string | null {
  if (udp === 'blocked') return 'UDP blocked'
  if (nat === false) return filtering.startsWith('address') ? 'none, firewall' : 'none'
  if (mapping === 'unknown') return null
  return mapping.startsWith('address') ? 'symmetric' : CONES[filtering]
}

const CONES: Readonly<Record<Behaviour, string>> = {
  endpoint_independent: 'full cone',
  address_dependent: 'restricted',
  address_and_port_dependent: 'port restricted',
  port_independent: 'cone',
  unknown: 'cone',
}

const MAPPING: Readonly<Record<Behaviour, string>> = {
  endpoint_independent: 'one mapping for all',
  address_dependent: 'maps per address',
  address_and_port_dependent: 'maps per destination',
  port_independent: 'one mapping for all ports',
  unknown: 'mapping not known',
}

const FILTERING: Readonly<Record<Behaviour, string>> = {
  endpoint_independent: 'lets in anyone',
  address_dependent: 'lets in addresses it sent to',
  address_and_port_dependent: 'lets in ports it sent to',
  port_independent: 'lets in any port',
  unknown: 'filter not known',
}
