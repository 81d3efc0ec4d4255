/** `/pgmon/servers`: which servers are watched, and how they are reached. Viewers see it, operators change it. */
import { z } from 'zod'
import { nameOf } from '../../http/caller.js'
import type { Destinations } from '../../http/destination.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { oneOf } from '../../http/fields.js'
import { listed, listQuery, listReply } from '../../http/listing.js'
import { empty, json } from '../../http/reply.js'
import { glanceOf } from '../figures/glance.js'
import type { Ground } from '../part.js'
import type { Databases, Looks, Server } from '../ports.js'
import { type ServerChange, ServerCreate, ServerUpdate } from './bodies.js'
import { ServerForm, ServerRow, STATUSES } from './forms.js'
import { changedFields, wrong } from './rules.js'
import type { ServerBook } from './server-book.js'
import { serverForm } from './server-form.js'
import { TrialForm, tryServer } from './trial.js'

export interface ServerParts {
  readonly servers: ServerBook
  readonly databases: Databases
  readonly destinations: Destinations
  readonly looks: Pick<Looks, 'last' | 'refresh'>
}

const SORTS = [
  'name',
  'host',
  'status',
  'uptime_s',
  'connections',
  'transactions_per_s',
  'cache_hit_ratio',
  'replication_lag_s',
  'size_bytes',
  'disk_used_ratio',
] as const
type Sort = (typeof SORTS)[number]

const tag = 'databases'
const one = { 200: { description: 'The server.', schema: ServerForm } }

export function serverEndpoints({ host, room }: Ground, parts: ServerParts): readonly Endpoint[] {
  const { servers, databases, destinations, looks } = parts
  const called = (params: Readonly<Record<string, unknown>>) => servers.called(String(params['name']))
  const formOf = (server: Server) => serverForm(server, servers.stateOf(server))
  const rowOf = (server: Server): ServerRow => {
    const kind = server.isOwn ? room.kind : 'postgres'
    return { ...formOf(server), ...glanceOf(server, kind, looks.last(server.serverId)) }
  }
  const mustBeCallable = (change: ServerChange) => {
    for (const field of ['host', 'ssh_host'] as const) {
      const complaint = destinations.hostComplaint(change[field] ?? '')
      if (complaint !== null) throw wrong(field, complaint)
    }
  }
  return [
    endpoint({
      method: 'GET',
      path: '/pgmon/servers',
      access: 'viewer',
      tag,
      summary: 'Lists monitored servers, each at a glance',
      description: `From what was last seen of each. What is older than 5 s is asked for meanwhile, and there the next time. The coordinator's own database comes first,
unless another order is wanted.`,
      query: z.object({
        ...listQuery(...SORTS),
        status: oneOf(...STATUSES)
          .optional()
          .meta({ description: 'Only those that are so.' }),
      }),
      replies: { 200: { description: 'A page of servers.', schema: listReply('servers', ServerRow) } },
      handle({ query }) {
        looks.refresh()
        const rows = servers
          .all()
          .map(server => rowOf(server))
          .filter(({ status }) => query.status === undefined || status === query.status)
        const page = listed(
          'servers',
          rows,
          query,
          row => `${row.is_own ? 0 : 1} ${row.name}`,
          (row, field) => row[field as Sort], // the names above
        )
        return json(page)
      },
    }),
    endpoint({
      method: 'POST',
      path: '/pgmon/servers',
      access: 'operator',
      tag,
      summary: 'Begins to watch a server',
      description: `Its host must be public, or in BOSON_PGMON_NETWORKS. Passwords are sealed, and never shown again.
\`POST /pgmon/servers/{name}/test\` says whether it can be reached, and what the role may do there.`,
      body: ServerCreate,
      replies: { 201: { description: 'The server.', schema: ServerForm } },
      faults: [409],
      async handle({ body, caller }) {
        mustBeCallable(body)
        const server = await servers.add(body, nameOf(caller))
        const { name, host: at, port, database, user, tls } = server
        const detail = { host: at, port, database, user, tls }
        host.audit({ kind: 'monitored_server.added', actor: nameOf(caller), subject: name, detail })
        return json(formOf(server), 201)
      },
    }),
    endpoint({
      method: 'GET',
      path: '/pgmon/servers/{name}',
      access: 'viewer',
      tag,
      summary: 'Tells how one server is reached',
      replies: one,
      handle: ({ params }) => json(formOf(called(params))),
    }),
    endpoint({
      method: 'PUT',
      path: '/pgmon/servers/{name}',
      access: 'operator',
      tag,
      summary: 'Changes the fields given',
      description: `Secrets that are absent stay; null takes them away. A password has to be sent again with another host,
port, user or TLS, since it would go where it was not given for; another machine by SSH has its key pinned anew. Of the
coordinator's own database, only the description, whether it is watched, and SSH can be changed.`,
      body: ServerUpdate,
      replies: one,
      faults: [409],
      async handle({ params, body, caller }) {
        mustBeCallable(body)
        const before = called(params)
        const fields = changedFields(servers.stateOf(before), body)
        if (fields.length === 0) return json(formOf(before))
        const server = await servers.change(before, body)
        const detail = { fields, ...(server.name !== before.name && { was: before.name }) }
        host.audit({
          kind: 'monitored_server.changed',
          actor: nameOf(caller),
          subject: server.name,
          detail,
        })
        return json(formOf(server))
      },
    }),
    endpoint({
      method: 'DELETE',
      path: '/pgmon/servers/{name}',
      access: 'operator',
      tag,
      summary: 'Watches a server no more',
      description: `Its connections are closed. What was kept of it can no longer be asked for, and goes with the months that
it is of.`,
      replies: { 204: { description: 'It is gone.' } },
      faults: [409],
      async handle({ params, caller }) {
        const server = called(params)
        await servers.remove(server)
        host.audit({
          kind: 'monitored_server.removed',
          actor: nameOf(caller),
          subject: server.name,
          detail: {},
        })
        return empty()
      },
    }),
    endpoint({
      method: 'POST',
      path: '/pgmon/servers/{name}/test',
      access: 'operator',
      tag,
      summary: 'Connects to a server now, and tells what the role may do',
      description:
        'However long it is known to be away. Answers 200 when it cannot be reached, too, and says why.',
      replies: { 200: { description: 'What came of it.', schema: TrialForm } },
      handle: async ({ params }) => json(await tryServer(databases, called(params), () => host.clock.now())),
    }),
  ]
}
