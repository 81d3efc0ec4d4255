/**
 * Who is on the other end. Forwarded headers are believed only when a configured proxy sent them, and of
 * those only the part that our own proxies wrote: the right-most address that is not one of them.
 */
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Network = [Address, number]

export interface Remote {
  /** Normalised: IPv4 addresses in IPv6 clothes are undressed. */
  readonly address: string
  /** True when the caller runs on this machine, as far as can be told. */
  readonly local: boolean
}

/** Callers whose address was read lately, since they come back; the oldest is forgotten first. */
const KNOWN_MAX = 10_000

export class Remotes {
  readonly #trusted: readonly Network[]
  readonly #known = new Map<string, Remote>()

  /** `trustedProxies` are addresses or networks. */
  constructor(trustedProxies: readonly string[]) {
    this.#trusted = trustedProxies.map(text => {
      const address = ipaddr.process(text.split('/')[0] as string) // split yields at least one part
      const bits = text.includes('/') ? Number(text.split('/')[1]) : address.kind() === 'ipv4' ? 32 : 128
      return [address, bits]
    })
  }

  /** `peer` is the socket's own address in network order, `forwardedFor` the header, empty when absent. */
  of(peer: Uint8Array, forwardedFor: string): Remote {
    const key = Buffer.from(peer.buffer, peer.byteOffset, peer.length).toString('latin1')
    const known = forwardedFor === '' ? this.#known.get(key) : undefined
    if (known !== undefined) return known
    const remote = this.#read(peer, forwardedFor)
    if (forwardedFor === '') {
      if (this.#known.size >= KNOWN_MAX) this.#known.delete(this.#known.keys().next().value ?? '')
      this.#known.set(key, remote)
    }
    return remote
  }

  #read(peer: Uint8Array, forwardedFor: string): Remote {
    const address = undressed(ipaddr.fromByteArray([...peer]))
    if (forwardedFor === '') return { address: address.toString(), local: address.range() === 'loopback' }
    // An unknown proxy on this machine speaks for others: it is not local, and its header counts for nothing.
    if (!this.#trusts(address)) return { address: address.toString(), local: false }
    let nearest = address
    for (const hop of forwardedFor.split(',').reverse()) {
      const text = hop.trim()
      if (!ipaddr.isValid(text)) break
      nearest = ipaddr.process(text)
      if (!this.#trusts(nearest)) break
    }
    return { address: nearest.toString(), local: false }
  }

  #trusts(address: Address): boolean {
    return this.#trusted.some(
      ([network, bits]) => network.kind() === address.kind() && address.match(network as ipaddr.IPv4, bits), // same kind
    )
  }
}

const undressed = (address: Address): Address =>
  address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress() // of this kind
    ? (address as ipaddr.IPv6).toIPv4Address()
    : address
