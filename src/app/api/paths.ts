/** `/api/v1/paths` and `/api/v1/why`: how each pair is connected, and why not better. */
import { z } from 'zod'
import type { PathView } from '../../actors/ports.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { badRequest, notFound } from '../../http/faults.js'
import { id, oneOf, whole } from '../../http/fields.js'
import { listed, listQuery, listReply } from '../../http/listing.js'
import { json } from '../../http/reply.js'
import type { ApiParts } from './routes.js'
import { Path, PathStory, reason, Why } from './shapes/path.js'

const LINK_MAX = 0xffff_ffff

const Page = listReply('paths', Path).extend({
  nowMs: z
    .number()
    .meta({ description: 'When this was said; every time in it is of this clock, ms since 1970 UTC.' }),
})
/** A page of paths; the next one is asked for with `after` = `next`. */
export type PathsPage = z.output<typeof Page>

type Sort = 'link' | 'clientId' | 'nodeId' | 'sinceMs' | 'rttMs' | 'lossPct'

export const pathRoutes = ({ clock, mesh }: Pick<ApiParts, 'clock' | 'mesh'>): readonly Endpoint[] => [
  endpoint({
    method: 'GET',
    path: '/api/v1/paths',
    access: 'viewer',
    tag: 'paths',
    summary: 'Lists the live paths',
    query: z.object({
      ...listQuery('link', 'clientId', 'nodeId', 'sinceMs', 'rttMs', 'lossPct'),
      tier: oneOf('opening', 'relayed', 'turned', 'direct', 'waiting').optional(),
      reason: reason.optional(),
      client: id.optional(),
      node: id.optional(),
    }),
    replies: {
      200: { description: 'In the order of their links, unless `sort` says otherwise.', schema: Page },
    },
    handle: ({ query: { tier, reason: code, client, node, ...page } }) => {
      const { paths } = mesh.paths({
        tier: tier ?? null,
        reason: code ?? null,
        clientId: client ?? null,
        nodeId: node ?? null,
      })
      const rows = listed(
        'paths',
        paths,
        { ...page, sort: page.sort ?? 'link' },
        ({ link }) => String(link),
        (path: PathView, field) => path[field as Sort], // the query lets no other through
      )
      return json({ nowMs: clock.wallMs(), ...rows })
    },
  }),
  endpoint({
    method: 'GET',
    path: '/api/v1/paths/{link}',
    access: 'viewer',
    tag: 'paths',
    summary: 'Tells all that is known of a live path',
    params: z.object({
      link: z
        .string()
        .regex(/^\d+$/, { error: 'wanted a link id, a whole number' })
        .transform(Number)
        .pipe(whole(0, LINK_MAX)),
    }),
    replies: { 200: { description: 'The path and what it has been through.', schema: PathStory } },
    handle: ({ params: { link } }) => {
      const story = mesh.path(link)
      if (story === null)
        throw notFound(`there is no live path with link ${link}; ended ones: /api/v1/why?a=…&b=…`)
      return json(story)
    },
  }),
  endpoint({
    method: 'GET',
    path: '/api/v1/why',
    access: 'viewer',
    tag: 'paths',
    summary: 'Says why two are connected as they are, or are not',
    query: z.object({ a: id, b: id }),
    faults: [404],
    replies: { 200: { description: 'The answer, and the paths it is read from.', schema: Why } },
    handle: async ({ query: { a, b } }) => {
      if (a === b) throw badRequest('a and b: wanted two different ids')
      const why = await mesh.why(a, b)
      if ('unknown' in why) throw notFound(`nobody has enrolled as ${why.unknown.join(' or ')}`)
      return json(why)
    },
  }),
]
