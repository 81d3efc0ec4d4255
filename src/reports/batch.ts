/**
 * What is reported, from whichever door it comes: a batch of records, all of which count once or not at all.
 * `reporter` is who was verified to have sent it; `agentId` is what the sender calls the agent it speaks of.
 */
import { ipBytes, ipText } from '../protocol/address.js'
import type { Level, ResourceType } from './tables.js'

export interface Batch {
  readonly reporter: string
  /** What tells the batch from others of its reporter; null: it counts each time it comes. */
  readonly once: Once | null
  readonly clients: readonly ClientRecord[]
  readonly traffic: readonly TrafficRecord[]
  readonly logs: readonly LogRecord[]
  /** Records of the stream that the agent had no room for, in all. */
  readonly dropped: number
}

export type Once =
  | { readonly by: 'seq'; readonly stream: string; readonly seq: number }
  /** `fingerprint`: SHA-256 of what was sent, hex. */
  | { readonly by: 'key'; readonly key: string; readonly fingerprint: string }

export interface ClientRecord {
  readonly agentId: string
  readonly atMs: number
  /** Canonical. */
  readonly ip: string
  readonly userAgent: string
  readonly country: string | null
  readonly city: string | null
  readonly countryCode: string | null
}

export interface TrafficRecord {
  readonly agentId: string
  /** When it was counted up to, ms. */
  readonly atMs: number
  readonly resourceType: ResourceType
  readonly resourceId: string
  readonly inboundBytes: number
  readonly outboundBytes: number
  readonly requests: number
  /** Mean, ms. */
  readonly responseTimeMs: number
  readonly errors: number
}

export interface LogRecord {
  readonly agentId: string
  readonly atMs: number
  readonly level: Level
  readonly message: string
  readonly details: string
  readonly metadata: string | null
}

/** Who reports with the operator's token. No identity is called so. */
export const OPERATOR = '@operator'

const DAY_MS = 86_400_000
/** A mean response time is at most a day, ms: a clock that jumped would drown every other mean. */
const RESPONSE_MAX_MS = DAY_MS

/** Returns a time as it is kept: an agent whose clock is wrong by more than a day is taken to be wrong by one. */
export const clamped = (atMs: number, nowMs: number): number =>
  Math.min(nowMs + DAY_MS, Math.max(nowMs - DAY_MS, Math.trunc(atMs)))

/** Returns the one spelling of an IP address; null when it is none. */
export function canonicalIp(text: string): string | null {
  const bytes = ipBytes(text)
  return bytes === null ? null : ipText(bytes)
}

/** Returns text that a database can hold: no NUL, no half of a surrogate pair. */
export const clean = (text: string): string => Buffer.from(text).toString().replaceAll('\0', '\uFFFD')

/** Returns the mean as it is kept. */
export const boundedMean = (ms: number): number => Math.min(ms, RESPONSE_MAX_MS)

/** Returns what counts of a list of traffic: a resource that served nothing is left out. */
export const served = <T extends Pick<TrafficRecord, 'requests'>>(records: readonly T[]): T[] =>
  records.filter(({ requests }) => requests > 0)

export const recordsOf = ({ clients, traffic, logs }: Batch): number =>
  clients.length + traffic.length + logs.length
