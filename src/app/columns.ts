/** Plain columns for a terminal: a heading, then rows, two spaces apart. */

export type Cell = string | number | null

/**
 * Returns the table as text; what is unknown is a dash. Columns of numbers, of amounts such as `12 ms`, and those from
 * `rightFrom` on, stand to the right.
 */
export function columns(
  heading: readonly string[],
  rows: readonly (readonly Cell[])[],
  rightFrom = heading.length,
): string {
  const widths = heading.map((name, i) => Math.max(name.length, ...rows.map(row => shown(row[i]).length)))
  const right = heading.map((_, i) => i >= rightFrom || isOfAmounts(rows.map(row => row[i])))
  const line = (cells: readonly (Cell | undefined)[]) =>
    cells
      .map((cell, i) => shown(cell)[right[i] === true ? 'padStart' : 'padEnd'](widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  return [heading, ...rows].map(line).join('\n')
}

/** Whether something is known in a column, and all of it can be compared by where it ends. */
function isOfAmounts(cells: readonly (Cell | undefined)[]): boolean {
  const known = cells.filter(cell => cell !== null && cell !== undefined)
  return (
    known.some(cell => typeof cell === 'number') ||
    (known.length > 0 && known.every(cell => AMOUNT.test(String(cell))))
  )
}

const AMOUNT = /^\d[\d.,]* (?:ms|s|%|[kMGTP]?B|×)$/

const shown = (cell: Cell | undefined): string =>
  cell === null || cell === undefined ? '-' : typeof cell === 'number' ? String(cell) : plain(cell)

/**
 * Returns a text on one line, as terminals show it and nothing else: what others have written, such as the text of a query,
 * moves no cursor. What is longer than `max` characters is cut.
 */
export function plain(text: string, max = Number.POSITIVE_INFINITY): string {
  const line = text.replaceAll(/[\p{C}\s]+/gu, ' ').trim()
  return line.length > max ? `${line.slice(0, max - 1)}…` : line
}

/** Returns a duration as people say it: `12 s`, `4 min`, `3 h 20 min`, `3 d 4 h`. */
export function asDuration(seconds: number): string {
  const s = Math.floor(seconds)
  if (s < 60) return `${s} s`
  if (s < 3_600) return `${Math.floor(s / 60)} min`
  if (s < 86_400) return `${Math.floor(s / 3_600)} h ${Math.floor((s % 3_600) / 60)} min`
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3_600)} h`
}

/** Returns a round trip as people read it; unknown stays null. */
export const asMs = (ms: number | null): string | null =>
  ms === null ? null : ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`

/** Returns a share as people read it, in %; unknown stays null. */
export const asPercent = (share: number | null): string | null =>
  share === null ? null : `${share > 0 && share < 10 ? share.toFixed(1) : Math.round(share)} %`

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** Returns an amount of bytes as people read it: `870 B`, `1.2 MB`, `34 GB`. */
export function asBytes(bytes: number): string {
  let [amount, unit] = [bytes, 0]
  while (amount >= 999.5 && unit < UNITS.length - 1) {
    amount /= 1_000
    unit++
  }
  return `${unit > 0 && amount < 9.95 ? amount.toFixed(1) : Math.round(amount)} ${UNITS[unit]}`
}
