/** `/heartbeat` and `/servers`: what the first heartbeat server promised its agents and dashboards. */
import { z } from 'zod'
import { mustBe, nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { notFound } from '../../http/faults.js'
import { moment, whole, yesNo } from '../../http/fields.js'
import { listed, listQuery, listReply } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import type { Clock } from '../../kit/clock.js'
import type { RestDatabase } from '../database.js'
import { line } from '../fields.js'
import { DAY_MS } from '../history/intervals.js'
import { FIGURE_FIELDS, Heartbeat, serverId } from './heartbeat.js'
import type { Heartbeats } from './heartbeats.js'

/** Agents send every 30 s; one that missed three is taken for gone, ms. */
const ONLINE_MS = 90_000

const TAG = 'servers'
const params = z.object({ server_id: serverId })

const Server = z.object({
  server_id: z.string(),
  name: z.string(),
  description: z.string(),
  is_active: z.boolean().meta({ description: 'The operator’s word: false for one that is retired.' }),
  is_online: z.boolean().meta({ description: `Heard in the last ${ONLINE_MS / 1_000} s.` }),
  created_at: moment,
  last_heartbeat_at: moment,
})

const StoredBeat = z.object({
  id: z.int(),
  server_id: z.string(),
  received_at: moment,
  generated_at: moment,
  ready_at: moment.nullable(),
  iface: z.string().nullable(),
  ping_target: z.string().nullable(),
  load1: z.string().nullable(),
  ...Object.fromEntries(FIGURE_FIELDS.map(name => [name, z.number().nullable()])),
})

export function heartbeatEndpoints({ table, keep }: Heartbeats, clock: Clock): readonly Endpoint[] {
  const told = (server: RestDatabase['vpn_servers']) => ({
    ...server,
    is_online: clock.wallMs() - server.last_heartbeat_at.getTime() < ONLINE_MS,
  })

  return [
    endpoint({
      method: 'POST',
      path: '/heartbeat',
      access: 'agent',
      tag: TAG,
      summary: 'Keeps a heartbeat of a VPN server',
      description:
        'The first one makes the server known. Answered when it is durable. With `SECRET_TOKEN`, or with the token of the node that has this id.',
      body: Heartbeat,
      replies: {
        200: {
          description: 'It is kept.',
          schema: z.object({ success: z.literal(true), message: z.string(), heartbeat_id: z.int() }),
        },
      },
      faults: [403],
      async handle({ caller, body }) {
        mustBe(caller, body.server_id)
        const heartbeat_id = await keep(body, nameOf(caller))
        return json({ success: true, message: 'Heartbeat received', heartbeat_id })
      },
    }),

    endpoint({
      method: 'GET',
      path: '/servers',
      access: 'viewer',
      tag: TAG,
      summary: 'Lists the servers that sent heartbeats',
      query: z.object({
        is_active: yesNo.optional(),
        is_online: yesNo.optional(),
        ...listQuery('server_id', 'name', 'created_at', 'last_heartbeat_at'),
      }),
      replies: { 200: { description: 'The servers.', schema: listReply('servers', Server) } },
      async handle({ query }) {
        const { is_active, is_online } = query
        const servers = (await table.servers())
          .map(told)
          .filter(one => is_active === undefined || one.is_active === is_active)
          .filter(one => is_online === undefined || one.is_online === is_online)
        return json(
          listed(
            'servers',
            servers,
            query,
            one => one.server_id,
            (one, field) => {
              const value = one[field as 'server_id' | 'name' | 'created_at' | 'last_heartbeat_at'] // one of `sort`
              return value instanceof Date ? value.getTime() : value
            },
          ),
        )
      },
    }),

    endpoint({
      method: 'PATCH',
      path: '/servers/{server_id}',
      access: 'operator',
      tag: TAG,
      summary: 'Names and describes a server',
      params,
      body: z.strictObject({
        name: line(128).min(1, { error: 'wanted a name' }).optional(),
        description: line(1_024).optional(),
        is_active: yesNo.optional(),
      }),
      replies: { 200: { description: 'As it is now.', schema: Server } },
      faults: [404],
      async handle({ params: { server_id }, body }) {
        const change = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
        const known = await table.servers()
        const server =
          Object.keys(change).length === 0
            ? known.find(one => one.server_id === server_id)
            : await table.describe(server_id, change)
        if (server === undefined) throw notFound(`no heartbeat of ${server_id} has come`)
        return json(told(server))
      },
    }),

    endpoint({
      method: 'GET',
      path: '/servers/{server_id}/stats',
      access: 'agent',
      tag: TAG,
      summary: 'The last day of a server',
      description: 'Averages of its heartbeats of the last 24 hours; null: none of them knew.',
      params,
      replies: {
        200: {
          description: 'The averages; `is_registered` is false when no heartbeat of it has ever come.',
          schema: z.object({
            server_id: z.string(),
            is_registered: z.boolean(),
            last_heartbeat: moment.nullable(),
            heartbeat_count: z.int(),
            avg_cpu_pct: z.number().nullable(),
            avg_mem_usage_pct: z.number().nullable(),
            avg_latency_ms: z.number().nullable(),
          }),
        },
      },
      faults: [403],
      async handle({ caller, params: { server_id } }) {
        mustBe(caller, server_id)
        const stats = await table.stats(server_id, clock.wallMs() - DAY_MS)
        return json({
          server_id,
          is_registered: stats.lastHeartbeatAt !== null,
          last_heartbeat: stats.lastHeartbeatAt,
          heartbeat_count: stats.count,
          avg_cpu_pct: stats.cpuPct,
          avg_mem_usage_pct: stats.memUsedPct,
          avg_latency_ms: stats.latencyMs,
        })
      },
    }),

    endpoint({
      method: 'GET',
      path: '/servers/{server_id}/heartbeats',
      access: 'agent',
      tag: TAG,
      summary: 'Heartbeats of a server as they were sent, the newest first',
      description:
        'As long as they are kept (`BOSON_HEARTBEATS_KEPT_DAYS`); what they add up to by minute, hour and day is at `/api/v1/metrics/{nodeId}/history`.',
      params,
      query: z.object({
        limit: whole(1, 1_000).default(100),
        offset: whole(0, 1_000_000).default(0),
      }),
      replies: {
        200: {
          description: 'The heartbeats.',
          schema: z.object({
            server_id: z.string(),
            heartbeats: z.array(StoredBeat),
            count: z.int(),
            total: z.int(),
            limit: z.int(),
            offset: z.int(),
          }),
        },
      },
      faults: [403, 404],
      async handle({ caller, params: { server_id }, query }) {
        mustBe(caller, server_id)
        if (!(await table.isKnown(server_id))) throw notFound(`no heartbeat of ${server_id} has come`)
        const { rows, total } = await table.heartbeats(server_id, query)
        return json({ server_id, heartbeats: rows, count: rows.length, total, ...query })
      },
    }),
  ]
}
