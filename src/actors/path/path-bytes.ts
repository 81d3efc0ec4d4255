/**
 * Bytes of a path from the counters of its ends. A counter only grows, until its agent sets the path up anew;
 * what it had counted before then stays counted. A report that comes twice, or late, counts for nothing:
 * lower figures mean a new beginning only after the end has said that it is set up again.
 */
import type { WireOf } from '../../protocol/messages.js'
import type { PathEnd, PathRecord, TierBytes } from '../ports.js'

/** What the counters of an end say. */
export type Counted = Pick<
  WireOf<'path.report'>,
  | 'sentBytes'
  | 'receivedBytes'
  | 'turnedSentBytes'
  | 'turnedReceivedBytes'
  | 'directSentBytes'
  | 'directReceivedBytes'
>

type Figures = PathEnd['counters']
type Totals = Pick<PathEnd, 'sent' | 'received' | 'counters'>

export const TIERS = ['relayed', 'turned', 'direct'] as const

export const noBytes = (): TierBytes => ({ relayed: 0, turned: 0, direct: 0 })

export const noTotals = (): Totals => ({
  sent: noBytes(),
  received: noBytes(),
  counters: { sent: noBytes(), received: noBytes() },
})

/** Returns the totals after a report; null when the report is older than the one before. */
export function counted(before: Totals, report: Counted, mayRestart: boolean): Totals | null {
  const counters = figuresOf(report)
  const base = isBelow(counters, before.counters) ? (mayRestart ? NOTHING : null) : before.counters
  if (base === null) return null
  return {
    counters,
    sent: raised(before.sent, counters.sent, base.sent),
    received: raised(before.received, counters.received, base.received),
  }
}

/**
 * Returns what went each way. Of sender and receiver the one that counted more is right: the other has lost a
 * packet, or what it had not reported when it was restarted.
 */
export function bytesOf({
  client,
  node,
}: Pick<PathRecord, 'client' | 'node'>): Record<'toNode' | 'toClient', TierBytes> {
  return { toNode: larger(client.sent, node.received), toClient: larger(node.sent, client.received) }
}

const NOTHING: Figures = { sent: noBytes(), received: noBytes() }

function figuresOf(report: Counted): Figures {
  const split = (all: number, turned = 0, direct = 0): TierBytes => ({
    relayed: Math.max(0, all - turned - direct),
    turned,
    direct,
  })
  return {
    sent: split(report.sentBytes, report.turnedSentBytes, report.directSentBytes),
    received: split(report.receivedBytes, report.turnedReceivedBytes, report.directReceivedBytes),
  }
}

const isBelow = (now: Figures, before: Figures): boolean =>
  TIERS.some(tier => now.sent[tier] < before.sent[tier] || now.received[tier] < before.received[tier])

const raised = (total: TierBytes, now: TierBytes, base: TierBytes): TierBytes =>
  byTier(tier => total[tier] + now[tier] - base[tier])

const larger = (a: TierBytes, b: TierBytes): TierBytes => byTier(tier => Math.max(a[tier], b[tier]))

const byTier = (of: (tier: (typeof TIERS)[number]) => number): TierBytes => ({
  relayed: of('relayed'),
  turned: of('turned'),
  direct: of('direct'),
})
