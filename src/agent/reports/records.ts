/**
 * What an agent reports: users that it saw, traffic of its resources, log lines. Records are kept as the wire has
 * them; whatever the wire does not take is cut or replaced here, so that no record ever stops a batch.
 */
import type { WireOf } from '../../protocol/messages.js'
import { isId } from '../../protocol/schema.js'

type Batch = WireOf<'report.batch'>
export type Level = Batch['logs'][number][1]
export type ResourceType = Batch['traffic'][number][2]

/** A user of the agent's, as it saw one. */
export interface ClientSeen {
  readonly ip: string
  readonly userAgent?: string | undefined
  /** Name of the country. */
  readonly country?: string | undefined
  readonly city?: string | undefined
  /** ISO 3166-1 alpha-2. */
  readonly countryCode?: string | undefined
}

/** Traffic of one resource over a time. */
export interface TrafficSeen {
  readonly resourceType: ResourceType
  readonly resourceId: string
  /** ms since 1970 UTC. */
  readonly fromMs: number
  readonly untilMs: number
  readonly inboundBytes: number
  readonly outboundBytes: number
  readonly requests: number
  /** Mean, ms. */
  readonly responseTimeMs: number
  readonly errors: number
}

export interface LogSeen {
  readonly level: Level
  readonly message: string
  readonly details?: string | undefined
  /** Anything that JSON can hold. */
  readonly metadata?: unknown
}

export type Record =
  | { readonly kind: 'client'; readonly row: Batch['clients'][number] }
  | { readonly kind: 'traffic'; readonly row: Batch['traffic'][number] }
  | { readonly kind: 'log'; readonly row: Batch['logs'][number] }

/** Returns the record of a user seen at `atMs`. */
export const clientRecord = (seen: ClientSeen, atMs: number): Record => ({
  kind: 'client',
  row: [
    atMs,
    line(seen.ip, 45),
    optionalLine(seen.userAgent, 512),
    optionalLine(seen.country, 64),
    optionalLine(seen.city, 128),
    /^[A-Z]{2}$/.test(seen.countryCode ?? '') ? (seen.countryCode as string) : null, // just looked
  ],
})

export const trafficRecord = (seen: TrafficSeen): Record => ({
  kind: 'traffic',
  row: [
    whole(seen.fromMs),
    whole(seen.untilMs),
    seen.resourceType,
    isId(seen.resourceId) ? seen.resourceId : 'unnamed',
    whole(seen.inboundBytes),
    whole(seen.outboundBytes),
    whole(seen.requests),
    Number.isFinite(seen.responseTimeMs) ? Math.max(0, seen.responseTimeMs) : 0,
    whole(seen.errors),
  ],
})

export const logRecord = ({ level, message, details, metadata }: LogSeen, atMs: number): Record => ({
  kind: 'log',
  row: [
    atMs,
    level,
    prose(message, 1_024),
    details === undefined ? null : prose(details, 4_096),
    metadata === undefined ? null : json(metadata, 4_096),
  ],
})

/** Control characters, but for tab and newline, and the separators that start a new line. */
// oxlint-disable-next-line no-control-regex -- finding control characters is its purpose
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/g

const prose = (text: string, max: number): string => text.replace(CONTROLS, ' ').slice(0, max)
const line = (text: string, max: number): string =>
  text
    .replace(CONTROLS, ' ')
    .replace(/[\t\n]+/g, ' ')
    .slice(0, max)
const optionalLine = (text: string | undefined, max: number): string | null =>
  text === undefined || text === '' ? null : line(text, max)

/** Half a JSON text is none: what is too long is replaced by a word about it. */
function json(value: unknown, max: number): string | null {
  const text = JSON.stringify(value) as string | undefined // of a function there is none
  if (text === undefined) return null
  return text.length <= max
    ? text.replace(CONTROLS, ' ')
    : JSON.stringify({ omitted: `${text.length} characters` })
}

const whole = (value: number): number =>
  Number.isFinite(value) ? Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.round(value))) : 0
