/** Reports over HTTP: who may speak of whom, what makes a request count once, and how it is answered. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { MeshApi } from '../actors/ports.js'
import { type Caller, mustBe } from '../http/caller.js'
import type { EndpointRequest } from '../http/endpoint.js'
import { badRequest, forbidden, HttpError, unavailable } from '../http/faults.js'
import { id, whole, yesNo } from '../http/fields.js'
import { json, type Reply } from '../http/reply.js'
import type { Clock } from '../kit/clock.js'
import { type Batch, clamped, clean, OPERATOR, type Once } from './batch.js'
import type { Intake } from './intake.js'

export interface DoorParts {
  readonly mesh: Pick<MeshApi, 'identity'>
  readonly clock: Pick<Clock, 'wallMs'>
  readonly intake: Pick<Intake, 'take'>
}

/** Records of one request. */
const LIST_MAX = 100
/** A list of log lines with all their metadata, bytes. */
export const BODY_MAX = 256 * 1024

/** What every record over HTTP may have beside its own fields. */
export const common = {
  agentId: line(128).meta({
    description: 'What the sender calls the agent it speaks of; free text, such as an ObjectId.',
  }),
  timestamp: z
    .union([whole(0, 8_640_000_000_000_000), z.iso.datetime({ offset: true })], {
      error: 'wanted a time such as 2026-01-15T10:30:00Z, or ms since 1970 UTC',
    })
    .transform(given => (typeof given === 'number' ? given : Date.parse(given)))
    .optional()
    .meta({ description: 'When it was; now, when absent. At most a day from now.' }),
  stream: id.optional().meta({ description: 'With `seq`: numbers this record, so that it counts once.' }),
  seq: whole(0, Number.MAX_SAFE_INTEGER).optional(),
}

export interface Common {
  readonly agentId: string
  readonly timestamp?: number | undefined
  readonly stream?: string | undefined
  readonly seq?: number | undefined
}

/** One record, or a list of them. */
export const oneOrMore = <T extends z.ZodType>(record: T) =>
  z.union([z.array(record).min(1).max(LIST_MAX), record], {
    error: issue =>
      issue.code === 'invalid_union'
        ? saidOf(issue.errors[Array.isArray(issue.input) ? 0 : 1] ?? [])
        : undefined,
  })

/** Text of one line. */
export function line(max: number, min = 1) {
  const error = `wanted ${min} to ${max} characters without control characters`
  return z
    .string({ error })
    .min(min, { error })
    .max(max, { error })
    .regex(/^\P{Cc}*$/u, { error })
    .transform(clean)
}

export const Accepted = z.object({
  success: yesNo,
  accepted: z.int().meta({ description: 'Records that count.' }),
  skipped: z.int().meta({ description: 'Records of resources without requests, which do not.' }),
  duplicate: yesNo.meta({ description: 'It was stored before, and is not counted again.' }),
})

export const REPLIES = {
  201: { description: 'It is durable, and counts once.', schema: Accepted },
} as const

type Records = Pick<Batch, 'clients' | 'traffic' | 'logs'>

/** Takes what was posted; `recordsOf` says what it comes to, and when each record was, ms. */
export async function posted<T extends Common>(
  { mesh, clock, intake }: DoorParts,
  request: Pick<EndpointRequest<unknown, unknown, T | readonly T[]>, 'body' | 'caller' | 'headers'>,
  recordsOf: (given: readonly (T & { readonly atMs: number })[]) => Partial<Records>,
): Promise<Reply> {
  const { body, caller } = request
  const nowMs = clock.wallMs()
  const given = [body].flat() as readonly T[] // a list of one, or the list
  for (const { agentId } of given) mustSpeakFor(caller, agentId, mesh)
  const records = recordsOf(given.map(one => ({ ...one, atMs: clamped(one.timestamp ?? nowMs, nowMs) })))
  const batch: Batch = {
    reporter: reporterOf(caller),
    once: onceOf(request, given),
    clients: records.clients ?? [],
    traffic: records.traffic ?? [],
    logs: records.logs ?? [],
    dropped: 0,
  }
  const taken = await intake.take(batch)
  if (taken.outcome === 'stored') {
    const accepted = Object.values(records).reduce((sum, list) => sum + list.length, 0)
    const skipped = given.length - accepted
    return json({ success: true, accepted, skipped, duplicate: taken.repeated }, 201)
  }
  if (taken.outcome === 'refused') throw new HttpError(422, 'not_storable', taken.reason)
  const retryAfterS = Math.ceil(taken.retryAfterMs / 1_000)
  if (taken.why !== 'quota') throw unavailable(taken.reason, retryAfterS)
  throw new HttpError(429, 'too_many_records', taken.reason, { 'Retry-After': String(retryAfterS) })
}

/** Returns whose reports a caller may see: null is everyone's. */
export const reporterSeenBy = (caller: Caller, wanted: string | undefined): string | null => {
  if (caller.kind === 'operator') return wanted ?? null
  if (wanted !== undefined) mustBe(caller, wanted)
  return reporterOf(caller)
}

function reporterOf(caller: Caller): string {
  if (caller.kind === 'agent') return caller.id
  if (caller.kind === 'operator') return OPERATOR
  throw forbidden('this is for agents and operators')
}

/** An agent may call itself as it likes, but not by the name of another that has enrolled. */
function mustSpeakFor(caller: Caller, agentId: string, mesh: Pick<MeshApi, 'identity'>): void {
  if (mesh.identity(agentId) !== null) mustBe(caller, agentId)
}

/** A key of the client's own choosing: RFC 8941 strings and bare ones. */
const KEY = /^"?[\x21\x23-\x7e]{1,128}"?$/

function onceOf(
  {
    body,
    caller,
    headers,
  }: { readonly body: unknown; readonly caller: Caller; readonly headers: ReadonlyMap<string, string> },
  given: readonly Common[],
): Once | null {
  const key = headers.get('idempotency-key')
  if (key !== undefined) {
    if (!KEY.test(key)) throw badRequest('Idempotency-Key: wanted 1 to 128 visible characters')
    return { by: 'key', key, fingerprint: createHash('sha256').update(JSON.stringify(body)).digest('hex') }
  }
  const numbered = given.find(({ stream, seq }) => stream !== undefined || seq !== undefined)
  if (numbered === undefined) return null
  const { agentId, stream, seq } = numbered
  if (Array.isArray(body))
    throw badRequest('stream and seq number one record: a list takes an Idempotency-Key')
  if (stream === undefined || seq === undefined) throw badRequest('stream and seq go together')
  // The operator speaks for many, each of which numbers its own.
  return { by: 'seq', stream: caller.kind === 'operator' ? `${agentId}\n${stream}` : stream, seq }
}

const saidOf = (issues: readonly z.core.$ZodIssue[]): string =>
  issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ')
