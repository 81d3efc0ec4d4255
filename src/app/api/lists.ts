/** What there is now, as lists: nodes, clients, routes. */
import { z } from 'zod'
import type { ClientView, NodeView, RouteView } from '../../actors/ports.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { country, id, text } from '../../http/fields.js'
import { listed, listQuery, listReply } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import type { ApiParts } from './routes.js'
import { Route } from './shapes/explanation.js'
import { Client, Node } from './shapes/node.js'
import { tier } from './shapes/path.js'

const state = text(32).optional().meta({ description: 'Only those in this state.', example: 'online' })

export const listRoutes = ({ mesh, rows: more }: Pick<ApiParts, 'mesh' | 'rows'>): readonly Endpoint[] => [
  endpoint({
    method: 'GET',
    path: '/api/v1/nodes',
    access: 'viewer',
    tag: 'nodes',
    summary: 'Lists the nodes that have a session',
    query: z.object({
      ...listQuery('id', 'links', 'rttMs', 'lossPct'),
      state,
      country: country.optional(),
      tag: id.optional(),
    }),
    replies: {
      200: { description: 'The nodes.', schema: listReply('nodes', Node.extend(more.nodes.fields)) },
    },
    handle: ({ query }) => {
      const rows = mesh
        .nodes()
        .filter(
          node =>
            isWanted(query.state, node.state) &&
            isWanted(query.country, node.profile.country) &&
            (query.tag === undefined || node.profile.tags.includes(query.tag)),
        )
      const page = listed('nodes', rows, query, idOf, (node, field) => node[field as NodeSort]) // the query lets no other through
      return json({ ...page, nodes: page.nodes.map(node => ({ ...node, ...more.nodes.of(node) })) })
    },
  }),
  endpoint({
    method: 'GET',
    path: '/api/v1/clients',
    access: 'viewer',
    tag: 'clients',
    summary: 'Lists the clients that have a session',
    query: z.object({ ...listQuery('id', 'nodeId', 'rttMs'), state, node: id.optional() }),
    replies: {
      200: { description: 'The clients.', schema: listReply('clients', Client.extend(more.clients.fields)) },
    },
    handle: ({ query }) => {
      const rows = mesh
        .clients()
        .filter(client => isWanted(query.state, client.state) && isWanted(query.node, client.nodeId))
      const page = listed('clients', rows, query, idOf, (client, field) => client[field as ClientSort]) // as above
      return json({
        ...page,
        clients: page.clients.map(client => ({ ...client, ...more.clients.of(client) })),
      })
    },
  }),
  endpoint({
    method: 'GET',
    path: '/api/v1/routes',
    access: 'viewer',
    tag: 'routing',
    summary: 'Lists the routes that stand',
    query: z.object({
      ...listQuery('routeId', 'clientId', 'nodeId', 'sinceMs'),
      client: id.optional(),
      node: id.optional(),
      tier: tier.optional(),
    }),
    replies: {
      200: { description: 'The routes, each with how it was decided.', schema: listReply('routes', Route) },
    },
    handle: ({ query }) => {
      const rows = mesh
        .routes()
        .filter(
          route =>
            isWanted(query.client, route.clientId) &&
            isWanted(query.node, route.nodeId) &&
            isWanted(query.tier, route.tier),
        )
      return json(
        listed(
          'routes',
          rows,
          query,
          ({ routeId }) => routeId,
          (route, field) => route[field as RouteSort], // as above
        ),
      )
    },
  }),
]

type NodeSort = 'id' | 'links' | 'rttMs' | ('lossPct' & keyof NodeView)
type ClientSort = 'id' | 'nodeId' | ('rttMs' & keyof ClientView)
type RouteSort = 'routeId' | 'clientId' | 'nodeId' | ('sinceMs' & keyof RouteView)

const idOf = (view: { readonly id: string }): string => view.id

const isWanted = <T>(wanted: T | undefined, value: T | null): boolean =>
  wanted === undefined || wanted === value
