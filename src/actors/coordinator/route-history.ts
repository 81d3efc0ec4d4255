/** What a route has been through: when it was decided last, how often it moved, and why. */
import type { RouteHistory, RouteMove } from '../ports.js'

/** Moves that are told; the count is of all. */
const MOVES_MAX = 16

export const begunHistory = (atMs: number): RouteHistory => ({ decidedAtMs: atMs, moved: 0, moves: [] })

export const movedHistory = ({ moved, moves }: RouteHistory, move: RouteMove): RouteHistory => ({
  decidedAtMs: move.atMs,
  moved: moved + 1,
  moves: [...moves.slice(1 - MOVES_MAX), move],
})
