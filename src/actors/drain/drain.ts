/** What is known of the drain of one node, and what can be read from it. */
import type { Actor } from 'xstate'
import type { Route } from '../coordinator/route-book.js'
import type { DrainView, IdentityId } from '../ports.js'
import type { Cell } from '../session/cell.js'
import type { drainMachine } from './drain.machine.js'
import type { Round } from './round.js'

export type DrainedBy = 'node' | 'operator'

/** What one party has asked for. */
export interface Ask {
  /** When the routes that are left are ended, monotonic ms; null: never. */
  readonly untilMs: number | null
}

export interface Drain {
  readonly nodeId: IdentityId
  readonly actor: Actor<typeof drainMachine>
  readonly asks: Map<DrainedBy, Ask>
  /** Wall clock, ms. */
  readonly startedAtMs: number
  moved: number
  /** Routes that were ended because time was up. */
  ended: number
  round: Round
  /** Which routes were counted as moved: one that comes back is counted no more. */
  readonly gone: WeakSet<Route>
  /** Links at the last look. */
  left: number
  /** What the node was told last, and when, monotonic ms. */
  told: { readonly atMs: number; readonly left: number; readonly moved: number } | null
}

/** Returns the links that a node still carries: of its routes, and of those that are moving away. */
export const leftOf = (cell: Cell | undefined): number => cell?.links?.size ?? 0

/** Returns until when the drain ends the routes that are left, ms from now; null: it waits for them. */
export function remainingMs({ asks }: Drain, nowMs: number): number | null {
  const ends = [...asks.values()].flatMap(({ untilMs }) => (untilMs === null ? [] : [untilMs]))
  return ends.length === 0 ? null : Math.max(0, Math.min(...ends) - nowMs)
}

/** Returns whose drain it is: the operator's lasts longer. */
export const byOf = ({ asks }: Drain): DrainedBy => (asks.has('operator') ? 'operator' : 'node')

/** Returns the drain as operators see it; `cell` is the node's session, if it has one. */
export function viewOf(drain: Drain, cell: Cell | undefined, nowMs: number): DrainView {
  const { nodeId, startedAtMs, moved, ended, round } = drain
  const { value } = drain.actor.getSnapshot()
  const common = { nodeId, by: byOf(drain), startedAtMs, left: leftOf(cell), moved, ended }
  if (typeof value !== 'object') {
    const state = value === 'expired' ? 'expired' : 'empty' // one that is cancelled is not kept
    return { ...common, state, waiting: 0, remainingMs: null, estimateMs: null }
  }
  const leftMs = remainingMs(drain, nowMs)
  return {
    ...common,
    state: value.underway,
    waiting: round.stuck.length,
    remainingMs: leftMs === null ? null : Math.round(leftMs),
    estimateMs: value.underway === 'moving' ? round.estimateMs : null,
  }
}
