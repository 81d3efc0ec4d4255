/** Whether a route may stay where it is. */
import { mismatch, requirementsOf } from '../../mesh/requirements.js'
import type { Fleet } from './fleet.js'
import type { Route } from './route-book.js'

/** Returns whether its node takes routes, and is what is asked for. */
export function mayStay(fleet: Fleet, route: Route): boolean {
  const node = fleet.of(route.node)
  return node !== undefined && node.accepting && !node.draining && !isAstray(fleet, route)
}

/** Returns whether its node is not what is asked for: by its nature, or by the operator's word. */
export function isAstray(fleet: Fleet, route: Route): boolean {
  const node = fleet.of(route.node)
  if (node === undefined) return false
  const want = requirementsOf(route.wish, fleet.clientOf(route.client))
  return mismatch(node, want) !== null || (want.pin !== undefined && want.pin !== node.id)
}
