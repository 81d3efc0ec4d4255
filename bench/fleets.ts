/** A fleet in memory, as the coordinator holds it: real nodes over a real ledger of heartbeats, and clients that ask. */
import { Fleet } from '../src/actors/coordinator/fleet.js'
import type { FleetNode } from '../src/actors/coordinator/fleet-node.js'
import type { RouteWish } from '../src/actors/ports.js'
import type { Cell } from '../src/actors/session/cell.js'
import { pick, type Random, seededRandom } from '../src/kit/random.js'
import { HeartbeatLedger, stampOf } from '../src/lanes/heartbeat-ledger.js'
import type { ClientFacts } from '../src/mesh/client-facts.js'
import { type Nat, UNKNOWN_NAT } from '../src/mesh/nat.js'
import { seenAtOf } from '../src/mesh/nat-kind.js'
import { positionOf } from '../src/mesh/position.js'
import { NO_STEERING } from '../src/mesh/steering.js'
import { USUAL_TERMS } from '../src/mesh/terms.js'
import { encode } from '../src/protocol/codec.js'
import { EXAMPLES } from '../src/protocol/examples.js'
import { identity } from './servers/population.js'

/** A few countries have most of the nodes, and most of the requests. */
export const COUNTRIES = [
  'DE',
  'US',
  'NL',
  'FR',
  'GB',
  'SG',
  'JP',
  'PL',
  'SE',
  'FI',
  'CH',
  'BR',
  'IN',
  'AU',
  'ZA',
  'KE',
]
const NATS: readonly Nat[] = [
  ['endpoint_independent', 'endpoint_independent'] as const,
  ['endpoint_independent', 'address_and_port_dependent'] as const,
  ['address_and_port_dependent', 'address_and_port_dependent'] as const,
].map(([mapping, filtering]) => ({ ...UNKNOWN_NAT, udp: 'open', nat: true, ipv6: false, mapping, filtering }))
/** Places of a node: a home, a small server, a large one. */
const PLACES = [50, 100, 200, 1_000] as const
/** Requests that are made once and asked again and again. */
const ASKED = 4_096

/** Share of the nodes of country `i`, up to a factor. */
const shareOf = (i: number) => 1 / (i + 1)
const SHARES = COUNTRIES.reduce((sum, _, i) => sum + shareOf(i), 0)

function someCountry(random: Random): string {
  let left = random.float() * SHARES
  return COUNTRIES.find((_, i) => (left -= shareOf(i)) <= 0) ?? 'DE'
}

export interface Asked {
  readonly wish: RouteWish
  readonly client: ClientFacts
}

export interface BenchFleet {
  readonly fleet: Fleet
  readonly nodes: readonly FleetNode[]
  /** Free places of an empty fleet. */
  readonly places: number
  /** A mix of requests: by country, exits, with a bandwidth, with a round trip. */
  readonly asked: readonly Asked[]
}

export interface FleetWish {
  /** Nodes differ in nothing but their places, and requests ask for nothing. */
  readonly alike?: boolean
}

export function fleetOf(size: number, { alike = false }: FleetWish = {}): BenchFleet {
  const random = seededRandom(1)
  const ledger = new HeartbeatLedger()
  // One each, as it is where all of it was found out.
  const nats = Array.from({ length: size }, () => (alike ? UNKNOWN_NAT : someNat(random)))
  const losses = Array.from({ length: size }, () => (alike ? null : random.float()))
  const flaps = Array.from({ length: size }, () => (alike ? null : random.float() / 4))
  const fleet = new Fleet({
    gauges: ledger,
    policyOf: cell => cell.identity.profile.policy,
    natOf: cell => nats[cell.slot] as Nat,
    lossPctOf: cell => losses[cell.slot] as number | null,
    flapsOf: cell => flaps[cell.slot] as number | null,
  })
  const nodes = Array.from({ length: size }, (_, slot) => {
    if (!alike) beat(ledger, slot, random)
    return fleet.set(nodeCell(slot, random, alike), true)
  })
  return {
    fleet,
    nodes,
    places: nodes.reduce((sum, node) => sum + (node.maxSessions ?? 0), 0),
    asked: Array.from({ length: ASKED }, () => ({
      wish: alike ? {} : someWish(random),
      client: alike ? NOBODY : someClient(random),
    })),
  }
}

const someNat = (random: Random): Nat => ({
  ...(NATS[pick(random, NATS.length)] as Nat), // inside
  mapped4: { address: `198.${18 + pick(random, 2)}.${pick(random, 256)}.${pick(random, 256)}`, port: 40_000 },
})

function nodeCell(slot: number, random: Random, alike: boolean): Cell {
  const usual = identity(slot, 'node')
  const maxSessions = PLACES[pick(random, PLACES.length)] as number // inside
  const own = {
    latitude: random.float() * 120 - 60,
    longitude: random.float() * 360 - 180,
    country: someCountry(random),
    exit: random.float() < 0.6,
    bandwidthMbps: 100 + pick(random, 900),
  }
  const profile = { ...usual.profile, ...(alike ? {} : own), maxSessions }
  return {
    slot,
    role: 'node',
    sessionId: `session-${slot}`,
    identity: { ...usual, profile },
    terms: USUAL_TERMS,
    standing: null as never, // nobody asks what it does
    line: null,
    incoming: null,
    ticket: null,
    startedAtMs: 0,
    lostMs: null,
    lapsed: false,
    links: null,
  }
}

/** The heartbeat that says how the node is. */
function beat(ledger: HeartbeatLedger, slot: number, random: Random): void {
  const now = 1_000_000
  ledger.open(slot, now)
  const message = encode({
    ...EXAMPLES.heartbeat,
    echoStamp: stampOf(now - 5 - random.float() * 150),
    echoHeldMs: 0,
    cpuTotalPct: random.float() * 80,
    bwTotalMbps: random.float() * 100,
    packetLossPct: random.float(),
    latencyP50Ms: 5 + random.float() * 100,
  })
  ledger.beat(slot, message, 0, now)
}

/** A client of whom nothing is known. */
export const NOBODY: ClientFacts = {
  position: null,
  nat: UNKNOWN_NAT,
  seenAt: null,
  policy: 'auto',
  steering: NO_STEERING,
  groups: [],
}

function someClient(random: Random): ClientFacts {
  const nat = someNat(random)
  return {
    position: positionOf(random.float() * 120 - 60, random.float() * 360 - 180),
    nat,
    seenAt: seenAtOf(nat),
    policy: 'auto',
    steering: NO_STEERING,
    groups: [],
  }
}

const someWish = (random: Random): RouteWish => ({
  ...(random.float() < 0.5 && { country: someCountry(random) }),
  ...(random.float() < 0.4 && { exit: true }),
  ...(random.float() < 0.2 && { minBandwidthMbps: 50 + pick(random, 150) }),
  ...(random.float() < 0.2 && { maxLatencyMs: 60 + pick(random, 60) }),
})
