/** Remembers the last minutes of figures while a view is open, for its plots. */
import { useEffect, useState } from 'preact/hooks'
import { serverNowMs } from '../live/hooks.js'
import { type Points, WINDOW_S } from './plot.js'

/** Points of a plot: one a second. */
const MOST = WINDOW_S

/** Returns the points of some figures so far: one more with each value of `of`. */
export function useHistory<T>(
  of: T | null,
  ...figures: readonly ((value: T, before: T | null, elapsedS: number) => number | null)[]
): Points {
  const [kept, keep] = useState<{ readonly points: Points; readonly last: T | null; readonly atMs: number }>({
    points: [[], ...figures.map(() => [])],
    last: null,
    atMs: 0,
  })
  useEffect(() => {
    if (of === null) return
    const atMs = serverNowMs()
    const elapsedS = kept.last === null ? 0 : (atMs - kept.atMs) / 1000
    const [times, ...lines] = kept.points
    keep({
      points: [
        [...times, atMs / 1000].slice(-MOST),
        ...figures.map((figure, i) => [...(lines[i] ?? []), figure(of, kept.last, elapsedS)].slice(-MOST)),
      ],
      last: of,
      atMs,
    })
  }, [of])
  return kept.points
}
