/**
 * The addresses of the mesh, by index: index 1 is the coordinator's, agents have 2 and above.
 *
 *     10.77.0.0/16 + fd77:…::/64     index 2 → 10.77.0.2 and fd77:…::2
 */
import ipaddr from 'ipaddr.js'
import { BadOverlay } from './errors.js'

export interface OverlayOptions {
  /** IPv4 network of the mesh, such as `10.77.0.0/16`. */
  readonly overlay4: string
  /** IPv6 network of the mesh, a `/64`. */
  readonly overlay6: string
}

export interface OverlayAddresses {
  readonly overlay4: string
  readonly overlay6: string
}

/** The index of an agent; 0 is the network itself and 1 the coordinator. */
export const FIRST_AGENT_INDEX = 2

export class OverlayPool {
  /** The networks as they are compared and stored: host bits cleared, spelled in one way. */
  readonly overlay4: string
  readonly overlay6: string
  /** The last index an agent may have; the address above it is the broadcast address. */
  readonly lastIndex: number
  readonly #network4: readonly number[]
  readonly #network6: readonly number[]

  /** Throws a BadOverlay that names the network which is not usable. */
  constructor(options: OverlayOptions) {
    const four = network('overlay4', options.overlay4, 'ipv4', 30, '10.77.0.0/16')
    const six = network('overlay6', options.overlay6, 'ipv6', 64, 'fd77:1:2:3::/64')
    this.overlay4 = `${four.address.toString()}/${four.prefix}`
    this.overlay6 = `${six.address.toString()}/${six.prefix}`
    // The IPv6 half has room for any 32-bit index. The index is a signed 32-bit integer in the tables.
    this.lastIndex = Math.min(2 ** (32 - four.prefix) - 2, 2 ** 31 - 1)
    this.#network4 = four.address.toByteArray()
    this.#network6 = six.address.toByteArray()
  }

  /** Returns the two addresses of an index, without prefix length. */
  addresses(index: number): OverlayAddresses {
    return {
      overlay4: ipaddr.fromByteArray(plus(this.#network4, index)).toString(),
      overlay6: ipaddr.fromByteArray(plus(this.#network6, index)).toString(),
    }
  }

  /** Returns the index whose IPv4 address this is, or null when it is none of an agent's. */
  indexOf(overlay4: string): number | null {
    const index = number(ipaddr.IPv4.parse(overlay4).toByteArray()) - number(this.#network4)
    return index >= FIRST_AGENT_INDEX && index <= this.lastIndex ? index : null
  }
}

const number = (bytes: readonly number[]): number => bytes.reduce((sum, byte) => sum * 256 + byte, 0)

function network(name: string, text: string, kind: 'ipv4' | 'ipv6', longest: number, example: string) {
  const wanted = `${name}: wanted an ${kind === 'ipv4' ? 'IPv4' : 'IPv6'} network of /${longest} or wider such as ${example}, got '${text}'`
  if (!ipaddr.isValidCIDR(text)) throw new BadOverlay(wanted)
  const [host, prefix] = ipaddr.parseCIDR(text)
  if (host.kind() !== kind || prefix > longest) throw new BadOverlay(wanted)
  const family = kind === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6
  return { address: family.networkAddressFromCIDR(text), prefix }
}

/** Adds an index to a network whose host bits are zero. */
function plus(bytes: readonly number[], index: number): number[] {
  const sum = [...bytes]
  let carry = index
  for (let i = sum.length - 1; i >= 0 && carry > 0; i--) {
    carry += sum[i] as number // i is inside
    sum[i] = carry % 256
    carry = Math.floor(carry / 256)
  }
  return sum
}
