/** The nodes that routes may lead to, and the pools that a choice draws from, kept as the nodes change. */
import type { ClientFacts } from '../../mesh/client-facts.js'
import { UNKNOWN_NAT } from '../../mesh/nat.js'
import { seenAtOf } from '../../mesh/nat-kind.js'
import { NodePools } from '../../mesh/pools.js'
import { positionOf } from '../../mesh/position.js'
import { NO_STEERING } from '../../mesh/steering.js'
import type { Cell } from '../session/cell.js'
import { FleetNode, type NodeSources } from './fleet-node.js'

/** A source that is left out knows nothing. */
export interface FleetOptions extends Partial<Omit<NodeSources, 'gauges' | 'policyOf'>> {
  readonly gauges: NodeSources['gauges']
  readonly policyOf: NodeSources['policyOf']
  /** Tells the session of a node that its last place was taken, or that it has one again. */
  readonly tell?: (node: Cell, event: { readonly type: 'places.taken' | 'places.freed' }) => void
}

export class Fleet {
  readonly pools = new NodePools<FleetNode>()
  readonly #nodes = new Map<Cell, FleetNode>()
  readonly #sources: NodeSources
  readonly #tell: NonNullable<FleetOptions['tell']>

  constructor({ tell = () => {}, ...options }: FleetOptions) {
    this.#tell = tell
    this.#sources = {
      natOf: () => UNKNOWN_NAT,
      steeringOf: () => NO_STEERING,
      lossPctOf: () => null,
      flapsOf: () => null,
      dropPctOf: () => null,
      ...options,
    }
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

  /** Returns what a choice for this client has to know of it. */
  clientOf(cell: Cell): ClientFacts {
    const { id, profile } = cell.identity
    const nat = this.#sources.natOf(cell)
    return {
      position: positionOf(profile.latitude, profile.longitude),
      nat,
      seenAt: seenAtOf(nat),
      policy: this.#sources.policyOf(cell),
      steering: this.#sources.steeringOf(id),
      groups: cell.terms.groups,
    }
  }

  /** Adds the node, or lets it accept again or no more; its profile may be a new one. */
  set(cell: Cell, accepting: boolean): FleetNode {
    let node = this.#nodes.get(cell)
    if (node === undefined) {
      node = new FleetNode(cell, accepting, this.#sources)
      this.#nodes.set(cell, node)
    } else node.refresh()
    node.accepting = accepting
    this.#changed(node)
    // A session that begins anew takes itself for one with room.
    if (accepting && node.isFull) this.#tell(cell, { type: 'places.taken' })
    return node
  }

  /** The operator has laid down something else for the node. */
  steer(cell: Cell): void {
    const node = this.#nodes.get(cell)
    if (node === undefined) return
    node.refresh()
    this.#changed(node)
  }

  /** Lets the node be emptied, so that nothing new leads to it; or no more. */
  leave(cell: Cell, isLeaving: boolean): void {
    const node = this.#nodes.get(cell)
    if (node === undefined) return
    node.isLeaving = isLeaving
    this.#changed(node)
  }

  /** Says whether the node carries badly. */
  degrade(cell: Cell, degraded: boolean): void {
    const node = this.#nodes.get(cell)
    if (node !== undefined) node.degraded = degraded
  }

  /** Takes a place. */
  reserve(node: FleetNode): void {
    node.reserved++
    if (node.isFull !== node.wasFull) this.#changed(node)
  }

  /** Gives a place back. */
  free(node: FleetNode): void {
    node.reserved--
    if (node.isFull !== node.wasFull) this.#changed(node)
  }

  remove(cell: Cell): void {
    const node = this.#nodes.get(cell)
    if (node === undefined) return
    this.#nodes.delete(cell)
    this.pools.remove(node)
  }

  #changed(node: FleetNode): void {
    if (this.#nodes.get(node.cell) !== node) return
    this.pools.update(node)
    if (node.isFull === node.wasFull) return
    node.wasFull = node.isFull
    this.#tell(node.cell, { type: node.isFull ? 'places.taken' : 'places.freed' })
  }
}
