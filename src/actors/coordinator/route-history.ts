/** What a route has been through: when it was decided last, how often it moved, and why. */
import type { RouteHistory, RouteMove } from '../ports.js'

/** Moves that are told; the count is of all. */
const MOVES_MAX = 16

/** Returns the history of a route that is given now. */
export const begunHistory = (atMs: number): RouteHistory => ({
  decidedAtMs: atMs,
  moved: 0,
  moves: [],
  stayed: {},
})

/** Returns it with one more move. */
export const movedHistory = ({ moved, moves, stayed }: RouteHistory, move: RouteMove): RouteHistory => ({
  decidedAtMs: move.atMs,
  moved: moved + 1,
  moves: [...moves.slice(1 - MOVES_MAX), move],
  stayed,
})

/** Returns it with one more reason to move that was not enough. */
export const stayedHistory = (history: RouteHistory, why: string): RouteHistory => ({
  ...history,
  stayed: { ...history.stayed, [why]: (history.stayed[why] ?? 0) + 1 },
})
