/** Why there is no route, as HTTP says it: with the nodes that were looked at and what is against each. */
import type { MeshApi, RouteWish } from '../../actors/ports.js'
import { HttpError } from '../../http/faults.js'
import type { WireOf } from '../../protocol/messages.js'
import { retryAfter } from '../agents/refused.js'

/** Nodes that are named with what is against them. */
const CANDIDATES = 20

const STATUSES: Readonly<Record<WireOf<'route.refused'>['code'], number>> = {
  no_candidate: 422,
  unknown_target: 404,
  not_authorised: 403,
  too_many_requests: 429,
  draining: 503,
}

/** Returns the fault of a request that nobody meets; a node that was asked for by name and cannot be had is a conflict. */
export function noRoute(
  mesh: Pick<MeshApi, 'deliberate' | 'identity'>,
  clientId: string,
  wish: RouteWish,
  { code, reason, unmet, retryAfterMs }: WireOf<'route.refused'>,
): HttpError {
  const { target } = wish
  const isAway = target !== undefined && code === 'unknown_target' && mesh.identity(target)?.role === 'node'
  const isAgainst = target !== undefined && code === 'no_candidate'
  const rejected = mesh.deliberate(clientId, wish, CANDIDATES)?.explanation.rejected ?? []
  const candidates = target === undefined ? rejected : rejected.filter(({ nodeId }) => nodeId === target)
  return new HttpError(
    isAway || isAgainst ? 409 : STATUSES[code],
    isAway ? 'target_away' : code,
    isAway ? `node ${target} is not here now` : reason,
    retryAfter(retryAfterMs),
    [],
    { unmet, candidates },
  )
}
