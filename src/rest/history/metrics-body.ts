/** Figures as `/api/v1/metrics` spells them, told and asked. */
import { z } from 'zod'
import { amount } from '../../http/fields.js'
import type { Named } from './figures.js'

/** No figure is larger: a number with it is still exact, and so is a sum of thousands. */
const MOST = Number.MAX_SAFE_INTEGER

const figure = () => amount(0, MOST).nullish()
const share = () => amount(0, 100).nullish()

const metrics = z.object(
  {
    network: z
      .object({
        latency: figure().meta({ description: 'Round trip, ms.' }),
        jitter: figure().meta({ description: 'ms' }),
        packetLoss: share().meta({ description: '%' }),
        bandwidth: z
          .object({
            up: figure().meta({ description: 'Sent, Mbit/s.' }),
            down: figure().meta({ description: 'Received, Mbit/s.' }),
          })
          .nullish(),
      })
      .nullish(),
    system: z
      .object({
        cpuUsage: share().meta({ description: '%' }),
        memoryUsage: share().meta({ description: '%' }),
        diskUsage: share().meta({ description: '%' }),
        loadAverage: z
          .union([amount(0, MOST), z.array(amount(0, MOST)).min(1).max(3)])
          .nullish()
          .meta({ description: 'Of one minute; of a list the first counts.' }),
      })
      .nullish(),
    wireguard: z
      .object({
        packets: z.object({ sent: figure(), received: figure(), errors: figure() }).nullish(),
        bytes: z.object({ sent: figure(), received: figure() }).nullish(),
      })
      .nullish()
      .meta({ description: 'Counters, which only grow until the interface begins anew.' }),
    connections: z
      .object({
        active: figure(),
        total: figure().meta({ description: 'A counter.' }),
        failed: figure().meta({ description: 'A counter.' }),
      })
      .nullish(),
  },
  { error: 'wanted an object with at least one figure' },
)

export const metricsBody = metrics.refine(
  body => Object.values(figuresSaid(body)).some(said => said != null),
  {
    error: 'wanted at least one figure',
  },
)

/** Returns what a body says, by the names of the history. */
export function figuresSaid({
  network,
  system,
  wireguard,
  connections,
}: z.output<typeof metrics>): Named<number | null | undefined> {
  const { up, down } = network?.bandwidth ?? {}
  const load = system?.loadAverage
  return {
    latencyP50Ms: network?.latency,
    jitterMs: network?.jitter,
    packetLossPct: network?.packetLoss,
    bwTxMbps: up,
    bwRxMbps: down,
    bwTotalMbps: up == null || down == null ? null : up + down,
    cpuTotalPct: system?.cpuUsage,
    memUsedPct: system?.memoryUsage,
    diskUsedPct: system?.diskUsage,
    load1: Array.isArray(load) ? load[0] : load,
    wgPacketsSent: wireguard?.packets?.sent,
    wgPacketsReceived: wireguard?.packets?.received,
    wgErrors: wireguard?.packets?.errors,
    wgBytesSent: wireguard?.bytes?.sent,
    wgBytesReceived: wireguard?.bytes?.received,
    activeConns: connections?.active,
    connectionsTotal: connections?.total,
    connectionsFailed: connections?.failed,
  }
}

const told = z.number().nullable()

/** As figures are answered: null is unknown. */
export const metricsReply = z.object({
  network: z.object({
    latency: told,
    jitter: told,
    packetLoss: told,
    bandwidth: z.object({ up: told, down: told }),
  }),
  system: z.object({ cpuUsage: told, memoryUsage: told, diskUsage: told, loadAverage: told }),
  wireguard: z.object({
    packets: z.object({ sent: told, received: told, errors: told }),
    bytes: z.object({ sent: told, received: told }),
  }),
  connections: z.object({ active: told, total: told, failed: told }),
})

/** Returns figures as they are answered. The round trip is the node's own, or else the coordinator's to it. */
export function metricsOf(figures: Named<number>): z.input<typeof metricsReply> {
  const f = (name: keyof typeof figures) => figures[name] ?? null
  return {
    network: {
      latency: f('latencyP50Ms') ?? f('rttMs'),
      jitter: f('jitterMs'),
      packetLoss: f('packetLossPct'),
      bandwidth: { up: f('bwTxMbps'), down: f('bwRxMbps') },
    },
    system: {
      cpuUsage: f('cpuTotalPct'),
      memoryUsage: f('memUsedPct'),
      diskUsage: f('diskUsedPct'),
      loadAverage: f('load1'),
    },
    wireguard: {
      packets: { sent: f('wgPacketsSent'), received: f('wgPacketsReceived'), errors: f('wgErrors') },
      bytes: { sent: f('wgBytesSent'), received: f('wgBytesReceived') },
    },
    connections: {
      active: f('activeConns'),
      total: f('connectionsTotal'),
      failed: f('connectionsFailed'),
    },
  }
}
