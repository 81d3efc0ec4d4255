import type { Agreed } from './path-policy.js'

/** What the mesh knows of a node when it decides. Null is unknown, and stays unknown. */
export interface NodeFacts {
  readonly id: string
  /** False while its socket is away, its heartbeat lapsed, or it is leaving. */
  readonly accepting: boolean
  readonly country: string | null
  readonly region: string | null
  readonly exit: boolean
  /** Which ways its packets may travel. */
  readonly policy: Agreed
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
  readonly cpuTotalPct: number | null
  readonly packetLossPct: number | null
}

/** Returns what is left of the node's bandwidth, Mbit/s; null when its size is unknown. */
export const bandwidthLeft = (node: NodeFacts): number | null =>
  node.bandwidthMbps === null ? null : Math.max(0, node.bandwidthMbps - (node.bwTotalMbps ?? 0))

/** Returns the share of the node's places that are taken, 0 to 1; null when it named no limit. */
export const fullness = (node: NodeFacts): number | null =>
  node.maxSessions === null ? null : node.maxSessions === 0 ? 1 : node.reserved / node.maxSessions
