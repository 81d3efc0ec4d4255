/** What the coordinator's actions do. A fault in one is the fault of the session it is about, never of the coordinator. */
import { type Actor, createActor } from 'xstate'
import type { Clock } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import type { Drains } from '../drain/drains.js'
import type { Cell } from '../session/cell.js'
import type { SessionFact } from '../session/session.events.js'
import { coordinatorMachine } from './coordinator.machine.js'
import type { Fleet } from './fleet.js'
import type { Orders } from './orders.js'
import type { Routing } from './routing.js'

export interface CoordinatorOptions {
  readonly clock: Clock
  readonly fleet: Fleet
  readonly routing: Routing
  readonly orders: Orders
  readonly drains: Pick<Drains, 'holds' | 'left'>
  /** How long a node may be away before its routes move, ms. */
  readonly failoverAfterMs: number
  /** How long the sessions of the process before have to come back before routes move, ms; 0 when there are none. */
  readonly warmingMs: () => number
  /** Lets nobody in for a while who does not hold a ticket. */
  readonly holdNewcomers: () => void
  readonly faulted: (cell: Cell, error: unknown) => void
}

export interface Coordinator {
  readonly actor: Actor<typeof coordinatorMachine>
  stop(): void
}

export function createCoordinator(options: CoordinatorOptions): Coordinator {
  const { clock, fleet, routing, orders, drains } = options
  const absences = new Deadlines<Cell>(clock, node => actor.send({ type: 'failover.due', node }))

  /** A node can carry clients again, and is given some unless it is drained. */
  const welcome = (node: Cell) => {
    fleet.set(node, true)
    if (drains.holds(node.identity.id)) fleet.leave(node, true)
    else routing.rescue()
  }

  /** One that comes back before all its routes have moved keeps the others. */
  const leaveLost = (node: Cell) =>
    routing.switches.moveFrom(node, 'node_lost', () => fleet.of(node)?.accepting !== true)

  const hear: Record<Cell['role'], Record<SessionFact, (cell: Cell) => void>> = {
    node: {
      joined: welcome,
      restored: cell => fleet.set(cell, false),
      returned: cell => {
        absences.clear(cell)
        welcome(cell)
      },
      lost: cell => {
        fleet.set(cell, false)
        if (routing.book.ofNode(cell).size === 0) return
        // One that was about to go is not waited for.
        absences.set(cell, drains.holds(cell.identity.id) ? 0 : options.failoverAfterMs)
      },
      dimmed: cell => {
        fleet.set(cell, false)
        routing.switches.moveFrom(cell, 'node_lapsed', () => cell.lapsed || cell.line === null)
      },
      brightened: welcome,
      left: cell => {
        absences.clear(cell)
        fleet.set(cell, false)
        routing.switches.abandon(cell, 'node_left')
        fleet.remove(cell)
        drains.left(cell)
      },
    },
    client: {
      joined: () => {},
      restored: () => {},
      returned: cell => routing.repeat(cell),
      lost: () => {},
      dimmed: () => {},
      brightened: () => {},
      left: cell => routing.end(cell, 'the client left'),
    },
  }

  const guarded = (cell: Cell, run: () => void) => {
    try {
      run()
    } catch (error) {
      options.faulted(cell, error)
    }
  }

  const actor = createActor(
    coordinatorMachine.provide({
      actions: {
        awaitReturns: () => {
          clock.setTimeout(() => actor.send({ type: 'warmed' }), options.warmingMs())
        },
        note: (_, { cell, fact }) => guarded(cell, () => hear[cell.role][fact](cell)),
        giveRoute: (_, { cell, requestId, wish }) => guarded(cell, () => routing.give(cell, requestId, wish)),
        refuseRoute: (_, { cell, requestId }) => guarded(cell, () => routing.refuse(cell, requestId)),
        endRoute: (_, { cell, routeId }) =>
          guarded(cell, () => {
            if (routing.book.ofClient(cell)?.routeId === routeId) routing.end(cell, 'released by the client')
          }),
        repairRoute: (_, { link, end, reason }) => {
          const cell = end ?? routing.book.ofLink(link)?.client
          if (cell !== undefined) guarded(cell, () => routing.switches.repair(link, end, reason))
        },
        recheckRoutes: (_, { cell }) => guarded(cell, () => orders.recheck(cell)),
        orderRoute: (_, { cell, wish, answer }) => guarded(cell, () => answer(orders.give(cell, wish))),
        settleHandover: (_, { client }) => guarded(client, () => routing.switches.settle(client)),
        moveRoutes: (_, { node }) => guarded(node, () => leaveLost(node)),
        holdNewcomers: () => options.holdNewcomers(),
        moveAbsent: () => {
          for (const { cell, accepting } of fleet.nodes()) {
            if (!accepting) guarded(cell, () => leaveLost(cell))
          }
        },
      },
    }),
  )
  return {
    actor,
    stop: () => {
      absences.stop()
      routing.stop()
      actor.stop()
    },
  }
}
