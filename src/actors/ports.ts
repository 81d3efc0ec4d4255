/**
 * What the actors ask of the world, and what the world may ask of them. Types only: the adapters live in
 * `store`, `edge`, `telemetry` and in `test/lab`, and `app` puts one behind each port.
 */
import type { Nat } from '../mesh/nat.js'
import type { ActorKind } from '../protocol/actor-kinds.js'
import type { Endpoint } from '../protocol/address.js'
import type { PathPolicy } from '../mesh/path-policy.js'
import type { PathReason } from '../mesh/path-reason.js'
import type { COST_TERMS, WireOf } from '../protocol/messages.js'
import type { SendResult } from '../protocol/sent.js'
import type { TurnStats } from '../turn/service.js'

export type IdentityId = string
export type SessionId = string
export type RouteId = string
/** Index of a live session in the lanes' tables; given to another session when this one has closed. */
export type Slot = number
export type LinkId = number
export type Role = 'node' | 'client'

// ── what is stored ───────────────────────────────────────────────────────────────────────────────

/** Who an agent is: bound to its key at first contact, with addresses that stay. */
export interface Identity {
  readonly id: IdentityId
  readonly role: Role
  /** WireGuard public key, 32 bytes. */
  readonly publicKey: Uint8Array
  /** Addresses in the mesh without prefix length, `10.77.0.2` and `fd77:…::2`. */
  readonly overlay4: string
  readonly overlay6: string
  /** Counts the sessions of this identity; the newest wins. */
  readonly generation: number
  readonly profile: Profile
  readonly createdAtMs: number
  readonly revokedAtMs: number | null
}

/** What the agent says of itself when it registers. Unknown is null. */
export interface Profile {
  readonly agent: string
  readonly country: string | null
  readonly region: string | null
  readonly latitude: number | null
  readonly longitude: number | null
  readonly maxSessions: number | null
  readonly bandwidthMbps: number | null
  readonly exit: boolean
  readonly tags: readonly string[]
  /** How dear it is to use it; 1 is usual. */
  readonly costWeight: number | null
  readonly policy: PathPolicy
  /** What it can do about leaving the relay. */
  readonly can: readonly Ability[]
}

/** Which ways packets may travel. `direct-only` never uses our relay nor TURN; `relay-only` shows no address. */
export type { PathPolicy }
export type Ability = NonNullable<WireOf<'register'>['can']>[number]

export interface StoredSession {
  readonly sessionId: SessionId
  readonly identityId: IdentityId
  readonly generation: number
  /** SHA-256 of the ticket that resumes it; null when it has ended. */
  readonly ticketHash: Uint8Array | null
  readonly state: 'online' | 'suspended' | 'closed'
  readonly startedAtMs: number
  readonly changedAtMs: number
}

export interface StoredRoute {
  readonly routeId: RouteId
  readonly link: LinkId
  readonly clientId: IdentityId
  readonly nodeId: IdentityId
  readonly request: RouteWish
  readonly explanation: Explanation
  readonly state: 'active' | 'ended'
  readonly assignedAtMs: number
  readonly endedAtMs: number | null
  /** Why it ended, or why it replaced another. */
  readonly cause: string | null
  /** Absent in routes of older versions. */
  readonly history?: RouteHistory
}

/** What a route has been through. */
export interface RouteHistory {
  /** When the decision that stands was made, ms since 1970 UTC. */
  readonly decidedAtMs: number
  /** How often it moved, and the last moves, oldest first. */
  readonly moved: number
  readonly moves: readonly RouteMove[]
  /** How often it had a reason to move and stayed, by why. Stored when the route is, so a crash may lose some. */
  readonly stayed: Readonly<Record<string, number>>
}
export interface RouteMove {
  readonly atMs: number
  readonly from: IdentityId
  readonly to: IdentityId
  readonly cause: string
}

export interface AuditEvent {
  /** Unique; a retried write stores it once. */
  readonly auditId: string
  readonly atMs: number
  /** Such as `identity.enrolled`, `identity.key_mismatch`, `session.replaced`, `enrolment_key.created`. */
  readonly kind: string
  readonly actor: string
  readonly subject: string
  readonly detail: Readonly<Record<string, unknown>>
}

/** One thing that changed. The newest value of a key replaces older ones; `audit` only ever adds. */
export type Change =
  | { readonly kind: 'identity'; readonly key: IdentityId; readonly value: Identity }
  | { readonly kind: 'session'; readonly key: SessionId; readonly value: StoredSession }
  | { readonly kind: 'route'; readonly key: RouteId; readonly value: StoredRoute }
  | { readonly kind: 'path'; readonly key: string; readonly value: PathRecord }
  | { readonly kind: 'steering'; readonly key: IdentityId; readonly value: StoredSteering }
  | { readonly kind: 'audit'; readonly key: string; readonly value: AuditEvent }

/** What a start finds: identities and how they are steered, the sessions that may be resumed, the routes that stand, and their paths. */
export interface Restored {
  readonly identities: readonly Identity[]
  readonly sessions: readonly StoredSession[]
  readonly routes: readonly StoredRoute[]
  readonly paths: readonly PathRecord[]
  readonly steerings: readonly StoredSteering[]
}

export interface EnrolmentKey {
  readonly keyId: string
  /** SHA-256 of the secret. */
  readonly secretHash: Uint8Array
  /** null: any role. */
  readonly role: Role | null
  /** null: any number of times. */
  readonly usesLeft: number | null
  readonly expiresAtMs: number | null
  readonly note: string
  readonly createdAtMs: number
  readonly revokedAtMs: number | null
}

export interface EnrolRequest {
  readonly id: IdentityId
  readonly role: Role
  readonly publicKey: Uint8Array
  readonly profile: Profile
  /** What lets it in: SHA-256 of the credential's secret, or an operator's name. */
  readonly by: { readonly secretHash: Uint8Array } | { readonly operator: string }
  readonly nowMs: number
}

export type EnrolOutcome =
  | { readonly ok: true; readonly identity: Identity }
  | {
      readonly ok: false
      readonly code: 'not_authorised' | 'key_mismatch' | 'key_in_use' | 'addresses_exhausted'
    }

/**
 * The durable side. Every method may reject with a `StoreUnavailable`, and settles within a bounded time.
 * What it has resolved survives a kill of the process at any moment.
 */
export interface Store {
  load(): Promise<Restored>
  /** Applies all changes or none. Idempotent: the same changes may come again after a failure. */
  write(changes: readonly Change[]): Promise<void>
  /** In one transaction: spends the key if there is one, binds the id to the public key, gives addresses, writes the audit event. */
  enrol(request: EnrolRequest): Promise<EnrolOutcome>
  addEnrolmentKey(key: EnrolmentKey): Promise<void>
  enrolmentKeys(): Promise<readonly EnrolmentKey[]>
  /** Returns false when there is no such key. */
  revokeEnrolmentKey(keyId: string, nowMs: number): Promise<boolean>
  /** Newest first. */
  auditEvents(limit: number): Promise<readonly AuditEvent[]>
  /** Paths between two identities in either role, live and ended: newest first. */
  pathsBetween(a: IdentityId, b: IdentityId, limit: number): Promise<readonly PathRecord[]>
  /** Paths that ended at this moment or later, ms, and after the one given: the one that ended first comes first. */
  endedPaths(sinceMs: number, after: EndedPath | null, limit: number): Promise<readonly PathRecord[]>
  /** A round trip to the database, ms. */
  ping(): Promise<number>
  close(): Promise<void>
}

/**
 * What changed since the last write to the store, kept where a kill of the process does not reach.
 * `append` returns when the operating system has the bytes: what was acknowledged afterwards is not lost,
 * even while the store is away.
 */
export interface Journal {
  append(change: Change): void
  /** Returns what an earlier process appended and no store has taken, in order. */
  replay(): readonly Change[]
  /** Begins a new part; returns a mark for `drop` that stands for everything appended before. */
  rotate(): number
  /** Forgets what was appended before the mark: the store has it. */
  drop(mark: number): void
  close(): void
}

/** The store cannot be asked now; the caller goes on from memory and comes back later. */
export interface StoreUnavailableError extends Error {
  readonly code: 'STORE_UNAVAILABLE'
}

// ── routes ───────────────────────────────────────────────────────────────────────────────────────

/** What a client wants; every requirement present is hard. */
export type RouteWish = Omit<WireOf<'route.request'>, 'type' | 'requestId'>

/** How a decision came about. Plain data: stored with the route, printed by the command line. */
export interface Explanation {
  /** Nodes that were looked at, in a large mesh a few of them, and how many of these met every requirement. */
  readonly considered: number
  readonly qualified: number
  /** Requirement, and how many nodes it ruled out; a node counts once, under its first. */
  readonly excluded: Readonly<Record<string, number>>
  /** The few that were compared, best first; the first one is the choice. Preferred ones lead, avoided ones close. */
  readonly compared: readonly ScoredNode[]
  /** Nodes that were looked at and are out, and why: the first few. Absent in decisions of older versions. */
  readonly rejected?: readonly { readonly nodeId: IdentityId; readonly reason: string }[]
}
export interface ScoredNode {
  readonly nodeId: IdentityId
  /** Lower is better. */
  readonly cost: number
  /** What the cost is made of, weighted; null is unknown and counts as average. */
  readonly terms: Readonly<Record<string, number | null>>
  /** The client or its operator would rather have this node, or not: that goes before the cost. */
  readonly liking?: 'preferred' | 'avoided' | 'degraded'
}

/** What the operator has laid down for an identity. The wish of a request comes before it. */
export interface Steering {
  /** Node: groups it is in, and tags beside those it gives itself. */
  readonly groups: readonly string[]
  readonly tags: readonly string[]
  /** Node: how dear it is; null: as it says itself, or 1. */
  readonly costWeight: number | null
  /** Node: clients it may carry at once; null: as it says itself. */
  readonly maxSessions: number | null
  /** Node: it is drained, until the operator says otherwise. */
  readonly drained: boolean
  /** Node: when the routes that its drain has left are ended, ms since 1970 UTC; null: never. */
  readonly drainedUntilMs: number | null
  /** Client: the only node it may use, and those that it uses rather or not. */
  readonly pin: IdentityId | null
  readonly prefer: readonly IdentityId[]
  readonly avoid: readonly IdentityId[]
  /** Client: the only group whose nodes it may use. */
  readonly group: string | null
  /** Client: how much a term of the cost counts; what is left out counts 1. */
  readonly weights: Readonly<Partial<Record<CostTerm, number>>>
}
export type CostTerm = (typeof COST_TERMS)[number]

export interface StoredSteering {
  readonly identityId: IdentityId
  readonly steering: Steering
  readonly changedAtMs: number
}

// ── the socket ───────────────────────────────────────────────────────────────────────────────────

/** One WebSocket, as the mesh sees it. The bytes given to `send` may be reused when it returns. */
export interface Socket {
  send(bytes: Uint8Array): SendResult
  /** Bytes accepted but not yet taken by the operating system. */
  buffered(): number
  close(code: number, reason: string): void
  /** The other end’s address, for limits and logs. */
  readonly remote: string
}

/** Where a shell hands its sockets. One object per socket; nothing of it outlives `closed`. */
export interface Connection {
  /** A binary message. The bytes are only lent: they die when the call returns. */
  received(message: Uint8Array): void
  /** A text message: not of this protocol. */
  receivedText(): void
  pinged(): void
  /** The socket takes bytes again. */
  drained(): void
  /** The socket is gone, whoever closed it. */
  closed(code: number): void
}

export interface Intake {
  /** Returns null and a reason when the limits allow no more connections now. */
  admit(remote: string): { readonly ok: true } | { readonly ok: false; readonly retryAfterS: number }
  opened(socket: Socket): Connection
}

// ── STUN and TURN ────────────────────────────────────────────────────────────────────────────────

/** STUN and TURN as the actors see them, whoever provides them. */
export interface Traversal {
  /** What goes into `iceServers` of an identity with a live session: URI, and for TURN username and password. */
  iceServers(id: IdentityId): NonNullable<WireOf<'registered'>['iceServers']>
  /** STUN URIs for `probe.plan`: one for each address and port that answers, the first one first. */
  stunServers(): readonly string[]
  /** Calls `hear` for every Binding request that our own STUN listeners receive; returns what ends it. */
  onSighting(hear: HearSighting): () => void
  /** Calls `hear` for every datagram on the STUN port that is neither STUN nor TURN; the bytes are only lent. */
  onStray(hear: (datagram: Uint8Array, from: Endpoint) => void): () => void
}

/** `remind` sends a Binding indication with the same transaction id to where the request came from, now or later. */
export type HearSighting = (sighting: Sighting, remind: () => void) => void

/** A Binding request as it arrived. */
export interface Sighting {
  /** 12 bytes as hex. */
  readonly transactionId: string
  readonly address: string
  readonly port: number
  /** Index of the listener, as in `stunServers()`. */
  readonly listener: number
}

/** STUN and TURN as operators see them. */
export interface TurnView extends TurnStats {
  readonly mode: 'embedded' | 'coturn' | 'external'
  readonly state: 'off' | 'starting' | 'up' | 'degraded'
}

// ── the ledger of paths ──────────────────────────────────────────────────────────────────────────

/** `waiting`: nothing is carried, because the policy allows only a direct way and there is none. */
export type PathTier = 'opening' | 'relayed' | 'turned' | 'direct' | 'waiting' | 'closed'
export type PathVia = NonNullable<WireOf<'path.settled'>['via']>
export type PathEndName = 'client' | 'node'
/** Bytes by the tier that carried them. */
export type TierBytes = Record<'relayed' | 'turned' | 'direct', number>

/** What is known of one path, and what it has been through. Plain data. Times are ms since 1970 UTC; unknown is null. */
export interface PathRecord {
  /** Unique for ever: link ids come again. */
  readonly pathId: string
  readonly link: LinkId
  readonly routeId: RouteId
  readonly clientId: IdentityId
  readonly nodeId: IdentityId
  readonly policy: PathPolicy
  readonly tier: PathTier
  readonly via: PathVia | null
  /** Since when it is on this tier by this socket. */
  readonly sinceMs: number
  /** Why it is not direct: a code of `mesh/path-reason.ts`; null when it is. */
  readonly reason: string | null
  readonly openedAtMs: number
  readonly closedAtMs: number | null
  /** Why it was closed, for people. */
  readonly closedBecause: string | null
  readonly client: PathEnd
  readonly node: PathEnd
  /** The last ones, oldest first. */
  readonly attempts: readonly PathAttempt[]
  /** Where it was before, the last ones, oldest first. */
  readonly history: readonly PathStay[]
}

/** A path as one end sees it. */
export interface PathEnd {
  readonly rttMs: number | null
  readonly lossPct: number | null
  readonly reportedAtMs: number | null
  /** Where the end says it may be reached, as on the wire. */
  readonly candidates: readonly string[]
  readonly sent: TierBytes
  readonly received: TierBytes
  /** What the above is added up from. */
  readonly tally: { readonly sent: PathTally; readonly received: PathTally }
}

/** Counters of one way, which begin anew with their agent. */
export interface PathTally {
  /** As last reported, bytes. */
  readonly last: PathCounters
  /** All that was ever counted, bytes. */
  readonly sum: PathCounters
}
export interface PathCounters {
  /** By every tier. */
  readonly all: number
  readonly turned: number
  readonly direct: number
}

/** A time on one tier. */
export interface PathStay {
  readonly tier: PathTier
  readonly via: PathVia | null
  readonly reason: string | null
  readonly fromMs: number
  readonly untilMs: number
}

/** An attempt to leave the relay. */
export interface PathAttempt {
  readonly attempt: number
  readonly via: WireOf<'path.attempt'>['via']
  readonly atMs: number
  /** What each end said of it; null when it has said nothing. */
  readonly client: PathTrial | null
  readonly node: PathTrial | null
}

/** How an attempt went at one end. */
export interface PathTrial {
  readonly outcome: 'direct' | 'turned' | 'failed'
  /** The chosen pair, as on the wire. */
  readonly local: string | null
  readonly remote: string | null
  readonly rttMs: number | null
  /** Of `failed`: why. */
  readonly cause: string | null
  /** Each pair that was tried and what became of it; kept for the newest attempts only. */
  readonly tried: readonly string[]
  /** When what it had won was gone, and why. */
  readonly lost: { readonly atMs: number; readonly cause: string | null } | null
}

// ── what operators, pages and metrics may see ────────────────────────────────────────────────────

export interface NodeView {
  readonly id: IdentityId
  readonly sessionId: SessionId
  readonly state: string
  readonly generation: number
  readonly overlay4: string
  readonly overlay6: string
  readonly profile: Profile
  readonly links: number
  readonly nat: Nat
  /** Places that routes have taken, and that there are: by the operator's word or its own, null when nobody says. */
  readonly reserved: number
  readonly places: number | null
  /** Why it is taken for one that carries badly: `loss`, `rtt` or `uplink`; null while it carries well. */
  readonly ailment: string | null
  /** Packets lost on the way to it as its clients measure it, %; null when none of them knows. */
  readonly lossPct: number | null
  /** Sessions that it lost lately, each counting half after ten minutes. */
  readonly flaps: number
  /** Monotonic silence, ms. */
  readonly silentMs: number | null
  readonly rttMs: number | null
  /** The gauges of the last heartbeat by wire name; null is unknown. */
  readonly gauges: Readonly<Record<string, number | null>>
}
export interface ClientView {
  readonly id: IdentityId
  readonly sessionId: SessionId
  readonly state: string
  readonly generation: number
  readonly overlay4: string
  readonly overlay6: string
  readonly silentMs: number | null
  readonly rttMs: number | null
  readonly nat: Nat
  readonly nodeId: IdentityId | null
  readonly link: LinkId | null
}
export interface RouteView {
  readonly routeId: RouteId
  readonly link: LinkId
  readonly clientId: IdentityId
  readonly nodeId: IdentityId
  readonly tier: PathTier
  /** By which socket packets travel; null when they do not. */
  readonly via: PathVia | null
  /** Why the path is not direct; null while it is. */
  readonly reason: PathReason | null
  readonly sinceMs: number
  readonly explanation: Explanation
}
/** A path as lists show it. */
export interface PathView extends Omit<PathRecord, 'client' | 'node' | 'attempts' | 'history'> {
  /** As the client measured it, or else the node. */
  readonly rttMs: number | null
  readonly lossPct: number | null
  readonly bytes: { readonly toNode: TierBytes; readonly toClient: TierBytes }
  /** Number of the last attempt to leave the relay. */
  readonly attempted: number
}
/** Names a path that has ended, and its place among others. */
export interface EndedPath {
  readonly pathId: string
  readonly closedAtMs: number | null
}
/**
 * What went over a path so far. Its figures only grow, but for what a crash of this process takes with it together
 * with an agent.
 */
export type PathTraffic = EndedPath & Pick<PathView, 'clientId' | 'nodeId' | 'bytes'>
/** Which paths are wanted; what is left out does not matter. */
export interface PathWish {
  readonly tier?: PathTier | null
  readonly reason?: string | null
  readonly clientId?: IdentityId | null
  readonly nodeId?: IdentityId | null
  /** Only links above this one. */
  readonly after?: LinkId | null
  readonly limit?: number
}
/** `total`: how many meet the wish. The next page begins after `next`; null: there is none. */
export interface PathsView {
  readonly paths: readonly PathView[]
  readonly total: number
  readonly next: LinkId | null
}
/** A path with all that is known of it. */
export interface PathStory extends PathView {
  /** The reason as a person can act on it; null when there is none. */
  readonly words: string | null
  readonly ends: Readonly<Record<PathEndName, PathEndView>>
  /** The last ones, oldest first. */
  readonly attempts: readonly PathAttempt[]
  readonly history: readonly PathStay[]
}
export type PathEndView = Pick<PathEnd, 'rttMs' | 'lossPct' | 'reportedAtMs' | 'candidates'> & {
  readonly id: IdentityId
  /** State of its session; null when it has none. */
  readonly state: string | null
  readonly nat: Nat
  /** What its agent can do about leaving the relay. */
  readonly can: readonly Ability[]
}
/** Why two are connected as they are, or are not. */
export interface WhyView {
  /** When this was said; every time in it is of this clock. */
  readonly nowMs: number
  /** The answer in one line. */
  readonly words: string
  /** Live ones first, newest first. */
  readonly paths: readonly PathStory[]
  /** False: the database is away, and only what is in memory was looked at. */
  readonly complete: boolean
}
/** The mesh as it is drawn: bounded, however large it is. */
export interface MeshPicture {
  /** When this was said, ms since 1970 UTC. */
  readonly nowMs: number
  /** Those with the most clients, the largest first. */
  readonly nodes: readonly PicturedNode[]
  readonly totalNodes: number
  /** To the nodes above, those with the most clients first; each path by itself where there are few. */
  readonly links: readonly PicturedLink[]
  readonly totalPaths: number
  readonly totalClients: number
}
/** Where things are is what their agents say; null where they do not. */
export interface PicturedNode extends Pick<Profile, 'country' | 'latitude' | 'longitude'> {
  readonly id: IdentityId
  readonly state: string
  readonly clients: number
  readonly places: number | null
  /** Share of its places or of its uplink that is taken, whichever is more, 0 to 1; null when neither is known. */
  readonly load: number | null
  readonly draining: boolean
  /** As in `NodeView`. */
  readonly ailment: string | null
  readonly rttMs: number | null
  readonly lossPct: number | null
}
/** Paths of one tier from one place to one node. */
export interface PicturedLink extends Pick<Profile, 'country' | 'latitude' | 'longitude'> {
  readonly nodeId: IdentityId
  readonly tier: PathTier
  readonly clients: number
  /** Of one path alone: whose, and which. */
  readonly clientId: IdentityId | null
  readonly link: LinkId | null
  /** Both ways, since the paths were opened. */
  readonly bytes: number
  /** Means of those that are known. */
  readonly rttMs: number | null
  readonly lossPct: number | null
  /** Why they are not direct: reason codes, and how many paths each is of. */
  readonly reasons: Readonly<Record<string, number>>
}
/** What the operator has laid down for one identity. */
export interface SteeringView {
  readonly id: IdentityId
  readonly role: Role
  readonly steering: Steering
}
/** A node that is drained. */
export interface DrainView {
  readonly nodeId: IdentityId
  /** `waiting`: each route was tried, and what is left waits; `expired`: it was ended. */
  readonly state: 'moving' | 'waiting' | 'empty' | 'expired'
  readonly by: 'node' | 'operator'
  readonly startedAtMs: number
  /** Links that the node still carries: of its routes, and of those that are moving away. */
  readonly left: number
  /** Routes that were moved to other nodes so far. */
  readonly moved: number
  /** Routes that were tried, and nothing qualifies for them. */
  readonly waiting: number
  /** Routes that were ended because time was up. */
  readonly ended: number
  /** Until the routes that are left are ended, ms; null: it waits for them. */
  readonly remainingMs: number | null
  /** Until every route has been tried, ms; null: it moves none now. */
  readonly estimateMs: number | null
}
/** What a decision for a client looks like now: every node, best first, or why it is out. */
export interface Deliberation {
  /** When this was said; every time in it is of this clock. */
  readonly nowMs: number
  readonly clientId: IdentityId
  /** What the client's standing route was asked for, and what this request asks for on top of it: what is hard holds together. */
  readonly wish: RouteWish
  readonly order: RouteWish
  /** What the operator has laid down for the client. */
  readonly steering: Steering
  /** The route that stands. */
  readonly standing: RouteSummary | null
  /** Of all nodes; the lists in it end where the request said, the counts do not. */
  readonly explanation: Explanation
}
export type RouteSummary = Pick<StoredRoute, 'routeId' | 'link' | 'nodeId'>
/**
 * What came of an operator's decision. `kept`: the client is where it should be. `refused`: no node qualifies.
 * `unasked`: the client has no route, and its agent would not use one that it has not asked for.
 */
export interface RouteOutcome extends Deliberation {
  readonly outcome: 'moved' | 'kept' | 'refused' | 'unasked'
  /** The route that stands from now on. */
  readonly route: RouteSummary | null
}
/** A standing route and how it came about. */
export interface RouteStory extends RouteSummary {
  readonly nowMs: number
  readonly clientId: IdentityId
  readonly wish: RouteWish
  readonly steering: Steering
  readonly tier: PathTier
  readonly via: PathVia | null
  readonly assignedAtMs: number
  /** Who would be next, best first. */
  readonly alternatives: readonly IdentityId[]
  /** The decision that stands, as it was made. */
  readonly explanation: Explanation
  readonly history: RouteHistory
  /** It has to move and nobody qualifies: why, since when, and until when it may stay, ms; null: until somebody does. */
  readonly waiting: {
    readonly cause: string
    readonly sinceMs: number
    readonly remainingMs: number | null
  } | null
  /** Every node as it is now, when that was asked for. */
  readonly now: Explanation | null
}
export interface HistogramView {
  readonly bounds: readonly number[]
  readonly counts: ArrayLike<number>
  readonly sum: number
  readonly count: number
}
/** How many sessions are behind NATs of one kind, unknown ones too; sessions that cannot be asked are not in it. */
export interface NatStats {
  readonly udp: string
  readonly mapping: string
  readonly filtering: string
  readonly count: number
}
/** Figures since the start; names and units are those of the metrics page. */
export interface MeshStats {
  readonly sessions: Readonly<
    Record<'node' | 'client', Readonly<Record<'registering' | 'online' | 'lapsed' | 'suspended', number>>>
  >
  /** Sockets open, registered or not, and those that have not registered yet. */
  readonly connections: { readonly open: number; readonly greeting: number }
  readonly routes: {
    readonly active: number
    readonly assigned: number
    readonly refused: number
    readonly switched: number
    /** From the reason to move to the new route, by the reason. */
    readonly switchMs: Readonly<Record<WireOf<'route.switched'>['cause'], HistogramView>>
    /** Switches that were not made, by why not. */
    readonly suppressed: Readonly<Record<string, number>>
    /** Routes that have moved and whose old link is still open, and how others ended. */
    readonly handingOver: number
    readonly handovers: Readonly<Record<'carried' | 'failed' | 'undone' | 'dropped', number>>
    /** Routes that have to move and for which no other node qualifies. */
    readonly waiting: number
    /** Nodes that carry badly, by why. */
    readonly degradedNodes: Readonly<Record<'loss' | 'rtt' | 'uplink', number>>
  }
  readonly relay: {
    readonly links: number
    readonly packets: number
    readonly bytes: number
    readonly drops: Readonly<Record<string, number>>
    readonly queueMs: HistogramView
  }
  readonly nats: readonly NatStats[]
  readonly paths: {
    readonly live: readonly PathCount[]
    /** By the outcome for the end it went worse for; `lost` counts again what had been won. */
    readonly attempts: Readonly<
      Record<PathAttempt['via'], Readonly<Record<PathTrial['outcome'] | 'lost', number>>>
    >
    /** Payload of both ways as agents report it, bytes. */
    readonly bytes: Readonly<TierBytes>
  }
  readonly heartbeats: number
  /** Refusals and kicks by reason. */
  readonly denied: Readonly<Record<string, number>>
  readonly admissions: {
    /** Let in, by what they came with. */
    readonly admitted: Readonly<Record<'resume' | 'register' | 'first_contact', number>>
    /** Told to come back in a slot of their own, and not back yet. */
    readonly waiting: Readonly<Record<'node' | 'client' | 'register', number>>
  }
  /** Sessions closed because our own code threw. */
  readonly faults: number
  readonly resumed: number
  readonly registered: number
  readonly replaced: number
  readonly snapshot: {
    readonly state: string
    readonly dirty: number
    readonly written: number
    readonly failures: number
    /** Ended sessions, routes and paths, and audit events, that could not wait for an absent store. */
    readonly lost: number
    readonly lastWriteMs: number | null
  }
}

/** Live paths of one tier and reason. */
export interface PathCount {
  readonly tier: PathTier
  readonly reason: string | null
  readonly count: number
}

// ── what plug-ins may ask and hear ───────────────────────────────────────────────────────────────

/** What happened, for whoever listens: webhooks, the inspector. Told once, in order, after it is so. */
export type Fact = { readonly atMs: number } & (
  | {
      /** A session of this identity has a socket, or has none any more and its time to come back is over. */
      readonly type: 'node.online' | 'node.offline' | 'client.online' | 'client.offline'
      readonly id: IdentityId
      readonly sessionId: SessionId
      readonly generation: number
    }
  | {
      /** It loses its sessions so often that this is worth a look. */
      readonly type: 'node.flapping'
      readonly id: IdentityId
      readonly generation: number
      /** Sessions lost lately, each counting half after ten minutes. */
      readonly flaps: number
    }
  | {
      readonly type: 'route.switched'
      readonly routeId: RouteId
      readonly clientId: IdentityId
      readonly from: IdentityId
      readonly to: IdentityId
      readonly cause: string
      /** How often the route has moved by now: its own generation. */
      readonly moved: number
    }
  | {
      readonly type: 'relay.saturated' | 'relay.relieved'
      /** Packets dropped for want of room: in the last second; in all the time until it was relieved. */
      readonly dropped: number
    }
  | {
      /** An identity, or an enrolment key, that nobody may use any more. */
      readonly type: 'key.revoked'
      readonly subject: 'identity' | 'enrolment_key'
      readonly id: string
      readonly by: string
    }
)
export type HearFact = (fact: Fact) => void

/** Someone who has enrolled, whether here or not. */
export interface IdentityView extends Identity {
  /** State of its session; null when it has none. */
  readonly state: string | null
  /** Why it is kept out for now; null: it is not. */
  readonly denial: Denial | null
}

/** What an agent without a socket of its own says when it begins: `register`, but for the proof. */
export type Hello = Omit<WireOf<'register'>, 'type' | 'proof'>

/** How an agent without a socket of its own shows that it is who it says. */
export type Vouch =
  /** By a token that we signed for this identity; whoever says so has verified it. */
  | { readonly by: 'token' }
  /** By the proof of its key over a nonce of `challenge()`, good for one minute and one use. */
  | { readonly by: 'proof'; readonly nonce: Uint8Array; readonly proof: Uint8Array }
  /** By nothing: it is new, and `hello.credential` admits it. Never lets anyone become an identity that exists. */
  | { readonly by: 'credential' }

/** What a proof of key possession is made over. */
export interface MailboxChallenge {
  readonly serverId: string
  /** X25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array
  readonly nonce: Uint8Array
}

export type ReportBatch = Omit<WireOf<'report.batch'>, 'type'>
/** Resolves when the batch is durable, or says why not. What it rejects with is told as `later`. */
export type TakeReports = (
  from: IdentityId,
  batch: ReportBatch,
) => Promise<Omit<WireOf<'report.ack'>, 'type' | 'stream' | 'seq'>>

export type JobOffer = Omit<WireOf<'job.offer'>, 'type'>
export type JobWord = WireOf<'job.progress' | 'job.done' | 'job.ready'>
export type HearJobWord = (from: IdentityId, word: JobWord) => void

// ── actors, for whoever looks at them ────────────────────────────────────────────────────────────

/** Plain data: what JSON can hold. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [name: string]: Plain }

export type { ActorKind }
/** A kind, and a name where there are several of it: `coordinator`, `node/fra-1`, `path/65537`. */
export type ActorId = string

/** An actor as lists show it. */
export interface ActorRow {
  readonly id: ActorId
  readonly kind: ActorKind
  /** In one line: `online{presence: fresh, reach: known, duty: accepting}`. */
  readonly state: string
  /** The actor that looks after it; null: nobody does. */
  readonly parent: ActorId | null
  readonly country: string | null
  /** What else is worth a look: whom a path joins, and why it is relayed. */
  readonly about: string | null
  /** Why a path is not direct; null: it is, or is no path. */
  readonly reason: PathReason | null
}

/** An actor with what is known of it. No secret is in it. */
export interface ActorView extends ActorRow {
  /** Its state as its machine has it. */
  readonly value: Plain
  readonly context: Plain
  /** What its agent has not taken from its socket yet, bytes; null: it has no socket. */
  readonly unreadBytes: number | null
  /** What it waits for, and how long still, ms. */
  readonly timers: readonly { readonly name: string; readonly inMs: number }[]
  /** Whom it speaks with. */
  readonly neighbours: readonly ActorId[]
  /** Whether somebody watches it: only then are its steps kept. */
  readonly watched: boolean
}

/** What an actor did: an event that it heard, or a message that its agent said or was told. */
export interface ActorStep {
  readonly atMs: number
  /** Of two steps of whomever, the one that was told later has the larger. */
  readonly order: number
  readonly actor: ActorId
  readonly kind: 'step' | 'said' | 'told'
  /** Name of the event or of the message. */
  readonly event: string
  /** What it carried, bounded and without secrets. */
  readonly data: Plain
  /** States before and after; the same where nothing changed. */
  readonly from: string
  readonly to: string
  readonly moved: boolean
  /** Names of the actions that were asked for. */
  readonly actions: readonly string[]
}

export interface Statechart {
  readonly id: string
  readonly root: StatechartState
}
export interface StatechartState {
  readonly key: string
  /** Its way from the root: `carried.tier.direct`; empty for the root. */
  readonly path: string
  /** `atomic`, `compound`, `parallel`, `final`. */
  readonly type: string
  /** Path of the state that it begins in. */
  readonly initial: string | null
  readonly entry: readonly string[]
  readonly exit: readonly string[]
  readonly on: readonly {
    readonly event: string
    /** Paths; none: the state stays. */
    readonly targets: readonly string[]
    readonly guard: string | null
    readonly actions: readonly string[]
  }[]
  readonly states: readonly StatechartState[]
}

/** Which actors are wanted; what is left out does not matter. */
export interface ActorWish {
  /** A part of the id, the country or what it is about; case does not matter. */
  readonly search?: string | undefined
  readonly kinds?: readonly ActorKind[] | undefined
  /** A part of the state: `lapsed`, `relayed`. */
  readonly state?: string | undefined
  readonly country?: string | undefined
  readonly reason?: PathReason | undefined
  /** Those that this actor looks after. */
  readonly parent?: ActorId | undefined
  readonly sort?: 'id' | 'state' | 'country' | 'about' | undefined
  readonly descending?: boolean | undefined
  /** Where the page before ended, as its `next` says. */
  readonly after?: string | undefined
  readonly limit: number
}
export interface ActorsPage {
  readonly actors: readonly ActorRow[]
  /** How many meet the wish, and how many of each kind. */
  readonly total: number
  readonly kinds: Readonly<Partial<Record<ActorKind, number>>>
  readonly next: string | null
}

// ── what an operator does to one identity ────────────────────────────────────────────────────────

/** What a room beside the mesh says of an identity that has enrolled: whether it is let in, and on which terms. */
export interface Terms {
  /** null: it is let in. */
  readonly denial: Denial | null
  /** Its routes lead to nodes that are in one of these groups; empty: to any. */
  readonly groups: readonly string[]
  /** What it may send, and what it may be sent, at most; its packets go by the relay then, which can hold them back. null: the usual. */
  readonly bytesPerSecond: number | null
}

/** Why an identity is kept out for now. Its session ends, and its agent comes back by itself to see whether it still is. */
export interface Denial {
  readonly code: 'not_entitled' | 'quota_used' | 'inactive'
  /** For people. */
  readonly reason: string
  readonly retryAfterMs: number
}

/** Who may ask for terms, at every door and for every route: answers from memory, and null for whom it knows nothing of. */
export type TermsOf = (id: IdentityId, role: Role) => Terms | null

interface Intervention {
  readonly id: IdentityId
  readonly role: Role
}
export interface Kick extends Intervention {
  /** Whether there was a session to end. */
  readonly ended: boolean
  /** How long the identity is refused from now on, ms. */
  readonly refusedForMs: number
}
export interface Revocation extends Intervention {
  readonly ended: boolean
  /** ms since 1970 UTC: of the first time, if it was revoked before. */
  readonly revokedAtMs: number
}
export interface Reprobe extends Intervention {
  /** Whether its agent is asked; `cannot`: it knows no probes; `no_servers`: there is no STUN server. */
  readonly probe: 'asked' | 'away' | 'cannot' | 'no_servers'
  /** Paths that are tried again. */
  readonly paths: number
}

/** The mesh as plug-ins, pages and the command line see it. */
export interface MeshApi {
  readonly serverId: string
  /** Resolves with a page of the actors; looking at very many of them takes several turns of the event loop. */
  actors(wish: ActorWish): Promise<ActorsPage>
  /** Returns an actor; null when there is none of this name. */
  actor(id: ActorId): ActorView | null
  /**
   * Calls `hear` with each step of an actor from now on; returns the last ones, which are known only while somebody
   * watches, and what ends it. null: there is no such actor. Costs the others nothing.
   */
  watchActor(
    id: ActorId,
    hear: (step: ActorStep) => void,
  ): { readonly recent: readonly ActorStep[]; readonly stop: () => void } | null
  /** Returns the statechart of each kind of actors. */
  statecharts(): Readonly<Partial<Record<ActorKind, Statechart>>>
  /** Gives what agents report over their sessions to `take` from now on; returns what ends it. Nobody takes them: `refused`. */
  takeReports(take: TakeReports): () => void
  /** Gives what nodes say of jobs over their sessions to `hear` from now on; returns what ends it. */
  onJobWord(hear: HearJobWord): () => void
  /** Tells a node of a job over its session; false when it has no socket now. */
  offerJob(id: IdentityId, offer: JobOffer): boolean
  /** Calls `hear` with every fact from now on; returns what ends it. What `hear` throws is logged and stays with it. */
  onFact(hear: HearFact): () => void
  /** Calls `hear` from now on when more has gone over a path, and when it ends; returns what ends it. */
  onTraffic(hear: (traffic: PathTraffic) => void): () => void
  /**
   * Returns what has gone over the live paths of a client by now: what our relay has carried is counted here and at once,
   * the rest is as its ends last reported it.
   */
  trafficNow(clientId: IdentityId): readonly PathTraffic[]
  /** Resolves with paths that ended at this moment or later, as the store has them, the first one first. */
  endedTraffic(sinceMs: number, after: EndedPath | null, limit: number): Promise<readonly PathTraffic[]>
  /** Returns who has enrolled under this id; null when nobody has. */
  identity(id: IdentityId): IdentityView | null
  /** Yields everyone who has enrolled. */
  identities(): Iterable<IdentityView>
  /** Keeps a line of the audit, durably. */
  audit(event: Omit<AuditEvent, 'auditId' | 'atMs'>): void
  /** Calls `hear` with every line of the audit from now on; returns what ends it. */
  onAudit(hear: (event: AuditEvent) => void): () => void
  /** Returns a new challenge for an agent without a socket. */
  challenge(): MailboxChallenge
  /**
   * Begins, or takes over, the session of an agent whose socket is a mailbox: what the agent says is given to the
   * connection as messages of the wire, what it is told arrives at `socket.send`. The same door, limits and actors
   * as for any other. The outcome arrives as `registered` or `refused`; null, and `refused` is told, when the limits
   * allow no more connections.
   */
  enter(socket: Socket, hello: Hello, vouch: Vouch): Connection | null
  /** `booting`, `serving`, `draining` or `stopped`. */
  state(): string
  stats(): MeshStats
  nodes(): readonly NodeView[]
  /** Returns one node that has a session; null when it has none. */
  node(id: IdentityId): NodeView | null
  /** Yields the same one after another: whoever looks at very many can let others work in between. */
  eachNode(): Iterable<NodeView>
  /** Returns the `limit` nodes with the most links, the busiest first. */
  busiest(limit: number): readonly NodeView[]
  /** Yields the round trip to each node that was heard in the last `heardWithinMs`, ms, where it is known. */
  roundTrips(heardWithinMs: number): Iterable<number>
  clients(): readonly ClientView[]
  /** Returns one client that has a session; null when it has none. */
  client(id: IdentityId): ClientView | null
  routes(): readonly RouteView[]
  /** Live paths, in the order of their links. */
  paths(wish?: PathWish): PathsView
  /** Returns a live path; null when there is none with this link. */
  path(link: LinkId): PathStory | null
  /** Resolves with those of the two that have never enrolled, or with the answer. */
  why(a: IdentityId, b: IdentityId): Promise<WhyView | { readonly unknown: readonly IdentityId[] }>
  /**
   * Resolves with the mesh to be drawn, with so many nodes and links at most; to look at very many paths takes several
   * turns of the event loop.
   */
  picture(wish: { readonly nodes: number; readonly links: number }): Promise<MeshPicture>
  /** Returns what holds for an identity; null when nobody has enrolled as it. */
  steering(id: IdentityId): SteeringView | null
  /** Changes the fields given, at once and for good; returns what holds now, or null when nobody has enrolled as it. */
  steer(id: IdentityId, change: Partial<Steering>, actor: string): SteeringView | null
  /** Nodes that are drained, first the one that has been for longest. */
  drains(): readonly DrainView[]
  /**
   * Drains a node: it is given no new routes, and those it has move to others. Lasts until it is cancelled. After
   * `withinMs` what is left is ended; null: it waits for it. Returns null when no node of this name has enrolled.
   */
  drain(
    id: IdentityId,
    options: { readonly withinMs: number | null; readonly actor: string },
  ): DrainView | null
  /** Gives the node routes again. `by_node`: it asked to be drained itself, and still is. */
  cancelDrain(id: IdentityId, actor: string): 'cancelled' | 'not_drained' | 'by_node'
  /** Says what a request of this client would come to now, and changes nothing; null when the client has no session. */
  deliberate(clientId: IdentityId, wish: RouteWish, rows: number): Deliberation | null
  /**
   * Moves the client's route to the best node there is for this request. Returns null when the client has no session,
   * or the coordinator is stopping.
   */
  assign(clientId: IdentityId, wish: RouteWish, rows: number, actor: string): RouteOutcome | null
  /** Returns the standing route with this id, or of this client; null when there is none. `rows`: nodes as they are now. */
  explain(id: RouteId, rows: number): RouteStory | null
  /**
   * Ends the session of an identity, with its routes; its agent may register again, but not within `forMs`. Returns
   * null when nobody has enrolled as it.
   */
  kick(
    id: IdentityId,
    options: { readonly reason: string; readonly forMs: number; readonly actor: string },
  ): Kick | null
  /**
   * Bars an identity for good: its session and its routes end, and nobody is given its name, key or addresses again.
   * Returns null when nobody has enrolled as it.
   */
  revoke(id: IdentityId, options: { readonly reason: string; readonly actor: string }): Revocation | null
  /** Asks anew about the NAT in front of an agent, and tries its paths again; null when nobody has enrolled as it. */
  reprobe(id: IdentityId, actor: string): Reprobe | null
  /**
   * Has `termsOf` say from now on who is let in, and on which terms: it is asked at every door and for every route, and
   * what it throws ends the session that it was asked about. Sessions that are there already follow at once. Returns
   * what ends it: those who come afterwards are let in on the usual terms. Throws when somebody else is asked already.
   */
  guard(termsOf: TermsOf): () => void
  /** Asks for the terms of an identity anew: its session and its routes follow before this returns, its paths as they can. */
  termsChanged(id: IdentityId): void
  /**
   * Binds an identity to a WireGuard key, 32 bytes, without an enrolment key, and gives it addresses: its agent then
   * registers with the proof of that key alone. The same id, role and key again is the same identity. Resolves when it
   * is durable; rejects when the store cannot be asked.
   */
  enrol(wish: {
    readonly id: IdentityId
    readonly role: Role
    readonly publicKey: Uint8Array
    /** Who wants it, for the audit. */
    readonly by: string
  }): Promise<EnrolOutcome>
  /** Creates a key and returns its secret, which is shown once and stored hashed. Resolves when it is durable. */
  createEnrolmentKey(options: {
    readonly role: Role | null
    readonly uses: number | null
    readonly ttlMs: number | null
    readonly note: string
    readonly actor: string
  }): Promise<{ readonly keyId: string; readonly secret: string }>
  /** Lets nobody enrol with the key any more. Resolves with false when there is no such key. */
  revokeEnrolmentKey(keyId: string, actor: string): Promise<boolean>
}
