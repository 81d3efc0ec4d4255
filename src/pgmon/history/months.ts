/** Months as samples are kept by: of UTC, whatever the coordinator and its database think the time of day is. */

export interface Month {
  /** `2026_11`: names its partitions. */
  readonly name: string
  /** ms since 1970 UTC. */
  readonly fromMs: number
  /** The first moment of the next one. */
  readonly toMs: number
}

export function monthOf(atMs: number): Month {
  const at = new Date(atMs)
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()]
  return {
    name: `${String(year).padStart(4, '0')}_${String(month + 1).padStart(2, '0')}`,
    fromMs: Date.UTC(year, month),
    toMs: Date.UTC(year, month + 1),
  }
}

/** Returns the month that a name such as `2026_11` stands for; null: for none. */
export function monthCalled(name: string): Month | null {
  const [, year, month] = /^(\d{4})_(0[1-9]|1[0-2])$/.exec(name) ?? []
  return year === undefined ? null : monthOf(Date.UTC(Number(year), Number(month) - 1))
}

/** Returns the same moment so many months before, or the last one of that month where it has no such day. */
export function monthsBefore(months: number, atMs: number): number {
  const at = new Date(atMs)
  const first = monthOf(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() - months))
  return Math.min(first.fromMs + (atMs - monthOf(atMs).fromMs), first.toMs)
}
