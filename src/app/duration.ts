/** Times as people write them on a command line: `90s`, `15m`, `12h`, `7d`. */
const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Returns a time in ms; null when it is not written like one, or is none. */
export function readDuration(text: string): number | null {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const unitMs = UNITS_MS[unit ?? '']
  return unitMs === undefined || Number(count) === 0 ? null : Number(count) * unitMs
}
