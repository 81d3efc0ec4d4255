/** A route as its client hears of it, and as it is stored. */
import type { Choice, Compared, explainAll, Rejected } from '../../mesh/choose.js'
import type { WireOf } from '../../protocol/messages.js'
import type { Explanation, ScoredNode, StoredRoute } from '../ports.js'
import type { FleetNode } from './fleet-node.js'
import type { Route } from './route-book.js'

/** Alternatives that travel with a route. */
const ALTERNATIVES = 3

/** What `route.assigned` and `route.switched` have in common. */
export function fieldsOf(route: Route): Omit<WireOf<'route.assigned'>, 'type' | 'requestId'> {
  const { id, publicKey, overlay4, overlay6, profile } = route.node.identity
  const own = [`${overlay4}/32`, `${overlay6}/128`]
  const { compared, qualified, considered } = route.explanation
  const best = compared[0]
  return {
    routeId: route.routeId,
    link: route.link,
    nodeId: id,
    nodeKey: publicKey,
    nodeOverlay4: `${overlay4}/32`,
    nodeOverlay6: `${overlay6}/128`,
    allowedIps: route.wish.exit === true ? ['0.0.0.0/0', '::/0'] : own,
    ...(profile.country !== null && { country: profile.country }),
    ...(profile.region !== null && { region: profile.region }),
    exit: profile.exit,
    alternatives: compared.slice(1, 1 + ALTERNATIVES).map(scored => scored.nodeId),
    why: `${qualified} of ${considered} nodes looked at qualify; ${best === undefined ? id : `${best.nodeId} costs least (${best.cost.toFixed(2)})`} of ${compared.length} compared`,
  }
}

/** Returns the nodes that were compared when the route was given: the choice and who would have been next. */
export const rankedIn = ({ explanation }: Route): readonly string[] =>
  explanation.compared.slice(0, 1 + ALTERNATIVES).map(({ nodeId }) => nodeId)

export const explanationOf = (choice: Choice<FleetNode>): Explanation => ({
  considered: choice.considered,
  qualified: choice.qualified,
  excluded: choice.excluded,
  compared: choice.compared.map(scoredNode),
  rejected: choice.rejected.map(rejectedNode),
})

/** Returns every node as a decision would see it; the lists have so many rows at most, the counts are of all. */
export function surveyOf(
  { qualified, rejected }: ReturnType<typeof explainAll<FleetNode>>,
  rows: number,
): Explanation {
  const excluded: Record<string, number> = {}
  for (const { reason } of rejected) excluded[reason] = (excluded[reason] ?? 0) + 1
  return {
    considered: qualified.length + rejected.length,
    qualified: qualified.length,
    excluded,
    compared: qualified.slice(0, rows).map(scoredNode),
    rejected: rejected.slice(0, rows).map(rejectedNode),
  }
}

const scoredNode = ({ node, cost, terms, liking }: Compared<FleetNode>): ScoredNode => ({
  nodeId: node.id,
  cost,
  terms,
  ...(liking !== null && { liking }),
})

const rejectedNode = ({ node, reason }: Rejected<FleetNode>) => ({ nodeId: node.id, reason })

/** Returns the record of a route that stands. */
export const storedRoute = (route: Route): StoredRoute => ({
  routeId: route.routeId,
  link: route.link,
  clientId: route.client.identity.id,
  nodeId: route.node.identity.id,
  request: route.wish,
  explanation: route.explanation,
  state: 'active',
  assignedAtMs: route.assignedAtMs,
  endedAtMs: null,
  cause: null,
  history: route.history,
})
