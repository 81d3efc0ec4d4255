import type { Agreed } from './path-policy.js'
import type { NatKind } from './nat-kind.js'
import type { Position } from './position.js'

/** What the mesh knows of a node when it decides. Null is unknown, and stays unknown. */
export interface NodeFacts {
  readonly id: string
  /** False while its socket is away or its heartbeat lapsed. */
  readonly accepting: boolean
  /** It is about to go, or the operator wants it empty: what it has moves, and nothing new comes. */
  readonly draining: boolean
  /** It carries badly: it is taken when nothing else qualifies. */
  readonly degraded: boolean
  readonly country: string | null
  readonly region: string | null
  /** Its own and those that the operator gave it. */
  readonly tags: readonly string[]
  readonly groups: readonly string[]
  readonly exit: boolean
  /** Which ways its packets may travel. */
  readonly policy: Agreed
  /** How dear it is; 1 is usual. */
  readonly costWeight: number | null
  readonly position: Position | null
  readonly nat: NatKind
  /** The IPv4 address that the world sees; see `nat-kind.ts`. */
  readonly seenAt: number | null
  /** Clients it will carry, and clients it carries: reserved when a route is assigned, not when it is reported. */
  readonly maxSessions: number | null
  readonly reserved: number
  /** Links that its session can still hold. */
  readonly linksLeft: number
  /** What its uplink carries, and what goes through it now, Mbit/s. */
  readonly bandwidthMbps: number | null
  readonly bwTotalMbps: number | null
  /** Round trip to the coordinator as the coordinator measured it, ms. */
  readonly rttMs: number | null
  /** Packets lost on the way to it as its clients measured it, %. */
  readonly lossPct: number | null
  /** Sessions it lost lately, old ones counting less and less. */
  readonly flaps: number | null
  /** What it says of itself: its CPU, its own probes' loss and median round trip. */
  readonly cpuTotalPct: number | null
  readonly packetLossPct: number | null
  readonly latencyP50Ms: number | null
  /** How near it says that it is to the end of something, %; see `pressure.ts`. */
  readonly pressurePct: number | null
}

/** Returns what is left of the node's bandwidth, Mbit/s; null when its size is unknown. */
export const bandwidthLeft = (node: NodeFacts): number | null =>
  node.bandwidthMbps === null ? null : Math.max(0, node.bandwidthMbps - (node.bwTotalMbps ?? 0))

/** A node that states no limit is compared as if it had this many places. */
export const ASSUMED_PLACES = 250

/** Returns how many places are free. */
export const roomOf = (node: NodeFacts): number => (node.maxSessions ?? ASSUMED_PLACES) - node.reserved

/** Returns the share of the node's places that are taken, 0 to 1; null when it named no limit. */
export const fullness = (node: NodeFacts): number | null =>
  node.maxSessions === null ? null : node.maxSessions === 0 ? 1 : node.reserved / node.maxSessions

/** Returns whether routes may lead to the node at all: it is here, stays, has a place, and its policy is one. */
export const isOpen = (node: NodeFacts): boolean =>
  node.accepting &&
  !node.draining &&
  node.policy !== null &&
  (node.maxSessions === null || node.reserved < node.maxSessions)
