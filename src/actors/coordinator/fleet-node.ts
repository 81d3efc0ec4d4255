/**
 * A node as route choice sees it: gauges are read from where they are written, the rest is held in the node itself. A
 * choice among a hundred thousand nodes waits for memory more than for anything else, and each object that it has to
 * follow a pointer to is another wait. So what a draw asks stands first, what a comparison asks is next to it, and
 * fractions are whole hundredths, for an object holds only whole numbers in itself.
 */
import { LINKS_PER_SESSION_MAX } from '../../protocol/relay-frame.js'
import { type Nat, UNKNOWN_NAT } from '../../mesh/nat.js'
import { kindOf, type NatKind, seenAtOf } from '../../mesh/nat-kind.js'
import type { NodeFacts } from '../../mesh/node-facts.js'
import type { Agreed } from '../../mesh/path-policy.js'
import { type Position, positionOf } from '../../mesh/position.js'
import { pressureOf } from '../../mesh/pressure.js'
import type { IdentityId, Slot, Steering } from '../ports.js'
import type { Cell } from '../session/cell.js'

/** Links that a node may have which has not said how many clients it carries: nobody knows what it is made for. */
const UNSTATED_LINKS_MAX = 4_000

type ReadGauge =
  | 'bwTotalMbps'
  | 'cpuTotalPct'
  | 'packetLossPct'
  | 'latencyP50Ms'
  | 'latencyP95Ms'
  | 'conntrackUsagePct'
  | 'softirqPct'
  | 'connEstRateS'
  | 'ppsTotal'
  | 'rxDropped'
  | 'txDropped'

/** Where a node's gauges are read. */
export interface GaugeReader {
  gauge(slot: Slot, name: ReadGauge): number | null
  rttMs(slot: Slot): number | null
}

/** Returns which ways the packets of an end may travel. */
export type PolicyOf = (end: Cell) => Agreed

/** Where everything else about a node is known. */
export interface NodeSources {
  readonly gauges: GaugeReader
  readonly policyOf: PolicyOf
  readonly natOf: (end: Cell) => Nat
  readonly steeringOf: (id: IdentityId) => Steering
  /** Packets lost on the way to the node as its clients measured it, %. */
  readonly lossPctOf: (node: Cell) => number | null
  /** Sessions that the node lost lately, old ones counting less and less. */
  readonly flapsOf: (node: Cell) => number | null
  /** Packets that the node's interface dropped, % of those that it carried. */
  readonly dropPctOf: (node: Cell) => number | null
}

/** Figures that are fractions are as fine as this. */
const PARTS = 100
const inParts = (figure: number | null): number | null =>
  figure === null ? null : Math.round(PARTS * figure)
const ofParts = (parts: number | null): number | null => (parts === null ? null : parts / PARTS)

const UNKNOWN_KIND = kindOf(UNKNOWN_NAT)

export class FleetNode implements NodeFacts {
  // What a draw asks, and whoever takes a place.
  reserved = 0
  maxSessions: number | null = null
  /** Whether it was full when that was last told. Owned by the fleet. */
  wasFull = false
  /** It carries badly. Owned by the watch. */
  degraded = false
  // What a comparison asks.
  policy: Agreed = null
  bandwidthMbps: number | null = null
  costWeight: number | null = null
  pressurePct: number | null = null
  #loss: number | null = null
  #flaps: number | null = null
  #isPlaced = false
  #x = 0
  #y = 0
  #z = 0
  nat: NatKind = UNKNOWN_KIND
  seenAt: number | null = null
  readonly #slot: Slot
  readonly #sources: NodeSources
  // What the pools ask when something changes, and what only some requests ask.
  /** It has a socket and is heard. */
  accepting: boolean
  /** It goes of its own accord, or is being emptied. */
  isLeaving = false
  #isDrained = false
  country: string | null = null
  region: string | null = null
  exit = false
  tags: readonly string[] = []
  groups: readonly string[] = []
  id = ''
  readonly cell: Cell
  /** What `nat` and `seenAt` were read from. */
  #natRead: Nat = UNKNOWN_NAT

  constructor(cell: Cell, accepting: boolean, sources: NodeSources) {
    this.cell = cell
    this.accepting = accepting
    this.#sources = sources
    this.#slot = cell.slot
    this.refresh()
  }

  /** Reads again what others have found out; once a beat, for all of it is looked up. */
  measure(): void {
    const nat = this.#sources.natOf(this.cell)
    if (nat !== this.#natRead) this.#readNat(nat)
    this.#loss = inParts(this.#sources.lossPctOf(this.cell))
    this.#flaps = inParts(this.#sources.flapsOf(this.cell))
    this.pressurePct = pressureOf({
      conntrackUsagePct: this.#gauge('conntrackUsagePct'),
      softirqPct: this.#gauge('softirqPct'),
      connEstRateS: this.#gauge('connEstRateS'),
      dropPct: this.#sources.dropPctOf(this.cell),
      latencyP95Ms: this.#gauge('latencyP95Ms'),
    })
  }

  /** Reads again what the agent and the operator say of the node. */
  refresh(): void {
    this.measure()
    const { id, profile } = this.cell.identity
    const steering = this.#sources.steeringOf(id)
    this.id = id
    this.country = profile.country
    this.region = profile.region
    this.tags = steering.tags.length === 0 ? profile.tags : [...profile.tags, ...steering.tags]
    this.groups = steering.groups
    this.exit = profile.exit
    this.policy = this.#sources.policyOf(this.cell)
    this.costWeight = steering.costWeight ?? profile.costWeight
    this.#place(positionOf(profile.latitude, profile.longitude))
    this.maxSessions = steering.maxSessions ?? profile.maxSessions
    this.bandwidthMbps = profile.bandwidthMbps
    this.#isDrained = steering.drained
  }

  #readNat(nat: Nat): void {
    this.#natRead = nat
    this.nat = kindOf(nat)
    this.seenAt = seenAtOf(nat)
  }

  #place(position: Position | null): void {
    this.#isPlaced = position !== null
    if (position === null) return
    this.#x = position.x
    this.#y = position.y
    this.#z = position.z
  }

  get draining(): boolean {
    return this.#isDrained || this.isLeaving
  }
  get isFull(): boolean {
    return this.maxSessions !== null && this.reserved >= this.maxSessions
  }
  /** Each link has a place, so only where very many are taken have the links to be counted. */
  get linksLeft(): number {
    const most = this.maxSessions === null ? UNSTATED_LINKS_MAX : LINKS_PER_SESSION_MAX
    return most - (this.reserved < most / 2 ? this.reserved : (this.cell.links?.size ?? 0))
  }
  get position(): Position | null {
    return this.#isPlaced ? { x: this.#x, y: this.#y, z: this.#z } : null
  }
  get lossPct(): number | null {
    return ofParts(this.#loss)
  }
  get flaps(): number | null {
    return ofParts(this.#flaps)
  }
  get bwTotalMbps(): number | null {
    return this.#gauge('bwTotalMbps')
  }
  get rttMs(): number | null {
    return this.#sources.gauges.rttMs(this.#slot)
  }
  get cpuTotalPct(): number | null {
    return this.#gauge('cpuTotalPct')
  }
  get packetLossPct(): number | null {
    return this.#gauge('packetLossPct')
  }
  get latencyP50Ms(): number | null {
    return this.#gauge('latencyP50Ms')
  }
  get ppsTotal(): number | null {
    return this.#gauge('ppsTotal')
  }
  /** Packets that its interface dropped since it began to count. */
  get dropped(): number | null {
    const [received, sent] = [this.#gauge('rxDropped'), this.#gauge('txDropped')]
    return received === null && sent === null ? null : (received ?? 0) + (sent ?? 0)
  }

  #gauge(name: ReadGauge): number | null {
    return this.#sources.gauges.gauge(this.#slot, name)
  }
}
