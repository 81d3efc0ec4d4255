/** `/pgmon/servers/{name}/activity`: the sessions of a server, and what is done about them. */
import { z } from 'zod'
import { nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { amount, oneOf, text, whole } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import { type ActivityParts, asked, sightOf } from './asked.js'
import { Activity, Signalled, STATES } from './forms.js'
import { sessionsOf } from './sessions.js'
import { type Signal, signalled, SIGNALS } from './signals.js'

const tag = 'databases'
const AN_HOUR_S = 3_600

export const sessionEndpoints = (parts: ActivityParts): readonly Endpoint[] => [
  endpoint({
    method: 'GET',
    path: '/pgmon/servers/{name}/activity',
    access: 'viewer',
    tag,
    summary: 'Lists the sessions of a server',
    description:
      'Active ones first, of these the longest. Operators see the text of queries, passwords masked; viewers do not.',
    params: z.object({ name: z.string() }),
    query: z.object({
      state: oneOf(...STATES).optional(),
      database: text(NAME_MAX).optional(),
      min_s: amount(0, 366 * 24 * AN_HOUR_S)
        .optional()
        .meta({ description: 'Only those whose transaction or query has run so long.' }),
    }),
    replies: { 200: { description: 'Its sessions.', schema: Activity } },
    faults: [404, 409, 503],
    async handle({ params: { name }, query: { min_s: minS, ...filters }, caller }) {
      const told = await asked(parts, { name }, db => sessionsOf(db, { ...filters, minS }, sightOf(caller)))
      return json({ name, ...told } satisfies Activity)
    },
  }),
  ...SIGNALS.map(signal => signalEndpoint(parts, signal)),
]

/** PostgreSQL cuts names there, bytes. */
const NAME_MAX = 63

const SUMMARIES: Readonly<Record<Signal, string>> = {
  cancel: 'Cancels what a session does',
  terminate: 'Ends a session',
}
const KINDS: Readonly<Record<Signal, string>> = {
  cancel: 'monitored_session.cancelled',
  terminate: 'monitored_session.terminated',
}

/** Of a query, in the audit, characters. */
const QUERY_MAX = 200

const signalEndpoint = (parts: ActivityParts, signal: Signal): Endpoint =>
  endpoint({
    method: 'POST',
    path: `/pgmon/servers/{name}/activity/{pid}/${signal}`,
    access: 'operator',
    tag,
    summary: SUMMARIES[signal],
    description:
      'The session is named by its pid and by when it began: another one that was given the pid meanwhile is not hit (404). The monitor’s own sessions and processes of the server itself are refused (409).',
    params: z.object({
      name: z.string(),
      pid: z.coerce.number({ error: 'wanted the pid of a session' }).pipe(whole(1, PID_MAX)),
    }),
    body: z.strictObject({
      started_at: z.iso
        .datetime({ error: 'wanted `started_at` of the session, as it was told' })
        .max(32)
        .meta({ description: 'As it was told, to the microsecond.', example: '2026-01-15T10:30:00.123456Z' }),
    }),
    replies: { 200: { description: 'It was told.', schema: Signalled } },
    faults: [404, 409, 503],
    async handle({ params: { name, pid }, body: { started_at: startedAt }, caller }) {
      const { isOwn } = parts.servers.called(name)
      const { session } = await asked(parts, { name }, async (db, server) => ({
        session: await signalled(db, server, signal, { pid, startedAt }),
      }))
      const { user, database, application } = session
      const query = session.query?.slice(0, QUERY_MAX) ?? null
      const detail = { server: name, pid, startedAt, user, database, application, query }
      parts.host.audit({ kind: KINDS[signal], actor: nameOf(caller), subject: name, detail })
      const note = isOwn && application === COORDINATOR ? OURS : null
      return json({ outcome: 'signalled', server: name, session, note } satisfies Signalled)
    },
  })

/** The largest that PostgreSQL can name. */
const PID_MAX = 2 ** 31 - 1

/** What connections of a coordinator to its own database are called. */
const COORDINATOR = 'boson'
const OURS = 'it was a connection of a coordinator, which connects again and repeats what it was writing'
