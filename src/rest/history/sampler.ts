/** Reads the figures of every node with a session at an interval, a few hundred in each turn of the event loop. */
import type { MeshApi } from '../../actors/ports.js'
import { type Clock, every } from '../../kit/clock.js'
import { figuresOf, type Sample } from './figures.js'

export interface SamplerOptions {
  readonly clock: Clock
  readonly mesh: Pick<MeshApi, 'eachNode'>
  readonly everyMs: number
  readonly take: (samples: readonly Sample[]) => void
  /** Every node has been looked at. */
  readonly done: () => void
}

/** Nodes of one turn: about a millisecond. */
const PER_TURN = 250

/** Samples until the returned function is called. */
export function startSampler({ clock, mesh, everyMs, take, done }: SamplerOptions): () => void {
  const look = () => {
    const atMs = clock.wallMs()
    const nodes = mesh.eachNode()[Symbol.iterator]()
    const turn = () => {
      const samples: Sample[] = []
      for (let i = 0; i < PER_TURN; i++) {
        const { value: node, done: isLast } = nodes.next()
        if (isLast === true) {
          take(samples)
          return done()
        }
        // What it said before it fell silent has been kept already.
        if (node.silentMs !== null && node.silentMs < everyMs)
          samples.push({ id: node.id, source: 'session', atMs, figures: figuresOf(node) })
      }
      take(samples)
      clock.soon(turn)
    }
    turn()
  }
  return every(clock, everyMs, look)
}
