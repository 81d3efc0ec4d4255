/** `/api/v1/map`: the mesh as a map or a graph of it needs it. */
import { z } from 'zod'
import type { MeshPicture, PicturedLink, PicturedNode } from '../../actors/ports.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { whole } from '../../http/fields.js'
import { json } from '../../http/reply.js'
import type { ApiParts } from './routes.js'
import { tier } from './shapes/path.js'

/** What a drawing can still show, and what an answer may be. */
const NODES = { usual: 500, most: 5_000 }
const LINKS = { usual: 1_000, most: 10_000 }

const place = {
  country: z.string().nullable(),
  latitude: z.number().nullable(),
  longitude: z.number().nullable(),
}

const Node = z.object({
  id: z.string(),
  state: z.string(),
  ...place,
  clients: z.int(),
  places: z.int().nullable(),
  load: z.number().nullable().meta({
    description: 'Share of its places or of its uplink that is taken, whichever is more, 0 to 1.',
  }),
  draining: z.boolean(),
  ailment: z.string().nullable().meta({ description: 'Why it is taken for one that carries badly.' }),
  rttMs: z.number().nullable(),
  lossPct: z.number().nullable(),
}) satisfies z.ZodType<PicturedNode>

const Link = z.object({
  nodeId: z.string(),
  tier,
  ...place,
  clients: z.int().meta({ description: 'Paths that are bundled here.' }),
  clientId: z.string().nullable().meta({ description: 'Whose path it is, when it is one alone.' }),
  link: z.int().nullable().meta({ description: 'Which path it is, when it is one alone.' }),
  bytes: z.number().meta({ description: 'Both ways, since the paths were opened.' }),
  rttMs: z.number().nullable().meta({ description: 'Mean of those that are known, ms.' }),
  lossPct: z.number().nullable().meta({ description: 'Mean of those that are known, %.' }),
  reasons: z.record(z.string(), z.int()).meta({ description: 'Why they are not direct, counted.' }),
}) satisfies z.ZodType<PicturedLink>

const Picture = z
  .object({
    nowMs: z.number().meta({ description: 'When this was said, ms since 1970 UTC.' }),
    nodes: z.array(Node).meta({ description: 'Those with the most clients, the largest first.' }),
    totalNodes: z.int(),
    links: z.array(Link).meta({
      description:
        'To these nodes, those with the most clients first. Each path by itself while there are no more than are wanted; else bundled by place, tier and node.',
    }),
    totalPaths: z.int(),
    totalClients: z.int(),
  })
  .meta({ id: 'MeshPicture' }) satisfies z.ZodType<MeshPicture>

export const pictureRoute = ({ mesh }: Pick<ApiParts, 'mesh'>): Endpoint =>
  endpoint({
    method: 'GET',
    path: '/api/v1/map',
    access: 'viewer',
    tag: 'paths',
    summary: 'Tells of the mesh what a map of it shows',
    description: 'Its size is bounded however many clients there are: paths are bundled, and counted.',
    query: z.object({
      nodes: whole(1, NODES.most).default(NODES.usual).meta({ description: 'The most nodes.' }),
      links: whole(1, LINKS.most).default(LINKS.usual).meta({ description: 'The most links.' }),
    }),
    replies: {
      200: { description: 'Where nodes and clients are, and how they are connected.', schema: Picture },
    },
    handle: async ({ query }) => json(await mesh.picture(query)),
  })
