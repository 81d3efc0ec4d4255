/** `/api/v1/paths` and `/api/v1/why`: how each pair is connected, and why not better. */
import type { PathsView, PathTier, PathWish } from '../../actors/ports.js'
import { badRequest, notFound } from '../../http/faults.js'
import { json } from '../../http/reply.js'
import type { Request, Route } from '../../http/router.js'
import { PATH_REASONS } from '../../mesh/path-reason.js'
import { isId } from '../../protocol/schema.js'
import { limitOf } from './lists.js'
import type { ApiParts } from './routes.js'

/** A page of paths; the next one is asked for with `after` = `next`. */
export interface PathsPage extends PathsView {
  /** When this was said; every time in it is of this clock. */
  readonly nowMs: number
}

const TIERS: readonly PathTier[] = ['opening', 'relayed', 'turned', 'direct', 'waiting']
const LINK_MAX = 0xffff_ffff

export const pathRoutes = ({ clock, mesh }: Pick<ApiParts, 'clock' | 'mesh'>): readonly Route[] => [
  {
    method: 'GET',
    path: '/api/v1/paths',
    access: 'operator',
    handle: request => json({ nowMs: clock.wallMs(), ...mesh.paths(wishOf(request)) } satisfies PathsPage),
  },
  {
    method: 'GET',
    path: '/api/v1/paths/{link}',
    access: 'operator',
    handle: ({ params: { link = '' } }) => {
      const story = mesh.path(linkOf('link', link))
      if (story === null)
        throw notFound(`there is no live path with link ${link}; ended ones: /api/v1/why?a=…&b=…`)
      return json(story)
    },
  },
  {
    method: 'GET',
    path: '/api/v1/why',
    access: 'operator',
    handle: async ({ query }) => {
      const [a, b] = [idOf(query, 'a'), idOf(query, 'b')]
      if (a === b) throw badRequest('a and b: wanted two different ids')
      const why = await mesh.why(a, b)
      if ('unknown' in why) throw notFound(`nobody has enrolled as ${why.unknown.join(' or ')}`)
      return json(why)
    },
  },
]

function wishOf(request: Request): PathWish {
  const { query } = request
  return {
    tier: oneOf(query, 'tier', TIERS),
    reason: oneOf(query, 'reason', PATH_REASONS),
    clientId: optionalId(query, 'client'),
    nodeId: optionalId(query, 'node'),
    after: query.has('after') ? linkOf('after', query.get('after') ?? '') : null,
    limit: limitOf(request),
  }
}

function linkOf(name: string, text: string): number {
  const link = Number(text)
  if (!/^\d+$/.test(text) || link > LINK_MAX) throw badRequest(`${name}: wanted a link id, a whole number`)
  return link
}

function idOf(query: URLSearchParams, name: string): string {
  const id = query.get(name)
  if (!isId(id)) throw badRequest(`${name}: wanted the id of a node or a client`)
  return id
}

const optionalId = (query: URLSearchParams, name: string): string | null =>
  query.has(name) ? idOf(query, name) : null

function oneOf<T extends string>(query: URLSearchParams, name: string, values: readonly T[]): T | null {
  const given = query.get(name)
  const value = values.find(one => one === given) ?? null
  if (given !== null && value === null) throw badRequest(`${name}: wanted one of ${values.join(', ')}`)
  return value
}
