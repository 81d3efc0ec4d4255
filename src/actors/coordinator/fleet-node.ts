/**
 * A node as route choice sees it: gauges are read from where they are written, the rest is kept at hand, for a choice
 * among a hundred thousand nodes waits for memory more than for anything else.
 */
import { LINKS_PER_SESSION_MAX } from '../../protocol/relay-frame.js'
import { type Nat, UNKNOWN_NAT } from '../../mesh/nat.js'
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

export class FleetNode implements NodeFacts {
  // What a draw asks of a node stands first: in a large fleet each line of memory that it touches is a wait.
  reserved = 0
  maxSessions: number | null = null
  /** It has a socket and is heard. */
  accepting: boolean
  /** It goes of its own accord, or is being emptied. */
  isLeaving = false
  /** It carries badly. Owned by the watch. */
  degraded = false
  #isDrained = false
  // What follows changes with the profile, which is a new object then, or with the steering: `refresh` reads it.
  policy: Agreed = null
  country: string | null = null
  region: string | null = null
  exit = false
  id = ''
  tags: readonly string[] = []
  groups: readonly string[] = []
  costWeight: number | null = null
  position: Position | null = null
  // What others find out of it: `measure` reads it.
  nat: Nat = UNKNOWN_NAT
  lossPct: number | null = null
  flaps: number | null = null
  pressurePct: number | null = null
  bandwidthMbps: number | null = null
  readonly cell: Cell
  readonly #sources: NodeSources
  readonly #slot: Slot
  /** Whether it was full when that was last told. Owned by the fleet. */
  wasFull = false

  constructor(cell: Cell, accepting: boolean, sources: NodeSources) {
    this.cell = cell
    this.accepting = accepting
    this.#sources = sources
    this.#slot = cell.slot
    this.refresh()
  }

  /** Reads again what others have found out; once a beat, for all of it is looked up. */
  measure(): void {
    this.nat = this.#sources.natOf(this.cell)
    this.lossPct = this.#sources.lossPctOf(this.cell)
    this.flaps = this.#sources.flapsOf(this.cell)
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
    this.position = positionOf(profile.latitude, profile.longitude)
    this.maxSessions = steering.maxSessions ?? profile.maxSessions
    this.bandwidthMbps = profile.bandwidthMbps
    this.#isDrained = steering.drained
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
