/** Where STUN and TURN listen and relay, by the settings and by the addresses that this machine has. */
import { familyOf } from '../protocol/address.js'
import type { ListenOptions } from '../turn/index.js'
import type { Config } from './config.js'

/** One IP version of this machine. */
export interface Place {
  /** What listeners bind; may be a wildcard. */
  readonly bind: string
  /** What relays bind. */
  readonly relay: string
  /** Both, as the world sees them. */
  readonly advertised: string
}

type PlaceSettings = Pick<Config, 'turnAddress' | 'turnAddress6' | 'turnOtherAddress'>

/**
 * Returns a place for each IP version served, IPv4 first. `host` is an IP address, `own` are those of this machine
 * that others may reach.
 */
export function places(
  host: string,
  { turnAddress, turnAddress6, turnOtherAddress }: PlaceSettings,
  own: readonly string[],
): readonly Place[] {
  const first = (family: 4 | 6) => own.find(address => familyOf(address) === family)
  const v4 = WILDCARDS.has(host) ? first(4) : familyOf(host) === 4 ? host : undefined
  const v6 = turnAddress6 ?? (host === '::' ? first(6) : familyOf(host) === 6 ? host : undefined)
  const place = (bind: string, relay: string, advertised = relay): Place => ({
    // Answers from one address or the other: then each listener has to have its own.
    bind: turnOtherAddress !== null && familyOf(turnOtherAddress) === familyOf(relay) ? relay : bind,
    relay,
    advertised,
  })
  const found = [
    ...(v4 === undefined ? [] : [place(WILDCARDS.has(host) ? '0.0.0.0' : v4, v4, turnAddress ?? v4)]),
    ...(v6 === undefined ? [] : [place(host === '::' ? '::' : v6, v6)]),
  ]
  return found.length > 0 ? found : [place('127.0.0.1', '127.0.0.1', turnAddress ?? '127.0.0.1')]
}

const WILDCARDS = new Set(['0.0.0.0', '::'])

interface ListenPorts {
  readonly port: number
  /** null: no TLS. */
  readonly tlsPort: number | null
}

/** Returns listeners for clients: UDP, TCP and, with a certificate, TLS. */
export const served = (at: readonly Place[], { port, tlsPort }: ListenPorts): ListenOptions[] =>
  at.flatMap(({ bind: address, advertised }) => [
    { transport: 'udp' as const, address, advertised, port },
    { transport: 'tcp' as const, address, advertised, port },
    ...(tlsPort === null ? [] : [{ transport: 'tls' as const, address, advertised, port: tlsPort }]),
  ])

/** Returns the listeners that show what a NAT does: the second port, and both ports of a second address. */
export const probed = (
  at: readonly Place[],
  ports: readonly [port: number, other: number],
  other: string | null,
): ListenOptions[] =>
  at.flatMap(({ bind, relay, advertised }) => {
    const only = { transport: 'udp' as const, onlyProbed: true }
    const beside = { ...only, address: bind, advertised, port: ports[1] }
    return other === null || familyOf(other) !== familyOf(relay)
      ? [beside]
      : [beside, ...ports.map(port => ({ ...only, address: other, port }))]
  })

/** Returns the listeners with those of UDP first, by IP version: their indexes are those of the servers to probe. */
export const inOrder = (listen: readonly ListenOptions[]): ListenOptions[] =>
  [...listen].sort(
    (a, b) =>
      Number(b.transport === 'udp') - Number(a.transport === 'udp') ||
      familyOf(a.address) - familyOf(b.address),
  )
