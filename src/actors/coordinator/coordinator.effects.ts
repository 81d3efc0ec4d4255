/** What the coordinator's actions do. A fault in one is the fault of the session it is about, never of the coordinator. */
import { type Actor, createActor } from 'xstate'
import { type Clock, every } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import type { Drains } from '../drain/drains.js'
import type { IdentityId } from '../ports.js'
import type { Cell } from '../session/cell.js'
import type { SessionFact } from '../session/session.events.js'
import { coordinatorMachine } from './coordinator.machine.js'
import type { Fleet } from './fleet.js'
import { Homecomings } from './homecomings.js'
import type { Orders } from './orders.js'
import { Losses } from './losses.js'
import type { Routing } from './routing.js'
import type { Vitals } from './vitals.js'
import { TURNS_PER_BEAT, Watch } from './watch.js'

export interface CoordinatorOptions {
  readonly clock: Clock
  readonly fleet: Fleet
  readonly routing: Routing
  readonly orders: Orders
  readonly vitals: Vitals
  readonly drains: Pick<Drains, 'holds' | 'left'>
  /** Returns the clients for which the operator prefers a node. */
  readonly steeredTo: (id: IdentityId) => readonly Cell[]
  /** How often a node is heard, and so looked at, ms. */
  readonly beatEveryMs: number
  /** How long a node may be away before its routes move, ms. */
  readonly failoverAfterMs: number
  /** How long the sessions of the process before have to come back before routes move, ms, and those that a storm drove away; 0 when there are none. */
  readonly warmingMs: (isStorm: boolean) => number
  /** How many sessions there are, with a socket or without. */
  readonly sessions: () => number
  /** The node comes and goes: so many sessions it lost lately. */
  readonly flapping: (node: Cell, flaps: number) => void
  /** Lets nobody in for a while who does not hold a ticket. */
  readonly holdNewcomers: () => void
  readonly faulted: (cell: Cell, error: unknown) => void
  readonly info: (fields: object, message: string) => void
  readonly warn: (fields: object, message: string) => void
}

export interface Coordinator {
  readonly actor: Actor<typeof coordinatorMachine>
  /** A session’s socket broke. Told at once, though what follows may have to wait: so a storm is known as one. */
  noteLoss(): void
  stop(): void
}

export function createCoordinator(options: CoordinatorOptions): Coordinator {
  const { clock, fleet, routing, orders, vitals, drains } = options
  const { book, switches } = routing
  const losses = new Losses()
  const absences = new Deadlines<Cell>(clock, node => actor.send({ type: 'failover.due', node }))

  const watch = new Watch({ ...options, book, switches })
  const homecomings = new Homecomings({
    ...options,
    book,
    switches,
    due: node => actor.send({ type: 'node.settled', node }),
  })
  let stopLooking = () => {}
  const isStorm = () => losses.isStorm(options.sessions(), clock.now())

  /** A node can carry clients again, and is given some unless it is drained. It may have fewer places than before. */
  const welcome = (node: Cell) => {
    fleet.set(node, true)
    homecomings.came(node)
    switches.trim(node)
    if (drains.holds(node.identity.id)) fleet.leave(node, true)
    else routing.rescue()
  }

  const away = (node: Cell) => {
    fleet.set(node, false)
    homecomings.went(node)
  }

  /** One that comes back before all its routes have moved keeps the others. */
  const leaveLost = (node: Cell) =>
    switches.moveFrom(node, 'node_lost', () => fleet.of(node)?.accepting !== true)

  const hear: Record<Cell['role'], Record<SessionFact, (cell: Cell) => void>> = {
    node: {
      joined: welcome,
      restored: cell => fleet.set(cell, false),
      returned: cell => {
        absences.clear(cell)
        welcome(cell)
      },
      lost: cell => {
        away(cell)
        const flaps = vitals.lost(cell.identity.id)
        if (flaps !== null) options.flapping(cell, flaps)
        if (routing.book.ofNode(cell).size === 0) return
        // One that was about to go is not waited for.
        absences.set(cell, drains.holds(cell.identity.id) ? 0 : options.failoverAfterMs)
      },
      dimmed: cell => {
        away(cell)
        switches.moveFrom(cell, 'node_lapsed', () => cell.lapsed || cell.line === null)
      },
      brightened: welcome,
      left: cell => {
        absences.clear(cell)
        away(cell)
        switches.abandon(cell, 'node_left')
        fleet.remove(cell)
        watch.left(cell)
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
      guards: { isStorm },
      actions: {
        awaitReturns: () => {
          stopLooking()
          stopLooking = every(clock, options.beatEveryMs / TURNS_PER_BEAT, () =>
            actor.send({ type: 'look.due' }),
          )
          clock.setTimeout(() => actor.send({ type: 'warmed' }), options.warmingMs(isStorm()))
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
          if (cell !== undefined) guarded(cell, () => switches.repair(link, end, reason))
        },
        recheckRoutes: (_, { cell }) => guarded(cell, () => orders.recheck(cell)),
        orderRoute: (_, { cell, wish, answer }) => guarded(cell, () => answer(orders.give(cell, wish))),
        settleHandover: (_, { client }) => guarded(client, () => switches.settle(client)),
        giveUpRoute: (_, { client }) =>
          guarded(client, () => {
            const route = book.ofClient(client)
            if (route !== undefined) switches.giveUp(route)
          }),
        moveRoutes: (_, { node }) => guarded(node, () => leaveLost(node)),
        lookAtNodes: () => watch.look(guarded),
        bringHome: (_, { node }) => guarded(node, () => homecomings.look(node)),
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
    noteLoss: () => losses.note(clock.now()),
    stop: () => {
      absences.stop()
      homecomings.stop()
      stopLooking()
      routing.stop()
      actor.stop()
    },
  }
}
