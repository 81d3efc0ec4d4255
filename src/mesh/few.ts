/**
 * Who meets a request that almost nobody meets, as it was found a moment ago by looking at everyone: clients in need
 * ask again, and many ask alike. A node that comes or changes is among them at once; a figure that gets better is seen
 * when the moment is over.
 */
import type { NodeFacts } from './node-facts.js'
import type { Requirements } from './requirements.js'

/** How long it is remembered, ms: figures are heard once in a few seconds. */
const KEPT_MS = 1_000
/** Requests that are unlike each other, remembered for one pool. */
const KEPT = 16
/** More than so many are not few: draws find one soon enough. */
export const FEW_MAX = 4_096

/** The figures that a request asks for; the rest of it has a pool. */
export type Figures = Pick<Requirements, 'minBandwidthMbps' | 'maxLatencyMs'>

interface Known<N> {
  readonly untilMs: number
  readonly nodes: Set<N>
}

export class Few<N extends NodeFacts> {
  readonly #known = new Map<string, Known<N>>()

  /** Returns those that may meet the request, and nobody else does; null when that is not known. */
  of(figures: Figures, nowMs: number): ReadonlySet<N> | null {
    const known = this.#known.get(keyOf(figures))
    return known !== undefined && known.untilMs > nowMs ? known.nodes : null
  }

  keep(figures: Figures, nodes: Iterable<N>, nowMs: number): void {
    if (this.#known.size >= KEPT) this.#known.clear()
    this.#known.set(keyOf(figures), { untilMs: nowMs + KEPT_MS, nodes: new Set(nodes) })
  }

  /** The node came, or something about it has changed. */
  changed(node: N): void {
    if (this.#known.size === 0) return
    for (const [key, { nodes }] of this.#known) {
      nodes.add(node)
      if (nodes.size > FEW_MAX) this.#known.delete(key)
    }
  }

  left(node: N): void {
    if (this.#known.size === 0) return
    for (const { nodes } of this.#known.values()) nodes.delete(node)
  }
}

const keyOf = ({ minBandwidthMbps, maxLatencyMs }: Figures): string => `${minBandwidthMbps} ${maxLatencyMs}`
