/** What was counted at an earlier look: what a later one is compared with. */
import { APART_S } from './rates.js'
import type { Sight } from './look.js'
import type { Streams } from './streams.js'
import type { DatabaseWork } from './work.js'

export interface Baseline {
  /** By the id of the database; empty: nothing yet. */
  readonly work: ReadonlyMap<string, DatabaseWork>
  readonly streams: Streams | null
}

/** Returns what the next look is compared with: this one, where it told something and is not too close to the one before. */
export function baselineOf({ work, streams }: Sight, before: Baseline | null): Baseline {
  const counted = new Map((work ?? []).map(each => [each.id, each]))
  return {
    work: isNewer(first(counted), first(before?.work)) ? counted : (before?.work ?? counted),
    streams: isNewer(streams, before?.streams) ? streams : (before?.streams ?? null),
  }
}

interface Counted {
  readonly at_s: number
}

const isNewer = (now: Counted | null | undefined, before: Counted | null | undefined): boolean =>
  now != null && (before == null || now.at_s - before.at_s >= APART_S || now.at_s < before.at_s)

const first = (work: ReadonlyMap<string, DatabaseWork> = new Map()): DatabaseWork | undefined =>
  work.values().next().value
