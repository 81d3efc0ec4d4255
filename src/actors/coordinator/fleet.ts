/** The nodes as route choice sees them: figures are read from the heartbeat lane, never copied. */
import { LINKS_PER_SESSION_MAX } from '../../protocol/relay-frame.js'
import type { NodeFacts } from '../../mesh/node-facts.js'
import type { Agreed } from '../../mesh/path-policy.js'
import type { Slot } from '../ports.js'
import type { Cell } from '../session/cell.js'

/** Where a node's gauges are read. */
export interface GaugeReader {
  gauge(slot: Slot, name: string): number | null
  rttMs(slot: Slot): number | null
}

/** Returns which ways the packets of an end may travel. */
export type PolicyOf = (end: Cell) => Agreed

export class FleetNode implements NodeFacts {
  readonly cell: Cell
  /** It has a socket, is heard, and has not been asked to leave. */
  accepting: boolean
  reserved = 0
  readonly #gauges: GaugeReader
  readonly #policyOf: PolicyOf
  /** What holds for the identity as it was when it was asked last: a new profile is a new object. */
  #policy: Agreed
  #policyIsOf: Cell['identity']

  constructor(cell: Cell, accepting: boolean, gauges: GaugeReader, policyOf: PolicyOf) {
    this.cell = cell
    this.accepting = accepting
    this.#gauges = gauges
    this.#policyOf = policyOf
    this.#policy = policyOf(cell)
    this.#policyIsOf = cell.identity
  }

  get id(): string {
    return this.cell.identity.id
  }
  get country(): string | null {
    return this.cell.identity.profile.country
  }
  get region(): string | null {
    return this.cell.identity.profile.region
  }
  get exit(): boolean {
    return this.cell.identity.profile.exit
  }
  get policy(): Agreed {
    if (this.#policyIsOf !== this.cell.identity) {
      this.#policy = this.#policyOf(this.cell)
      this.#policyIsOf = this.cell.identity
    }
    return this.#policy
  }
  get maxSessions(): number | null {
    return this.cell.identity.profile.maxSessions
  }
  get linksLeft(): number {
    return LINKS_PER_SESSION_MAX - (this.cell.links?.size ?? 0)
  }
  get bandwidthMbps(): number | null {
    return this.cell.identity.profile.bandwidthMbps
  }
  get bwTotalMbps(): number | null {
    return this.#gauges.gauge(this.cell.slot, 'bwTotalMbps')
  }
  get rttMs(): number | null {
    return this.#gauges.rttMs(this.cell.slot)
  }
  get cpuTotalPct(): number | null {
    return this.#gauges.gauge(this.cell.slot, 'cpuTotalPct')
  }
  get packetLossPct(): number | null {
    return this.#gauges.gauge(this.cell.slot, 'packetLossPct')
  }
}

export class Fleet {
  readonly #nodes = new Map<Cell, FleetNode>()
  readonly #gauges: GaugeReader
  readonly #policyOf: PolicyOf

  constructor(gauges: GaugeReader, policyOf: PolicyOf) {
    this.#gauges = gauges
    this.#policyOf = policyOf
  }

  get size(): number {
    return this.#nodes.size
  }

  nodes(): Iterable<FleetNode> {
    return this.#nodes.values()
  }

  of(cell: Cell): FleetNode | undefined {
    return this.#nodes.get(cell)
  }

  /** Adds the node, or lets it accept again or no more. */
  set(cell: Cell, accepting: boolean): FleetNode {
    let node = this.#nodes.get(cell)
    if (node === undefined) {
      node = new FleetNode(cell, accepting, this.#gauges, this.#policyOf)
      this.#nodes.set(cell, node)
    }
    node.accepting = accepting
    return node
  }

  remove(cell: Cell): void {
    this.#nodes.delete(cell)
  }
}
