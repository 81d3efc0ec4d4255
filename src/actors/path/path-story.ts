/** How a path's record grows: each function returns the record after one thing that happened. */
import type { WireOf } from '../../protocol/messages.js'
import type {
  IdentityId,
  LinkId,
  PathAttempt,
  PathEnd,
  PathEndName,
  PathPolicy,
  PathRecord,
  PathTier,
  PathTrial,
  PathVia,
  RouteId,
} from '../ports.js'
import { noTotals } from './path-bytes.js'

/** Attempts that a record keeps: a path that cannot be punched is tried for ever. */
export const ATTEMPTS_MAX = 16
/** Attempts that keep every pair they tried: a list is up to 2.5 KB for each end. */
export const TRIED_MAX = 2
/** Tier changes that a record keeps. */
export const HISTORY_MAX = 32

export interface Opening {
  readonly link: LinkId
  readonly routeId: RouteId
  readonly clientId: IdentityId
  readonly nodeId: IdentityId
  readonly policy: PathPolicy
}

export interface Settling {
  readonly tier: PathTier
  readonly via?: PathVia | null
  readonly reason?: string | null
}

export type AttemptReport = Omit<WireOf<'path.attempt'>, 'type' | 'link'>

export function begun({ link, routeId, clientId, nodeId, policy }: Opening, atMs: number): PathRecord {
  return {
    pathId: `${routeId}:${link}:${atMs}`,
    link,
    routeId,
    clientId,
    nodeId,
    policy,
    tier: 'opening',
    via: null,
    sinceMs: atMs,
    reason: 'starting',
    openedAtMs: atMs,
    closedAtMs: null,
    closedBecause: null,
    client: unheard(),
    node: unheard(),
    attempts: [],
    history: [],
  }
}

/** The same tier by the same socket goes on: then only the reason is new. */
export function settled(
  record: PathRecord,
  { tier, via = null, reason = null }: Settling,
  atMs: number,
): PathRecord {
  if (tier === record.tier && via === record.via)
    return reason === record.reason ? record : { ...record, reason }
  const { tier: was, via: by, reason: because, sinceMs: fromMs } = record
  const stay = { tier: was, via: by, reason: because, fromMs, untilMs: atMs }
  return {
    ...record,
    tier,
    via,
    reason,
    sinceMs: atMs,
    history: [...record.history, stay].slice(-HISTORY_MAX),
  }
}

export const closed = (record: PathRecord, because: string, atMs: number): PathRecord => ({
  ...settled(record, { tier: 'closed', reason: record.reason }, atMs),
  closedAtMs: atMs,
  closedBecause: because,
})

/** Both ends were asked to try. */
export function punched(
  record: PathRecord,
  { attempt, via }: Pick<PathAttempt, 'attempt' | 'via'>,
  atMs: number,
): PathRecord {
  if (record.attempts.some(one => one.attempt === attempt)) return record
  const attempts = [...record.attempts, { attempt, via, atMs, client: null, node: null }].slice(-ATTEMPTS_MAX)
  return {
    ...record,
    attempts: attempts.map((one, i) => (i < attempts.length - TRIED_MAX ? shortened(one) : one)),
  }
}

/** An end said how an attempt went, or that what it had won is gone. */
export function tried(record: PathRecord, end: PathEndName, report: AttemptReport, atMs: number): PathRecord {
  const known = punched(record, report, atMs)
  return {
    ...known,
    attempts: known.attempts.map(one =>
      one.attempt === report.attempt ? { ...one, [end]: trialOf(one[end], report, atMs) } : one,
    ),
  }
}

/** Returns how an attempt ended, by the end it went worse for; null while an end has not said. */
export function outcomeOf({ client, node }: PathAttempt): PathTrial['outcome'] | null {
  if (client === null || node === null) return null
  return (
    (['failed', 'turned'] as const).find(one => client.outcome === one || node.outcome === one) ?? 'direct'
  )
}

/** An end that came back says its outcome again, and may say less about it. */
function trialOf(before: PathTrial | null, report: AttemptReport, atMs: number): PathTrial {
  const { outcome, cause = null } = report
  const won = before ?? { outcome: 'direct', local: null, remote: null, rttMs: null, cause: null, tried: [] }
  if (outcome === 'lost') return { ...won, lost: { atMs, cause } }
  const known = won.outcome === outcome ? won : { local: null, remote: null, rttMs: null, tried: [] }
  return {
    outcome,
    local: report.local ?? known.local,
    remote: report.remote ?? known.remote,
    rttMs: report.rttMs ?? known.rttMs,
    cause,
    tried: report.tried.length > 0 ? report.tried : known.tried,
    lost: null,
  }
}

const shortened = (one: PathAttempt): PathAttempt => ({
  ...one,
  client: one.client && { ...one.client, tried: [] },
  node: one.node && { ...one.node, tried: [] },
})

const unheard = (): PathEnd => ({
  rttMs: null,
  lossPct: null,
  reportedAtMs: null,
  candidates: [],
  ...noTotals(),
})
