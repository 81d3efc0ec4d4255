/** How an agent of the lively demo reaches the others: how far away it is, and behind which NAT. */
import { dialWs, DirectSocket, type MeshAgentOptions, UdpWay } from '../../agent/index.js'
import { heldClock } from '../../agent/held-clock.js'
import { NatProber } from '../../agent/nat/nat-prober.js'
import type { Random } from '../../kit/random.js'
import { familyOf } from '../../protocol/address.js'
import { ownAddresses } from '../turn-mode.js'
import { Delay, distantDial } from './distance.js'
import { type NatKind, openBehind } from './nat.js'
import type { Place } from './places.js'

type Ways = Required<Pick<MeshAgentOptions, 'dial' | 'ways' | 'prober'>>

/** Returns the ways of the `index`th node, counting from 0. */
export const nodeWays = (index: number, place: Place, random: Random): Ways =>
  ways({ nat: natOf(NODE_NATS, index), index, place, random })

/** Returns the ways of the `index`th client, counting from 0. */
export const clientWays = (index: number, place: Place, random: Random): Ways =>
  ways({ nat: natOf(CLIENT_NATS, index), index, place, random })

interface Nat {
  readonly kind: NatKind
  /**
   * Shared by all is an address that this machine has besides loopback: who is seen there is seen to be behind a NAT, and
   * TURN does not relay to it, as it is the coordinator's too. To an own one, of loopback, TURN does.
   */
  readonly outside: 'shared' | 'own'
}

/** By turns; so that each tier has paths, and some have a reason not to leave the relay. */
const NODE_NATS: readonly Nat[] = [
  { kind: 'open', outside: 'shared' },
  { kind: 'cone', outside: 'own' },
  { kind: 'symmetric', outside: 'own' },
  { kind: 'cone', outside: 'own' },
  { kind: 'symmetric', outside: 'shared' },
  { kind: 'open', outside: 'shared' },
  { kind: 'blocked', outside: 'shared' },
]
const CLIENT_NATS: readonly Nat[] = (
  ['cone', 'symmetric', 'cone', 'symmetric', 'open', 'cone', 'blocked', 'symmetric'] as const
).map(kind => ({ kind, outside: 'shared' }))

const natOf = (nats: readonly Nat[], i: number): Nat => nats[i % nats.length] as Nat // inside, by the remainder

interface WaysOptions {
  readonly nat: Nat
  readonly index: number
  readonly place: Place
  readonly random: Random
}

function ways({ nat: { kind, outside }, index, place: { rttMs }, random }: WaysOptions): Ways {
  const delay = new Delay(heldClock, rttMs)
  const openDatagrams = openBehind({
    kind,
    delay,
    isHere,
    outside: outside === 'own' ? ownAddress(index) : SHARED,
    inside: `192.168.${index % 250}.2`,
  })
  const socket = new DirectSocket(openDatagrams)
  return {
    dial: distantDial(dialWs(), delay),
    // The addresses of the demo are this machine's own, which an agent would not believe.
    ways: [new UdpWay({ socket, reachable: ({ address }) => isHere(address) })],
    prober: new NatProber({ clock: heldClock, random, shared: socket, openDatagrams }),
  }
}

/** Whoever is seen at a loopback address is behind no NAT. */
const SHARED = ownAddresses().find(address => familyOf(address) === 4) ?? '127.0.0.1'

/** Linux has all of 127.0.0.0/8 without being asked. */
const ownAddress = (index: number): string =>
  process.platform === 'linux' ? `127.77.${index >> 8}.${1 + (index & 0xff)}` : '127.0.0.1'

const isHere = (address: string): boolean => address === SHARED || address.startsWith('127.')
