/** `/api/v1/identities/{id}/steering`: what the operator lays down for a node or a client. */
import { z } from 'zod'
import type { MeshApi, Role, Steering, SteeringView } from '../../actors/ports.js'
import { readJson } from '../../edge/body.js'
import { badRequest, notFound } from '../../http/faults.js'
import { json } from '../../http/reply.js'
import type { Route } from '../../http/router.js'
import { NO_STEERING } from '../../mesh/steering.js'
import { factor, id, ids, weights } from './fields.js'
import type { ApiParts } from './routes.js'

const PLACES_MAX = 1_000_000
const places = { error: `wanted a whole number from 0 to ${PLACES_MAX}, or null` }

/** What may be changed; what is left out stays. A drain has a course, and pages of its own. */
const Change = z
  .strictObject({
    groups: ids(16),
    tags: ids(16),
    costWeight: factor.nullable(),
    maxSessions: z.int(places).min(0, places).max(PLACES_MAX, places).nullable(),
    pin: id.nullable(),
    prefer: ids(16),
    avoid: ids(32),
    group: id.nullable(),
    weights,
  })
  .partial()
type Change = z.infer<typeof Change>

/** Whom each field is for. */
const WHOSE: Readonly<Record<keyof Change, Role>> = {
  groups: 'node',
  tags: 'node',
  costWeight: 'node',
  maxSessions: 'node',
  pin: 'client',
  prefer: 'client',
  avoid: 'client',
  group: 'client',
  weights: 'client',
}

const PATH = '/api/v1/identities/{id}/steering'

export const steeringRoutes = ({ mesh }: Pick<ApiParts, 'mesh'>): readonly Route[] => [
  {
    method: 'GET',
    path: PATH,
    access: 'operator',
    handle: ({ params }) => json(known(mesh, params['id'] ?? '')),
  },
  {
    method: 'PATCH',
    path: PATH,
    access: 'operator',
    handle: request => {
      const before = known(mesh, request.params['id'] ?? '')
      const change = readJson(request, Change)
      const problems = problemsOf(mesh, before, change)
      if (problems.length > 0) throw badRequest(problems.join('; '))
      // A field that is undefined was not named: the schema makes none of those.
      return json(mesh.steer(before.id, change as Partial<Steering>, 'operator'))
    },
  },
  {
    method: 'DELETE',
    path: PATH,
    access: 'operator',
    handle: ({ params }) => {
      const { id, steering } = known(mesh, params['id'] ?? '')
      const { drained, drainedUntilMs } = steering
      return json(mesh.steer(id, { ...NO_STEERING, drained, drainedUntilMs }, 'operator'))
    },
  },
]

function known(mesh: MeshApi, id: string): SteeringView {
  const view = mesh.steering(id)
  if (view === null) throw notFound(`nobody has enrolled as ${id}`)
  return view
}

/** Returns what is wrong with a change that is well formed. */
function problemsOf(mesh: MeshApi, { id, role, steering }: SteeringView, change: Change): string[] {
  const given = Object.keys(change) as (keyof Change)[] // the schema lets no other through
  const foreign = given.filter(field => WHOSE[field] !== role)
  if (foreign.length > 0)
    return foreign.map(field => `${field}: is for a ${WHOSE[field]}; ${id} is a ${role}`)
  const named = { pin: change.pin == null ? [] : [change.pin], prefer: change.prefer, avoid: change.avoid }
  const strangers = Object.entries(named).flatMap(([field, nodes = []]) =>
    nodes.flatMap(node => strangerOf(mesh, field, node)),
  )
  const { pin, prefer, avoid } = { ...steering, ...change } as Steering
  const torn = avoid.filter(node => node === pin || prefer.includes(node))
  return [
    ...strangers,
    ...torn.map(node => `avoid: ${node} is ${node === pin ? 'the pin' : 'in prefer'} too`),
  ]
}

function strangerOf(mesh: MeshApi, field: string, node: string): string[] {
  const role = mesh.steering(node)?.role
  if (role === 'node') return []
  return [
    `${field}: ${role === undefined ? `nobody has enrolled as ${node}` : `${node} is a client, wanted a node`}`,
  ]
}
