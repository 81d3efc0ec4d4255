/** `/pgmon/collectors`: when servers are visited, and visits that somebody asks for. */
import { z } from 'zod'
import type { PluginHost } from '../../app/plugin.js'
import { nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { conflict } from '../../http/faults.js'
import { listed, listQuery, listReply } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import type { Servers } from '../ports.js'
import type { Collectors } from './collectors.js'
import { RoundForm, VisitForm } from './forms.js'
import type { Settings } from './settings.js'

export interface CollectorParts {
  readonly servers: Servers
  readonly settings: Settings
  readonly collectors: Collectors
  readonly audit: PluginHost['audit']
}

const Visits = z.object({ name: z.string(), visits: z.array(VisitForm) })
const tag = 'databases'

export const collectorEndpoints = (parts: CollectorParts): readonly Endpoint[] => [
  endpoint({
    method: 'GET',
    path: '/pgmon/collectors',
    access: 'viewer',
    tag,
    summary: 'Lists when each collector visits each server, and how it was there last',
    query: z.object({
      ...listQuery('due_at', 'ended_at', 'took_ms'),
      server: z.string().optional().meta({ description: 'Only of the server with this name.' }),
    }),
    replies: { 200: { description: 'A page of rounds.', schema: listReply('rounds', RoundForm) } },
    faults: [404],
    async handle({ query }) {
      const { servers, collectors } = parts
      const only = query.server === undefined ? null : servers.called(query.server).serverId
      const rounds = await collectors.rounds()
      const rows = rounds
        .filter(({ serverId }) => only === null || serverId === only)
        .flatMap(round => formOf(round, parts))
      return json(
        listed(
          'rounds',
          rows,
          query,
          ({ server, collector }) => `${server} ${collector}`,
          (row, field) => row[field as 'due_at' | 'ended_at' | 'took_ms'], // the names above
        ),
      )
    },
  }),
  endpoint({
    method: 'POST',
    path: '/pgmon/servers/{name}/collect',
    access: 'operator',
    tag,
    summary: 'Has every collector visit a server now',
    description: 'The answer comes when they have. What comes by itself goes on as before.',
    params: z.object({ name: z.string() }),
    replies: { 200: { description: 'What came of it.', schema: Visits } },
    faults: [404, 409],
    async handle({ params: { name }, caller }) {
      const { servers, collectors, audit } = parts
      const server = servers.called(name)
      if (!server.isEnabled) throw conflict(`${name} is not enabled: nothing is asked of it`)
      const visits = await collectors.visitNow(server)
      if (visits === null) throw conflict(`${name} is being visited just now`)
      audit({ kind: 'monitored_server.collected', actor: nameOf(caller), subject: name, detail: {} })
      return json({
        name,
        visits: visits.map(({ collector, tookMs, samples, error }) => ({
          collector,
          took_ms: Math.round(tookMs),
          samples,
          error,
        })),
      } satisfies z.output<typeof Visits>)
    },
  }),
]

type Kept = Awaited<ReturnType<Collectors['rounds']>>[number]

/** A server that is gone, and whose rounds go with it, has none any more. */
function formOf(round: Kept, { servers, settings }: CollectorParts): readonly RoundForm[] {
  const server = servers.byId(round.serverId)
  if (server === null) return []
  return [
    {
      server: server.name,
      collector: round.collector,
      every_s: settings.everyMs(round.collector) / 1_000,
      due_at: iso(round.dueAtMs),
      ended_at: round.endedAtMs === null ? null : iso(round.endedAtMs),
      took_ms: round.tookMs,
      error: round.error,
    },
  ]
}

const iso = (ms: number): string => new Date(ms).toISOString()
