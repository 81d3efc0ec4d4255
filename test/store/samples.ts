/** Things to store, complete and unlike each other, so that a swapped column shows. */
import { createHash } from 'node:crypto'
import type {
  AuditEvent,
  Change,
  EnrolmentKey,
  EnrolRequest,
  Identity,
  PathRecord,
  Profile,
  StoredRoute,
  StoredSession,
  StoredSteering,
} from '../../src/actors/ports.js'
import { UNKNOWN_PROFILE } from '../support/unknown-profile.js'

/** A Saturday in November 2026; whole milliseconds, not whole seconds. */
export const NOW_MS = 1_795_254_000_123

export const hashOf = (text: string): Uint8Array =>
  Uint8Array.from(createHash('sha256').update(text).digest())

export const profile: Profile = {
  agent: 'boson/0.1.0 linux-x64',
  country: 'DE',
  region: 'Hessen "süd"',
  latitude: 50.11,
  longitude: -8.68,
  maxSessions: 250,
  bandwidthMbps: 940.5,
  exit: true,
  tags: ['ssd', 'with,comma', 'quo"te', ''],
  costWeight: 1.75,
  policy: 'direct-only',
  can: ['probe', 'udp'],
}

export const unknownProfile: Profile = { ...UNKNOWN_PROFILE, agent: 'other' }

export const enrolmentKey = (keyId: string, changes: Partial<EnrolmentKey> = {}): EnrolmentKey => ({
  keyId,
  secretHash: hashOf(keyId),
  role: null,
  usesLeft: null,
  expiresAtMs: null,
  note: 'for the tests',
  createdAtMs: NOW_MS,
  revokedAtMs: null,
  ...changes,
})

export const enrolRequest = (
  id: string,
  keyId: string,
  changes: Partial<EnrolRequest> = {},
): EnrolRequest => ({
  id,
  role: 'node',
  publicKey: hashOf(`public key of ${id}`),
  profile,
  by: { secretHash: hashOf(keyId) },
  nowMs: NOW_MS,
  ...changes,
})

export const session = (sessionId: string, changes: Partial<StoredSession> = {}): StoredSession => ({
  sessionId,
  identityId: 'n-1',
  generation: 1,
  ticketHash: hashOf(`ticket of ${sessionId}`),
  state: 'online',
  startedAtMs: NOW_MS - 5_000,
  changedAtMs: NOW_MS,
  ...changes,
})

export const route = (routeId: string, changes: Partial<StoredRoute> = {}): StoredRoute => ({
  routeId,
  link: 0x1_0000,
  clientId: 'c-1',
  nodeId: 'n-1',
  request: {
    country: 'DE',
    region: null,
    minBandwidthMbps: 100,
    maxLatencyMs: null,
    nodeId: null,
    exclude: ['n-9'],
  } as unknown as StoredRoute['request'], // the store keeps any wish, whatever the wire holds
  explanation: {
    considered: 7,
    qualified: 2,
    excluded: { country: 5 },
    compared: [{ nodeId: 'n-1', cost: 0.25, terms: { latency: null, load: 0.25 }, liking: 'preferred' }],
    rejected: [{ nodeId: 'n-9', reason: 'excluded' }],
  },
  state: 'active',
  assignedAtMs: NOW_MS,
  endedAtMs: null,
  cause: null,
  history: {
    decidedAtMs: NOW_MS - 3,
    moved: 17,
    moves: [{ atMs: NOW_MS - 3, from: 'n-2', to: 'n-1', cause: 'operator' }],
    stayed: { too_soon: 2 },
  },
  ...changes,
})

const none = { all: 0, turned: 0, direct: 0 }

export const path = (pathId: string, changes: Partial<PathRecord> = {}): PathRecord => ({
  pathId,
  link: 4_294_967_295,
  routeId: 'r-1',
  clientId: 'c-1',
  nodeId: 'n-1',
  policy: 'auto',
  tier: 'relayed',
  via: 'websocket',
  sinceMs: NOW_MS - 1_001,
  reason: 'symmetric_both',
  openedAtMs: NOW_MS - 5_003,
  closedAtMs: null,
  closedBecause: null,
  client: {
    rttMs: 12.75,
    lossPct: 0.5,
    reportedAtMs: NOW_MS - 7,
    candidates: ['host 192.168.1.4:51820', 'srflx [2001:db8::1]:40112'],
    sent: { relayed: 9_007_199_254_740_991, turned: 2, direct: 3 },
    received: { relayed: 4, turned: 5, direct: 6 },
    tally: {
      sent: { last: { all: 7, turned: 8, direct: 9 }, sum: { all: 10, turned: 11, direct: 12 } },
      received: { last: { all: 13, turned: 14, direct: 15 }, sum: { all: 16, turned: 17, direct: 18 } },
    },
  },
  node: {
    rttMs: null,
    lossPct: null,
    reportedAtMs: null,
    candidates: [],
    sent: { relayed: 0, turned: 0, direct: 0 },
    received: { relayed: 0, turned: 0, direct: 0 },
    tally: { sent: { last: none, sum: none }, received: { last: none, sum: none } },
  },
  attempts: [
    {
      attempt: 1,
      via: 'udp',
      atMs: NOW_MS - 4_000,
      client: {
        outcome: 'failed',
        local: null,
        remote: null,
        rttMs: null,
        cause: 'no_answer',
        tried: ['host 192.168.1.4:51820 → host 10.0.0.5:51820: no answer', 'with "quotes" and häme'],
        lost: null,
      },
      node: null,
    },
  ],
  history: [
    { tier: 'opening', via: null, reason: 'starting', fromMs: NOW_MS - 5_003, untilMs: NOW_MS - 1_001 },
  ],
  ...changes,
})

export const steering = (identityId: string, changes: Partial<StoredSteering> = {}): StoredSteering => ({
  identityId,
  steering: {
    groups: ['paid', 'with "quotes"'],
    tags: ['fast'],
    costWeight: 2.5,
    maxSessions: 40,
    drained: true,
    drainedUntilMs: 1_800_000_000_000,
    pin: 'n-1',
    prefer: ['n-2', 'n-3'],
    avoid: ['n-4'],
    group: 'paid',
    weights: { rtt: 2, price: 0 },
  },
  changedAtMs: NOW_MS - 9,
  ...changes,
})

export const auditEvent = (auditId: string, changes: Partial<AuditEvent> = {}): AuditEvent => ({
  auditId,
  atMs: NOW_MS,
  kind: 'session.replaced',
  actor: 'system',
  subject: 'n-1',
  detail: { from: 1, to: 2, why: 'a newer one' },
  ...changes,
})

export const changeOf = {
  identity: (value: Identity): Change => ({ kind: 'identity', key: value.id, value }),
  session: (value: StoredSession): Change => ({ kind: 'session', key: value.sessionId, value }),
  route: (value: StoredRoute): Change => ({ kind: 'route', key: value.routeId, value }),
  path: (value: PathRecord): Change => ({ kind: 'path', key: value.pathId, value }),
  steering: (value: StoredSteering): Change => ({ kind: 'steering', key: value.identityId, value }),
  audit: (value: AuditEvent): Change => ({ kind: 'audit', key: value.auditId, value }),
}
