/** Outcomes as people read them. */
import type { Outcome } from './trial.js'

const HEADS = ['node', 'client', 'tier', 'via', 'why not direct', 'first ms', 'tier ms', 'lost'] as const

/** Returns one line for each outcome, below a heading. */
export function asTable(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(({ a, b, tier, via, reason, msToFirst, msToTier, lost, sent }) =>
    [a, b, tier, via, reason ?? '', msToFirst, msToTier, `${lost} of ${sent}`].map(String),
  )
  return columns([[...HEADS], ...rows])
}

/** Returns which tier each pair of these kinds came to; the table is symmetric. */
export function asGrid(kinds: readonly string[], outcomes: readonly Outcome[]): string {
  const tier = (a: string, b: string) =>
    outcomes.find(each => (each.a === a && each.b === b) || (each.a === b && each.b === a))?.tier ?? '?'
  return columns([['', ...kinds], ...kinds.map(a => [a, ...kinds.map(b => tier(a, b))])])
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map(row => row[i]?.length ?? 0)))
  return rows
    .map(row =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
