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

/** Returns the figures as a table that a person reads. */
export function table(figures: readonly Figure[]): string {
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
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map(row => row[i]?.length ?? 0)))
  const numeric = new Set([1, 3, 5, 9])
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (numeric.has(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  const details = figures
    .filter(f => f.detail !== undefined)
    .map(
      f =>
        `  ${f.bench}/${f.case}: ${Object.entries(f.detail ?? {})
          .map(([k, v]) => `${k} ${typeof v === 'number' ? short(v) : v}`)
          .join(', ')}`,
    )
  return [line(head), ...rows.map(line), ...(details.length > 0 ? ['', ...details] : [])].join('\n')
}

/** Returns a number with three or four telling digits, thousands apart. */
export function short(value: number): string {
  const size = Math.abs(value)
  if (size >= 1_000) return Math.round(value).toLocaleString('en-US')
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : value.toFixed(2)
}
