/**
 * What the history keeps of a node. A sample is a list of figures, each at its place; places are stored, so new
 * figures are only ever added at the end.
 */
import type { NodeView } from '../../actors/ports.js'

const GAUGES = [
  'activeSessions',
  'links',
  'load1',
  'memTotalMb',
  'memFreeMb',
  'memUsedPct',
  'diskUsedPct',
  'cpuTotalPct',
  'softirqPct',
  'bwRxMbps',
  'bwTxMbps',
  'bwTotalMbps',
  'ppsRx',
  'ppsTx',
  'ppsTotal',
  'connEstRateS',
  'activeConns',
  'conntrackUsagePct',
  'latencyP50Ms',
  'latencyP95Ms',
  'jitterMs',
  'packetLossPct',
  'rttMs',
] as const
/** These only grow until whoever counts begins anew: what is told of a time is by how much they grew in it. */
const COUNTERS = [
  'rxDropped',
  'txDropped',
  'wgPacketsSent',
  'wgPacketsReceived',
  'wgErrors',
  'wgBytesSent',
  'wgBytesReceived',
  'connectionsTotal',
  'connectionsFailed',
] as const

export const FIGURES = [...GAUGES, ...COUNTERS] as const
export type FigureName = (typeof FIGURES)[number]
/** A figure per place; null is unknown. */
export type Figures = readonly (number | null)[]

/** What is told of each figure by its name. */
export type Named<T> = Readonly<Partial<Record<FigureName, T>>>

const FIRST_COUNTER = GAUGES.length
const PLACES = new Map<string, number>(FIGURES.map((name, place) => [name, place]))

/** Whose word a sample is: the coordinator's of a session, the node's by `POST /api/v1/metrics`, or a server's by `POST /heartbeat`. */
export type Source = 'session' | 'metrics' | 'heartbeat'

export interface Sample {
  readonly id: string
  readonly source: Source
  /** ms since 1970 UTC. One source has one sample of a moment. */
  readonly atMs: number
  readonly figures: Figures
}

export const isCounter = (place: number): boolean => place >= FIRST_COUNTER

export const placeOf = (name: FigureName): number => PLACES.get(name) as number // all of them are there

/** Returns figures in their places; what is not named is unknown. */
export function placed(named: Named<number | null | undefined>): Figures {
  return FIGURES.map(name => named[name] ?? null)
}

/** Returns what is known, by name. */
export function named<T>(values: readonly (T | null | undefined)[]): Named<T> {
  return Object.fromEntries(
    FIGURES.flatMap((name, place) => (values[place] == null ? [] : [[name, values[place]]])),
  ) as Named<T>
}

/** Returns what a session tells of its node. */
export function figuresOf({ gauges, links, rttMs }: NodeView): Figures {
  const memUsedPct = gauges.memUsedPct ?? usedPct(gauges.memTotalMb, gauges.memFreeMb)
  return placed({ ...gauges, links, rttMs, memUsedPct })
}

/** Returns which share is not free, %. */
export const usedPct = (total: number | null | undefined, free: number | null | undefined): number | null =>
  total == null || free == null || total <= 0 ? null : Math.max(0, 100 * (1 - free / total))
