/**
 * Bytes of a path from the counters of its ends. A counter only grows, until its agent sets the path up anew;
 * what it had counted before then stays counted. A report that comes twice, or late, counts for nothing:
 * lower figures mean a new beginning only after the end has said that it is set up again.
 */
import type { WireOf } from '../../protocol/messages.js'
import type { PathCounters, PathEnd, PathRecord, PathTally, TierBytes } from '../ports.js'

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

type Totals = Pick<PathEnd, 'sent' | 'received' | 'tally'>

export const TIERS = ['relayed', 'turned', 'direct'] as const

export const noBytes = (): TierBytes => ({ relayed: 0, turned: 0, direct: 0 })

export const noTotals = (): Totals => ({
  sent: noBytes(),
  received: noBytes(),
  tally: { sent: { last: NOTHING, sum: NOTHING }, received: { last: NOTHING, sum: NOTHING } },
})

/** Returns the totals after a report; those before it when the report is older than the last one. */
export function counted(before: Totals, report: Counted, mayRestart: boolean): Totals {
  const now = {
    sent: countersOf(report.sentBytes, report.turnedSentBytes, report.directSentBytes),
    received: countersOf(report.receivedBytes, report.turnedReceivedBytes, report.directReceivedBytes),
  }
  const { tally } = before
  const isLower = isBelow(now.sent, tally.sent.last) || isBelow(now.received, tally.received.last)
  if (isLower && !mayRestart) return before
  const next = {
    sent: grown(tally.sent, now.sent, isLower),
    received: grown(tally.received, now.received, isLower),
  }
  return {
    tally: next,
    sent: split(before.sent, next.sent.sum),
    received: split(before.received, next.received.sum),
  }
}

/** Whether the counters have begun anew since. */
export const hasBegunAnew = ({ tally: before }: Totals, { tally: after }: Totals): boolean =>
  isBelow(after.sent.last, before.sent.last) || isBelow(after.received.last, before.received.last)

/** Whether a report told of anything new. */
export const hasGrown = ({ tally: before }: Totals, { tally: after }: Totals): boolean =>
  COUNTERS.some(
    counter =>
      after.sent.sum[counter] > before.sent.sum[counter] ||
      after.received.sum[counter] > before.received.sum[counter],
  )

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

const COUNTERS = ['all', 'turned', 'direct'] as const
const NOTHING: PathCounters = { all: 0, turned: 0, direct: 0 }

const countersOf = (all: number, turned = 0, direct = 0): PathCounters => ({ all, turned, direct })

const isBelow = (now: PathCounters, last: PathCounters): boolean =>
  COUNTERS.some(counter => now[counter] < last[counter])

function grown({ last, sum }: PathTally, now: PathCounters, isNew: boolean): PathTally {
  const base = isNew ? NOTHING : last
  const raised = (counter: keyof PathCounters) => sum[counter] + now[counter] - base[counter]
  return { last: now, sum: countersOf(raised('all'), raised('turned'), raised('direct')) }
}

/** What is counted but on its way may be counted for its tier only by the next report: the relay’s part never shrinks for it. */
const split = ({ relayed }: TierBytes, { all, turned, direct }: PathCounters): TierBytes => ({
  relayed: Math.max(relayed, all - turned - direct),
  turned,
  direct,
})

const larger = (a: TierBytes, b: TierBytes): TierBytes => ({
  relayed: Math.max(a.relayed, b.relayed),
  turned: Math.max(a.turned, b.turned),
  direct: Math.max(a.direct, b.direct),
})
