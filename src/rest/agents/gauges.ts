/** What nodes measure, by the names of the first BosonServer, and as the heartbeat of the wire tells it. */
import { z } from 'zod'
import { amount, whole } from '../../http/fields.js'
import type { Gauges } from './mailbox.js'

/** A figure beyond this is a slip: ms, Mbit/s. */
const MS_MAX = 3_600_000
const MBPS_MAX = 10_000_000
/** Beyond these a node is degraded: %, %, %. */
const DEGRADED = { cpuUsage: 90, memoryUsage: 90, packetLoss: 10 }

export const bandwidth = z.object({
  up: amount(0, MBPS_MAX).meta({ description: 'To the internet, Mbit/s.' }),
  down: amount(0, MBPS_MAX).meta({ description: 'From the internet, Mbit/s.' }),
})

/** Each may be missing: what is not measured is not told. */
export const Metrics = z
  .object({
    latency: amount(0, MS_MAX).meta({ description: 'Round trip, ms.' }),
    jitter: amount(0, MS_MAX).meta({ description: 'How much it varies, ms.' }),
    packetLoss: amount(0, 100).meta({ description: '%.' }),
    cpuUsage: amount(0, 100).meta({ description: '%.' }),
    memoryUsage: amount(0, 100).meta({ description: '%.' }),
    activeConnections: whole(0, 0xffff_ffff),
    bandwidth: bandwidth.meta({ description: 'What goes through now.' }),
  })
  .partial()

export type Metrics = z.output<typeof Metrics>

/** What the wire calls each of them. */
const WIRE_NAMES = {
  latency: 'latencyP50Ms',
  jitter: 'jitterMs',
  packetLoss: 'packetLossPct',
  cpuUsage: 'cpuTotalPct',
  memoryUsage: 'memUsedPct',
  activeConnections: 'activeSessions',
} as const satisfies Record<Exclude<keyof Metrics, 'bandwidth'>, keyof Gauges>
type WireName = (typeof WIRE_NAMES)[keyof typeof WIRE_NAMES]
const NAMES = Object.entries(WIRE_NAMES) as [keyof typeof WIRE_NAMES, WireName][] // its own

/** Returns the metrics as the heartbeat of the wire tells them. */
export function gaugesOf(metrics: Metrics): Gauges {
  const gauges: { [name in WireName | 'bwTxMbps' | 'bwRxMbps' | 'bwTotalMbps']?: number } = {}
  for (const [name, wireName] of NAMES) {
    const value = metrics[name]
    if (value !== undefined) gauges[wireName] = value
  }
  const { bandwidth: rate } = metrics
  if (rate !== undefined) {
    gauges.bwTxMbps = rate.up
    gauges.bwRxMbps = rate.down
    gauges.bwTotalMbps = rate.up + rate.down
  }
  return gauges
}

/** Returns the gauges of any node by the names of the first BosonServer; null is unknown. */
export function metricsOf(gauges: { readonly [name in keyof Gauges]?: unknown }) {
  const of = (name: keyof Gauges): number | null => {
    const value = gauges[name]
    return typeof value === 'number' ? value : null
  }
  const [total, free, up, down] = [of('memTotalMb'), of('memFreeMb'), of('bwTxMbps'), of('bwRxMbps')]
  const counted = total === null || free === null || total === 0 ? null : 100 * (1 - free / total)
  return {
    latency: of('latencyP50Ms'),
    jitter: of('jitterMs'),
    packetLoss: of('packetLossPct'),
    cpuUsage: of('cpuTotalPct'),
    memoryUsage: of('memUsedPct') ?? counted,
    activeConnections: of('activeSessions'),
    bandwidth: up === null || down === null ? null : { up, down },
  }
}

/** Whether a node with these figures should be given no more than it has. */
export const isDegraded = (
  metrics: { readonly [K in keyof typeof DEGRADED]?: number | null | undefined },
): boolean =>
  (metrics.cpuUsage ?? 0) > DEGRADED.cpuUsage ||
  (metrics.memoryUsage ?? 0) > DEGRADED.memoryUsage ||
  (metrics.packetLoss ?? 0) > DEGRADED.packetLoss
