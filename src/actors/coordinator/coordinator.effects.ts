/** What the coordinator's actions do. A fault in one is the fault of the session it is about, never of the coordinator. */
import { type Actor, createActor } from 'xstate'
import type { Clock } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import type { Cell } from '../session/cell.js'
import type { SessionFact } from '../session/session.events.js'
import { coordinatorMachine } from './coordinator.machine.js'
import type { Fleet } from './fleet.js'
import type { Routing } from './routing.js'

export interface CoordinatorOptions {
  readonly clock: Clock
  readonly fleet: Fleet
  readonly routing: Routing
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
  const { clock, fleet, routing } = options
  const absences = new Deadlines<Cell>(clock, node => actor.send({ type: 'failover.due', node }))

  const hear: Record<Cell['role'], Record<SessionFact, (cell: Cell) => void>> = {
    node: {
      joined: cell => {
        fleet.set(cell, true)
        routing.rescue()
      },
      restored: cell => fleet.set(cell, false),
      returned: cell => {
        absences.clear(cell)
        fleet.set(cell, true)
        routing.rescue()
      },
      lost: cell => {
        fleet.set(cell, false)
        if (routing.book.ofNode(cell).size > 0) absences.set(cell, options.failoverAfterMs)
      },
      dimmed: cell => {
        fleet.set(cell, false)
        routing.moveFrom(cell, 'node_lapsed')
      },
      brightened: cell => {
        fleet.set(cell, true)
        routing.rescue()
      },
      left: cell => {
        absences.clear(cell)
        fleet.set(cell, false)
        routing.abandon(cell, 'node_left')
        fleet.remove(cell)
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
          if (cell !== undefined) guarded(cell, () => routing.repair(link, end, reason))
        },
        settleHandover: (_, { client }) => guarded(client, () => routing.settleHandover(client)),
        moveRoutes: (_, { node }) => guarded(node, () => routing.moveFrom(node, 'node_lost')),
        holdNewcomers: () => options.holdNewcomers(),
        moveAbsent: () => {
          for (const { cell, accepting } of fleet.nodes()) {
            if (!accepting) guarded(cell, () => routing.moveFrom(cell, 'node_lost'))
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
