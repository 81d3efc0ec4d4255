/** What there is now, as lists: nodes, clients, routes, and the newest lines of the audit. */
import { badRequest } from '../../http/faults.js'
import { json } from '../../http/reply.js'
import type { Request, Route } from '../../http/router.js'
import type { ApiParts } from './routes.js'

/** How many rows a list has when nobody says, and at most. */
const ROWS = 1_000
const ROWS_MAX = 10_000

export function listRoutes({ mesh, store }: Pick<ApiParts, 'mesh' | 'store'>): readonly Route[] {
  const list = (
    name: string,
    rows: (limit: number) => readonly unknown[] | Promise<readonly unknown[]>,
  ): Route => ({
    method: 'GET',
    path: `/api/v1/${name}`,
    access: 'operator',
    handle: async request => {
      const limit = limitOf(request)
      return json({ [name]: (await rows(limit)).slice(0, limit) })
    },
  })
  return [
    list('nodes', () => mesh.nodes()),
    list('clients', () => mesh.clients()),
    list('routes', () => mesh.routes()),
    list('audit', limit => store.auditEvents(limit)),
  ]
}

/** Returns how many rows are asked for. */
export function limitOf({ query }: Request): number {
  const limit = Number(query.get('limit') ?? ROWS)
  if (!Number.isInteger(limit) || limit < 1 || limit > ROWS_MAX)
    throw badRequest(`limit: wanted a whole number from 1 to ${ROWS_MAX}`)
  return limit
}
