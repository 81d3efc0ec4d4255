/** What the pages of the history share: who may ask, of which time, and how figures are told. */
import { z } from 'zod'
import type { MeshApi } from '../../actors/ports.js'
import { type Caller, mustBe } from '../../http/caller.js'
import { badRequest, notFound } from '../../http/faults.js'
import { instant, moment } from '../../http/fields.js'
import type { Clock } from '../../kit/clock.js'
import { serverId } from '../heartbeats/heartbeat.js'
import { type FigureName, FIGURES, isCounter, type Named, named, placeOf } from './figures.js'
import type { History } from './history.js'
import { DAY_MS, type Span } from './intervals.js'
import { metricsOf, metricsReply } from './metrics-body.js'
import { averageAt, type Sums, totalAt } from './sums.js'

export interface HistoryPages {
  readonly history: History
  readonly mesh: Pick<MeshApi, 'identity'>
  readonly clock: Clock
}

/** Servers that only send heartbeats have a history too. */
export const params = z.object({ nodeId: serverId })

/** Throws unless the caller may see this node's history, and there can be one. */
export async function mustSee(
  { history, mesh }: HistoryPages,
  caller: Caller,
  nodeId: string,
): Promise<void> {
  mustBe(caller, nodeId)
  if (mesh.identity(nodeId) === null && (await history.table.latest(nodeId)).length === 0)
    throw notFound(`there is no sample of ${nodeId}`)
}

// ── the time that is asked for ───────────────────────────────────────────────────────────────────

export const spanQuery = {
  startTime: instant.optional().meta({ description: 'A day before the end when absent.' }),
  endTime: instant.optional().meta({ description: 'Now when absent.' }),
}
export const spanReply = { startTime: moment, endTime: moment }

interface Asked {
  readonly startTime?: number | undefined
  readonly endTime?: number | undefined
}

/** Returns the time that a query means. Nothing is kept of the time before 1970, nor of tomorrow. */
export function spanOf({ startTime, endTime }: Asked, nowMs: number): Span {
  const toMs = Math.min(endTime ?? nowMs, nowMs + DAY_MS)
  const span = { fromMs: Math.max(0, startTime ?? toMs - DAY_MS), toMs }
  if (span.fromMs >= span.toMs) throw badRequest('startTime: wanted a time before endTime')
  return span
}

export const iso = (ms: number): string => new Date(ms).toISOString()

// ── figures as they are told ─────────────────────────────────────────────────────────────────────

/** Of a counter `total`, of anything else `average`, is what counts. */
export const figuresReply = z.record(
  z.string(),
  z.object({
    average: z.number().optional(),
    total: z.number().optional(),
    min: z.number().optional(),
    max: z.number().optional(),
  }),
)
export const rowReply = z.object({
  timestamp: moment.meta({ description: 'When the interval began.' }),
  samples: z.int(),
  metrics: metricsReply,
  figures: figuresReply,
})

/** Returns sums as a row tells them. */
export function toldSums(sums: Sums) {
  const values = FIGURES.map((_, place) => (isCounter(place) ? totalAt : averageAt)(sums, place))
  const figures = FIGURES.map((_, place) => {
    const value = values[place]
    if (value == null) return null
    if (isCounter(place)) return { total: value }
    return { average: value, min: sums.mins[place], max: sums.maxs[place] }
  })
  return {
    samples: sums.samples,
    metrics: metricsOf(named<number>(values)),
    figures: named<object>(figures),
  }
}

/** Returns a single sample as a row tells it. */
export const toldSample = (figures: Named<number>) => ({
  samples: 1,
  metrics: metricsOf(figures),
  figures: Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [
      name,
      isCounter(placeOf(name as FigureName)) ? { total: value } : { average: value }, // they are named so
    ]),
  ),
})
