/** Decisions as operators ask for them: how one would come out, how the standing one came about, and one made now. */
import type { ActorRefFrom } from 'xstate'
import type { coordinatorMachine } from '../actors/coordinator/coordinator.machine.js'
import type { Orders } from '../actors/coordinator/orders.js'
import type { Route, RouteBook } from '../actors/coordinator/route-book.js'
import { rankedIn } from '../actors/coordinator/route-forms.js'
import type { Switches } from '../actors/coordinator/switches.js'
import { tierOf, viaOf } from '../actors/path/path-cell.js'
import type { Paths } from '../actors/path/paths.js'
import type { MeshApi, RouteOutcome, RouteStory, RouteSummary, RouteWish } from '../actors/ports.js'
import type { Cell } from '../actors/session/cell.js'
import type { Sessions } from '../actors/session/sessions.js'
import type { Changes } from '../actors/snapshot/snapshots.js'
import type { Steerings } from '../actors/steering/steerings.js'
import type { Clock } from '../kit/clock.js'

export interface RouteParts {
  readonly clock: Clock
  readonly sessions: Sessions
  readonly book: RouteBook
  readonly orders: Orders
  readonly switches: Switches
  readonly paths: Paths
  readonly steerings: Steerings
  readonly changes: Changes
  readonly coordinator: ActorRefFrom<typeof coordinatorMachine>
}

export function routeViews(parts: RouteParts): Pick<MeshApi, 'deliberate' | 'assign' | 'explain'> {
  const { clock, sessions, book, orders, switches, paths, steerings, changes, coordinator } = parts

  const clientOf = (id: string): Cell | undefined => {
    const cell = sessions.byIdentity(id)
    return cell?.role === 'client' ? cell : undefined
  }
  const routeOf = (id: string): Route | undefined => {
    const client = clientOf(id)
    if (client !== undefined) return book.ofClient(client)
    for (const route of book) if (route.routeId === id) return route
    return undefined
  }
  const standingOf = (client: Cell): RouteSummary | null => {
    const route = book.ofClient(client)
    return route === undefined ? null : summaryOf(route)
  }
  const wishOf = (client: Cell): RouteWish => book.ofClient(client)?.wish ?? {}

  function waitOf(route: Route): RouteStory['waiting'] {
    const wait = switches.waitOf(route)
    if (wait === null) return null
    const { cause, sinceMs, endsMs } = wait
    const now = clock.now()
    return {
      cause,
      sinceMs: clock.wallMs() - (now - sinceMs),
      remainingMs: endsMs === null ? null : Math.max(0, endsMs - now),
    }
  }

  function deliberation(client: Cell, order: RouteWish, rows: number) {
    return {
      nowMs: clock.wallMs(),
      clientId: client.identity.id,
      wish: wishOf(client),
      order,
      steering: steerings.of(client.identity.id),
      standing: standingOf(client),
      explanation: orders.survey(client, order, rows),
    }
  }

  return {
    deliberate(clientId, wish, rows) {
      const client = clientOf(clientId)
      return client === undefined ? null : deliberation(client, wish, rows)
    },

    assign(clientId, wish, rows, actor) {
      const cell = clientOf(clientId)
      if (cell === undefined) return null
      const said = deliberation(cell, wish, rows)
      const heard: RouteOutcome['outcome'][] = []
      coordinator.send({ type: 'route.ordered', cell, wish, answer: come => heard.push(come) })
      const [outcome] = heard
      if (outcome === undefined) return null
      const route = standingOf(cell)
      changes.audit({
        kind: 'route.ordered',
        actor,
        subject: clientId,
        detail: { outcome, order: wish, from: said.standing?.nodeId ?? null, to: route?.nodeId ?? null },
      })
      return { ...said, outcome, route }
    },

    explain(id, rows) {
      const route = routeOf(id)
      if (route === undefined) return null
      const { client, node, wish, explanation, history, assignedAtMs, link } = route
      const path = paths.at(link)
      const tier = path === undefined ? 'closed' : tierOf(path)
      return {
        nowMs: clock.wallMs(),
        ...summaryOf(route),
        clientId: client.identity.id,
        wish,
        steering: steerings.of(client.identity.id),
        tier,
        via: path === undefined ? null : viaOf(path, tier),
        assignedAtMs,
        alternatives: rankedIn(route).filter(id => id !== node.identity.id),
        explanation,
        history,
        waiting: waitOf(route),
        now: rows === 0 ? null : orders.survey(client, {}, rows),
      }
    },
  }
}

const summaryOf = ({ routeId, link, node }: Route): RouteSummary => ({
  routeId,
  link,
  nodeId: node.identity.id,
})
