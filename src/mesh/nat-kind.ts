/**
 * What a route choice asks of the NAT of an end. Kinds are few however many nodes there are, and all of a kind share one
 * object; what is each end's own is a number. So a choice among very many reads neither of them from elsewhere.
 */
import type { Nat } from './nat.js'

/** What punching goes by, except for who else is behind the same NAT. */
export type NatKind = Pick<Nat, 'udp' | 'mapping' | 'filtering' | 'nat' | 'hairpin' | 'ipv6'>

const KINDS = new Map<string, NatKind>()

/** Returns the one object of all NATs of this kind. */
export function kindOf({ udp, mapping, filtering, nat, hairpin, ipv6 }: Nat): NatKind {
  const key = `${udp} ${mapping} ${filtering} ${nat} ${hairpin} ${ipv6}`
  const known = KINDS.get(key)
  if (known !== undefined) return known
  const kind = { udp, mapping, filtering, nat, hairpin, ipv6 }
  KINDS.set(key, kind)
  return kind
}

/** Returns the IPv4 address that the world sees, as a number of 32 bits; null when it was not seen. */
export const seenAtOf = ({ mapped4 }: Nat): number | null =>
  mapped4 === null ? null : numberOf(mapped4.address)

/** Reads dotted IPv4 in its canonical form, without an object: it is asked for each request of a client. */
function numberOf(address: string): number {
  let [number, byte] = [0, 0]
  for (let i = 0; i < address.length; i++) {
    const digit = address.charCodeAt(i) - ZERO
    if (digit >= 0) byte = 10 * byte + digit
    else [number, byte] = [(number << 8) | byte, 0]
  }
  return (number << 8) | byte
}

const ZERO = '0'.charCodeAt(0)
