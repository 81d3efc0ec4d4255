/** What a bench says: one figure per case, beside the limit it is compared with. */

/** Which side worked at its limit: only when it is the server does `value` say how fast the server is. */
export type Saturated = 'server' | 'client'

export interface Figure {
  readonly bench: string
  readonly case: string
  readonly value: number
  readonly unit: string
  readonly limit: { readonly name: string; readonly value: number }
  /** How close to the limit: 1 is as good, and larger is better, whichever way the unit counts. */
  readonly ratio: number
  readonly saturated: Saturated
  readonly rounds: number
  /** What the ratio is expected to reach, where something is expected. */
  readonly target?: number
  readonly met?: boolean
  /** Whatever else was measured on the way. */
  readonly detail?: Readonly<Record<string, number | string>>
}

/** A case without a figure: what it needs is missing here, or it failed. */
export type Absent = Pick<Figure, 'bench' | 'case'> &
  ({ readonly skipped: string } | { readonly failed: string })

export type Measured = Figure | Absent
export const isFigure = (one: Measured): one is Figure => 'value' in one

/** Returns what was measured as a table that a person reads, and below it what was not. */
export function table(measured: readonly Measured[]): string {
  const figures = measured.filter(isFigure)
  const head = ['case', 'value', 'unit', 'limit', '', 'ratio', 'target', '', 'saturated', 'rounds']
  const rows = figures.map(f => [
    `${f.bench}/${f.case}`,
    short(f.value),
    f.unit,
    short(f.limit.value),
    f.limit.name,
    f.ratio.toFixed(2),
    f.target === undefined ? '' : `≥ ${f.target}`,
    f.met === undefined ? '' : f.met ? 'met' : 'MISSED',
    f.saturated,
    String(f.rounds),
  ])
  const details = figures
    .filter(f => f.detail !== undefined)
    .map(
      f =>
        `  ${f.bench}/${f.case}: ${Object.entries(f.detail ?? {})
          .map(([k, v]) => `${k} ${typeof v === 'number' ? short(v) : v}`)
          .join(', ')}`,
    )
  const missing = measured.flatMap(one =>
    isFigure(one)
      ? []
      : [
          `  ${one.bench}/${one.case}: ${'skipped' in one ? `skipped: ${one.skipped}` : `FAILED: ${one.failed}`}`,
        ],
  )
  const paragraphs = [[layOut(head, rows, new Set([1, 3, 5, 9]))], details, missing]
  return paragraphs.flatMap(lines => (lines.length > 0 ? [lines.join('\n')] : [])).join('\n\n')
}

/** Returns rows as lines with their columns under each other; those of `numeric` to the right. */
export function layOut(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: ReadonlySet<number>,
): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map(row => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (numeric.has(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  return [line(head), ...rows.map(line)].join('\n')
}

/** Returns a number with three or four telling digits, thousands apart. */
export function short(value: number): string {
  const size = Math.abs(value)
  if (size >= 1_000) return Math.round(value).toLocaleString('en-US')
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : value.toFixed(2)
}
