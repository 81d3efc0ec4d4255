/** How long the history is kept: samples as they are for the shortest time, days for the longest. */
import type { Config } from '../../app/config.js'
import { DAY_MS, type Interval } from './intervals.js'

export type Kept = Readonly<Record<'sample' | Interval, number>>

/** Returns how long each kind is kept, ms. */
export const keptMs = (config: Config): Kept => ({
  sample: config.historySamplesKeptDays * DAY_MS,
  minute: config.historyMinutesKeptDays * DAY_MS,
  hour: config.historyHoursKeptDays * DAY_MS,
  day: config.historyDaysKeptDays * DAY_MS,
})

/** Returns since when each kind is kept, ms since 1970 UTC. */
export const keptSince = (kept: Kept, nowMs: number): Kept => ({
  sample: nowMs - kept.sample,
  minute: nowMs - kept.minute,
  hour: nowMs - kept.hour,
  day: nowMs - kept.day,
})
