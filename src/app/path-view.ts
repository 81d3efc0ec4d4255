/** Paths as operators see them: records of the ledger, with NATs, sessions and reasons in words. */
import type { Guard } from '../actors/admission/guard.js'
import type { Identities } from '../actors/admission/identities.js'
import type { NatProbes } from '../actors/nat-probe/nat-probes.js'
import type { PathLedger } from '../actors/path/ledger.js'
import { bytesOf } from '../actors/path/path-bytes.js'
import type {
  Identity,
  MeshApi,
  PathCount,
  PathEndName,
  PathEndView,
  PathRecord,
  PathStory,
  PathTier,
  PathTraffic,
  PathsView,
  PathView,
  PathWish,
  Store,
  TierBytes,
  WhyView,
} from '../actors/ports.js'
import type { Cell } from '../actors/session/cell.js'
import type { Sessions } from '../actors/session/sessions.js'
import type { Clock } from '../kit/clock.js'
import type { Traffic } from '../lanes/relay-table.js'
import { asPathReason, reasonInWords } from '../mesh/path-reason.js'
import { RELAY_HEADER_MAX } from '../protocol/relay-frame.js'

export interface PathParts {
  readonly clock: Pick<Clock, 'wallMs'>
  readonly pathLedger: PathLedger
  readonly identities: Identities
  readonly guard: Guard
  readonly sessions: Sessions
  readonly natProbes: NatProbes
  readonly store: Pick<Store, 'pathsBetween'>
}

type StateOf = (cell: Cell) => string

/** Paths of a pair that an answer holds: enough for a week of failovers, and still read by a person. */
const PATHS_MAX = 20

export function pathViews(parts: PathParts, stateOf: StateOf): Pick<MeshApi, 'paths' | 'path' | 'why'> {
  const { clock, pathLedger, identities, guard, store } = parts
  return {
    paths: wish => listed(pathLedger.all(), wish ?? {}),
    path: link => {
      const record = pathLedger.of(link)
      return record === undefined ? null : storyOf(record, end => endOf(parts, stateOf, record, end))
    },
    why: async (a, b) => {
      const [one, other] = [identities.of(a), identities.of(b)]
      if (one === undefined || other === undefined)
        return { unknown: [a, b].filter(id => identities.of(id) === undefined) }
      // Asked before memory is looked at: a path that ends meanwhile is then in one of the two.
      const stored = await store.pathsBetween(a, b, PATHS_MAX).catch(unavailable)
      const paths = merged(pathLedger.between(a, b), stored ?? []).map(record =>
        storyOf(record, end => endOf(parts, stateOf, record, end)),
      )
      const complete = stored !== null
      const words = [answer(one, other, paths, complete), ...keptOut(guard, [one, other])].join('; ')
      return { nowMs: clock.wallMs(), words, paths, complete }
    },
  }
}

/** Returns how many live paths there are of each tier and reason; codes that are not ours count as `other`. */
export function pathCounts(records: Iterable<PathRecord>): PathCount[] {
  const tiers = new Map<PathTier, Map<string | null, number>>()
  for (const { tier, reason } of records) {
    let reasons = tiers.get(tier)
    if (reasons === undefined) tiers.set(tier, (reasons = new Map()))
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
  return [...tiers].flatMap(([tier, reasons]) => {
    const counts = new Map<string | null, number>()
    for (const [code, count] of reasons) {
      const reason = code && (asPathReason(code) ?? 'other')
      counts.set(reason, (counts.get(reason) ?? 0) + count)
    }
    return [...counts].map(([reason, count]) => ({ tier, reason, count }))
  })
}

function listed(records: Iterable<PathRecord>, wish: PathWish): PathsView {
  const { tier, reason, clientId, nodeId, after, limit = Number.POSITIVE_INFINITY } = wish
  const meets = (wanted: string | null | undefined, value: string | null) =>
    wanted == null || wanted === value
  const found: PathRecord[] = []
  for (const record of records) {
    if (!meets(tier, record.tier) || !meets(reason, record.reason)) continue
    if (meets(clientId, record.clientId) && meets(nodeId, record.nodeId)) found.push(record)
  }
  found.sort((one, other) => one.link - other.link)
  const rest = after == null ? found : found.filter(({ link }) => link > after)
  const page = rest.slice(0, limit)
  const next = rest.length > page.length ? (page.at(-1)?.link ?? null) : null
  return { paths: page.map(viewOf), total: found.length, next }
}

/** Returns what went over a path. */
export const trafficOf = (record: PathRecord): PathTraffic => ({
  pathId: record.pathId,
  clientId: record.clientId,
  nodeId: record.nodeId,
  closedAtMs: record.closedAtMs,
  bytes: bytesOf(record),
})

/**
 * Returns the same with what our relay has counted, where that is more than the ends have told yet. Each packet is taken to
 * have the longest frame, so that nobody is said to have sent a byte more than it did.
 */
export function trafficWith(record: PathRecord, carried: Traffic | null): PathTraffic {
  const told = trafficOf(record)
  if (carried === null) return told
  const { toNode, toClient } = told.bytes
  const relayed = (way: 0 | 1, of: TierBytes): TierBytes => ({
    ...of,
    relayed: Math.max(of.relayed, carried.bytes[way] - carried.packets[way] * RELAY_HEADER_MAX),
  })
  return { ...told, bytes: { toNode: relayed(0, toNode), toClient: relayed(1, toClient) } }
}

const viewOf = (record: PathRecord): PathView => ({
  pathId: record.pathId,
  link: record.link,
  routeId: record.routeId,
  clientId: record.clientId,
  nodeId: record.nodeId,
  policy: record.policy,
  tier: record.tier,
  via: record.via,
  sinceMs: record.sinceMs,
  reason: record.reason,
  openedAtMs: record.openedAtMs,
  closedAtMs: record.closedAtMs,
  closedBecause: record.closedBecause,
  rttMs: record.client.rttMs ?? record.node.rttMs,
  lossPct: record.client.lossPct ?? record.node.lossPct,
  bytes: bytesOf(record),
  attempted: record.attempts.at(-1)?.attempt ?? 0,
})

function storyOf(record: PathRecord, endOf: (end: PathEndName) => PathEndView): PathStory {
  const ends = { client: endOf('client'), node: endOf('node') }
  const reason = asPathReason(record.reason)
  return {
    ...viewOf(record),
    words: reason && reasonInWords(reason, named(ends.client), named(ends.node)),
    ends,
    attempts: record.attempts,
    history: record.history,
  }
}

function endOf(
  { identities, sessions, natProbes }: PathParts,
  stateOf: StateOf,
  record: PathRecord,
  end: PathEndName,
): PathEndView {
  const id = end === 'client' ? record.clientId : record.nodeId
  const { rttMs, lossPct, reportedAtMs, candidates } = record[end]
  const cell = sessions.byIdentity(id)
  const state = cell === undefined ? null : stateOf(cell)
  const can = identities.of(id)?.profile.can ?? []
  return { id, state, nat: natProbes.natOf(id), can, rttMs, lossPct, reportedAtMs, candidates }
}

const named = (end: PathEndView) => ({ ...end, isAway: end.state === null || end.state === 'suspended' })

/** Live ones first. Memory knows better than the store, which is a moment behind. */
function merged(memory: readonly PathRecord[], stored: readonly PathRecord[]): PathRecord[] {
  const byId = new Map([...stored, ...memory].map(record => [record.pathId, record]))
  const ended = ({ closedAtMs }: PathRecord) => (closedAtMs === null ? 0 : 1)
  return [...byId.values()]
    .toSorted((one, other) => ended(one) - ended(other) || other.openedAtMs - one.openedAtMs)
    .slice(0, PATHS_MAX)
}

function unavailable(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'STORE_UNAVAILABLE') return null
  throw error
}

/** Returns who of them is not let in, and why. */
const keptOut = (guard: Guard, identities: readonly Identity[]): string[] =>
  identities.flatMap(({ id, role }) => {
    const { denial } = guard.of(id, role)
    return denial === null ? [] : `${id} is not let in: ${denial.reason} (${denial.code})`
  })

function answer(a: Identity, b: Identity, [newest]: WhyView['paths'], complete: boolean): string {
  if (newest === undefined) {
    if (a.role === b.role)
      return `${a.id} and ${b.id} are both ${a.role}s: paths lead from a client to a node`
    const [client, node] = a.role === 'client' ? [a.id, b.id] : [b.id, a.id]
    const never = `no path between ${client} and ${node} is known`
    if (!complete) return `${never}, and the database, which may know of one, is away`
    return `${never}: ${client} gets one when it asks for a route and ${node} is chosen`
  }
  const { clientId, nodeId, tier, via, reason, words, closedBecause } = newest
  const pair = `${clientId} and ${nodeId}`
  if (tier === 'closed')
    return `${pair} have no path now: the last one was closed, ${closedBecause ?? 'nobody said why'}`
  if (tier === 'direct') return `${pair} talk directly, by ${via ?? 'an unknown socket'}`
  return `${pair}: ${tier}${reason === null ? '' : `, because ${words ?? reason}`}`
}
