/**
 * What a node reports by itself: its clients as they come and every few minutes while they stay, what it carried,
 * and the events that someone who runs many nodes wants to read in one place.
 */
import { type Clock, every } from '../../kit/clock.js'
import type { LinkMetrics } from '../link.js'
import type { MeshNode } from '../mesh-node.js'
import type { Gauges } from '../ports.js'
import type { Reporter } from './reporter.js'

export interface ObserverOptions {
  readonly node: Pick<MeshNode, 'id' | 'on' | 'status' | 'linkMetrics'> & {
    readonly reports: Pick<Reporter, 'client' | 'traffic' | 'log'>
  }
  readonly gauges: Gauges
  readonly clock: Clock
}

/** A client that stays is reported again this often, ms. */
const CLIENT_EVERY_MS = 300_000
/** How often traffic and gauges are looked at, ms. */
const LOOK_MS = 60_000
/** Above this the machine is said to be busy, %, and a peer slow, ms. */
const BUSY_PCT = 80
const SLOW_MS = 5_000
/** What lasts is said again after so long, ms. */
const AGAIN_MS = 600_000
/** How often the node says that it is well, ms. */
const HEALTH_EVERY_MS = 300_000

/** Observes the node from now on; returns what ends that. */
export function observe({ node, gauges, clock }: ObserverOptions): () => void {
  const { reports } = node
  const seen = new Map<number, { readonly ip: string; saidMs: number; sent: number; received: number }>()
  const warned = new Map<string, number>()
  let healthMs = clock.now()

  /** Warns of something that lasts, and not again for a while. */
  const warn = (message: string, metadata: object) => {
    const nowMs = clock.now()
    if (nowMs - (warned.get(message) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return
    warned.set(message, nowMs)
    reports.log({ level: 'warning', message, metadata })
  }

  const carry = (link: number, figures: LinkMetrics | null): boolean => {
    const client = seen.get(link)
    if (client === undefined || figures === null) return false
    // A peer sends what the node receives: inbound for the node.
    const inboundBytes = Math.max(0, figures.receivedBytes - client.received)
    const outboundBytes = Math.max(0, figures.sentBytes - client.sent)
    client.received = figures.receivedBytes
    client.sent = figures.sentBytes
    if (inboundBytes + outboundBytes === 0) return false
    reports.traffic('proxy', node.id, {
      inboundBytes,
      outboundBytes,
      requests: 1,
      responseTimeMs: figures.rttMs ?? 0,
    })
    return true
  }

  const look = () => {
    const nowMs = clock.now()
    for (const { link } of node.status().links) {
      const client = seen.get(link)
      const figures = node.linkMetrics(link)
      if ((figures?.rttMs ?? 0) > SLOW_MS)
        warn(`a client answers after more than ${SLOW_MS / 1_000} s`, { link })
      if (!carry(link, figures) || client === undefined) continue
      if (nowMs - client.saidMs < CLIENT_EVERY_MS) continue
      client.saidMs = nowMs
      reports.client({ ip: client.ip })
    }
    const { cpuTotalPct, memTotalMb, memFreeMb } = gauges()
    const memoryPct = memTotalMb && memFreeMb !== undefined ? 100 * (1 - memFreeMb / memTotalMb) : undefined
    for (const [what, pct] of Object.entries({ CPU: cpuTotalPct, memory: memoryPct }))
      if (pct !== undefined && pct > BUSY_PCT) warn(`${what} above ${BUSY_PCT} %`, { pct: Math.round(pct) })
    const { links, rttMs } = node.status()
    if (nowMs - healthMs < HEALTH_EVERY_MS) return
    healthMs = nowMs
    const metadata = {
      clients: links.length,
      cpuPct: cpuTotalPct ?? null,
      memoryPct: memoryPct ?? null,
      rttMs,
    }
    reports.log({ level: 'info', message: 'health check', metadata })
  }

  const endings = [
    every(clock, LOOK_MS, look),
    node.on('link', ({ link, peer: { peerId, peerOverlay4 } }) => {
      const ip = peerOverlay4.split('/')[0] ?? peerOverlay4
      seen.set(link, { ip, saidMs: clock.now(), sent: 0, received: 0 })
      reports.client({ ip })
      reports.log({ level: 'info', message: 'new connection', metadata: { client: peerId, link } })
    }),
    node.on('linkClosed', ({ link, peer: { peerId }, reason }) => {
      seen.delete(link)
      reports.log({
        level: 'info',
        message: 'connection closed',
        details: reason,
        metadata: { client: peerId, link },
      })
    }),
    node.on('online', ({ resumed }) =>
      reports.log({ level: 'info', message: 'connected to the coordinator', metadata: { resumed } }),
    ),
    node.on('offline', ({ reason }) =>
      reports.log({ level: 'warning', message: 'not connected to the coordinator', details: reason }),
    ),
    node.on('pressure', ({ link, dropped, queueMs }) =>
      warn('rate limiting: the relay drops packets', { link, dropped, queueMs }),
    ),
    node.on('fault', ({ what, error }) => {
      // A report about reports that fail would fail as well.
      if (what === 'reports') return
      reports.log({
        level: 'error',
        message: `${what} failed`,
        details: error instanceof Error ? error.message : String(error),
      })
    }),
  ]
  return () => {
    look()
    for (const end of endings) end()
  }
}
