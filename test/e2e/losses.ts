/** Which lost datagram belongs to which failover, and the table of it. */
import type { Move, Report } from './client-fleet.js'

/** What one kind of end cost. */
export interface Loss {
  /** Why clients moved; null: datagrams that were lost while nobody moved. */
  readonly cause: Move['cause'] | null
  readonly moves: number
  /** Datagrams without an answer: all of them, in the middle, and at worst for one move. */
  readonly lost: number
  readonly median: number
  readonly worst: number
}

/** A datagram that was sent at most so long before or after a move is lost to it, ms: a silent node takes a while. */
const NEAR_MS = 15_000

/** Returns what each cause cost, the dearest first. */
export function lossesOf(reports: readonly Report[]): readonly Loss[] {
  const byCause = new Map<Loss['cause'], number[]>()
  const add = (cause: Loss['cause'], lost: readonly number[]) =>
    byCause.set(cause, [...(byCause.get(cause) ?? []), ...lost])
  for (const { moves, lostAtMs } of reports) {
    const lost = moves.map(() => 0)
    let alone = 0
    for (const atMs of lostAtMs) {
      const nearest = nearestTo(moves, atMs)
      if (nearest === -1) alone++
      else lost[nearest] = (lost[nearest] ?? 0) + 1
    }
    for (const [i, { cause }] of moves.entries()) add(cause, [lost[i] ?? 0])
    if (alone > 0) add(null, [alone])
  }
  return [...byCause].map(([cause, lost]) => lossOf(cause, lost)).toSorted((a, b) => b.lost - a.lost)
}

/** Returns the losses as people read them. */
export function asTable(losses: readonly Loss[]): string {
  const heads = ['cause', 'failovers', 'datagrams lost', 'each: median', 'worst']
  const rows = losses.map(({ cause, moves, lost, median, worst }) =>
    [cause ?? '(no failover)', cause === null ? '' : moves, lost, median, worst].map(String),
  )
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map(row => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]) => cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')
  return [heads, ...rows].map(row => line(row).trimEnd()).join('\n')
}

/** Returns the place of the move that was nearest in time; -1 when none was near. */
function nearestTo(moves: readonly Move[], atMs: number): number {
  const away = moves.map(move => Math.abs(move.atMs - atMs))
  const least = Math.min(...away)
  return least <= NEAR_MS ? away.indexOf(least) : -1
}

function lossOf(cause: Loss['cause'], lost: readonly number[]): Loss {
  const sorted = lost.toSorted((a, b) => a - b)
  return {
    cause,
    moves: lost.length,
    lost: sorted.reduce((sum, each) => sum + each, 0),
    median: sorted[(sorted.length - 1) >> 1] ?? 0,
    worst: sorted.at(-1) ?? 0,
  }
}
