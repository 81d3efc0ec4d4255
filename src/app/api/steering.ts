/** `/api/v1/identities/{id}/steering`: what the operator lays down for a node or a client. */
import { z } from 'zod'
import type { MeshApi, Role, Steering, SteeringView } from '../../actors/ports.js'
import { nameOf } from '../../http/caller.js'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { badRequest, notFound } from '../../http/faults.js'
import { json } from '../../http/reply.js'
import { NO_STEERING } from '../../mesh/steering.js'
import type { ApiParts } from './routes.js'
import { Steered, SteeringChange } from './shapes/steering.js'

type Change = z.output<typeof SteeringChange>

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

const common = {
  path: '/api/v1/identities/{id}/steering',
  tag: 'steering',
  params: z.object({ id: z.string() }),
  replies: { 200: { description: 'What holds now.', schema: Steered } },
} as const

export const steeringRoutes = ({ mesh }: Pick<ApiParts, 'mesh'>): readonly Endpoint[] => [
  endpoint({
    ...common,
    method: 'GET',
    access: 'viewer',
    summary: 'Tells what is laid down for a node or a client',
    handle: ({ params }) => json(known(mesh, params.id)),
  }),
  endpoint({
    ...common,
    method: 'PATCH',
    access: 'operator',
    summary: 'Changes what is laid down; what is left out stays',
    body: SteeringChange,
    handle: ({ params, body: change, caller }) => {
      const before = known(mesh, params.id)
      const problems = problemsOf(mesh, before, change)
      if (problems.length > 0) throw badRequest(problems.join('; '))
      return json(mesh.steer(before.id, change, nameOf(caller)))
    },
  }),
  endpoint({
    ...common,
    method: 'DELETE',
    access: 'operator',
    summary: 'Takes back everything that is laid down, but for a drain',
    handle: ({ params, caller }) => {
      const { id, steering } = known(mesh, params.id)
      const { drained, drainedUntilMs } = steering
      return json(mesh.steer(id, { ...NO_STEERING, drained, drainedUntilMs }, nameOf(caller)))
    },
  }),
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
  const { pin, prefer, avoid }: Steering = { ...steering, ...change }
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
