/** What a drain does to the world. Composed once for all drains; an action finds its drain by the node's id. */
import type { Clock } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import type { Fleet } from '../coordinator/fleet.js'
import type { Route } from '../coordinator/route-book.js'
import type { Routing } from '../coordinator/routing.js'
import type { NodeEvent } from '../node/node.events.js'
import type { IdentityId } from '../ports.js'
import type { Cell } from '../session/cell.js'
import { type DrainEvent, drainMachine, type DrainState } from './drain.machine.js'
import { byOf, type Drain, leftOf, remainingMs } from './drain.js'
import { Round } from './round.js'

export interface DrainEffectsOptions {
  readonly clock: Clock
  readonly fleet: Fleet
  readonly routing: Pick<Routing, 'book' | 'move' | 'takeBack' | 'rescue' | 'switches'>
  readonly cellOf: (id: IdentityId) => Cell | undefined
  readonly deliver: (cell: Cell, event: NodeEvent) => void
  /**
   * Whether routes may be moved now: not while we leave, nor while sessions of the process before come back, except
   * from a node that is about to go.
   */
  readonly mayMove: (hasAsked: boolean) => boolean
  readonly faulted: (cell: Cell, error: unknown) => void
  readonly drainOf: (id: IdentityId) => Drain | undefined
  readonly tell: (drain: Drain, event: DrainEvent) => void
}

/** How often a node is looked at while its routes move, and after: it waits as long once it is empty, ms. */
const LOOK_EVERY_MS = { moving: 10, after: 50 }
/** How long routes for which nothing qualified wait for another try, ms: figures change without a word. */
const RETRY_MS = 5_000
/** A node hears no more often how far it is, ms. */
const REPORT_EVERY_MS = 1_000

export interface DrainEffects {
  readonly logic: typeof drainMachine
  /** Lets the node have routes again. */
  readonly readmit: (drain: Drain) => void
  stop(): void
}

export function drainEffects(options: DrainEffectsOptions): DrainEffects {
  const { clock, fleet, routing, cellOf, deliver, tell } = options

  const looks = new Deadlines<Drain>(clock, drain => {
    looks.set(drain, drain.round.untried > 0 ? LOOK_EVERY_MS.moving : LOOK_EVERY_MS.after)
    if (!options.mayMove(drain.asks.has('node'))) return
    const left = leftOf(cellOf(drain.nodeId))
    if (left !== drain.left) countRescued(drain)
    drain.left = left
    tell(drain, { type: 'looked', left, untried: drain.round.untried })
  })
  const ends = new Deadlines<Drain>(clock, drain =>
    tell(drain, { type: 'time.up', routes: routesOf(drain).length }),
  )
  const retries = new Deadlines<Drain>(clock, drain => tell(drain, { type: 'retry.due' }))

  const isOn = (route: Route, { nodeId }: Drain) => route.node === cellOf(nodeId) && stands(route)
  const stands = (route: Route) => routing.book.ofLink(route.link) === route

  const count = (drain: Drain, route: Route) => {
    if (!stands(route) || drain.gone.has(route)) return
    drain.gone.add(route)
    drain.moved++
  }
  /** Routes that waited may have moved without us: a node came, or gave up a place. */
  const countRescued = (drain: Drain) => {
    const { round } = drain
    const gone = round.stuck.filter(route => !isOn(route, drain))
    if (gone.length === 0) return
    round.stuck = round.stuck.filter(route => isOn(route, drain))
    for (const route of gone) count(drain, route)
  }

  const routesOf = (drain: Drain): readonly Route[] => {
    const cell = cellOf(drain.nodeId)
    return cell === undefined ? [] : [...routing.book.ofNode(cell)]
  }

  /** Runs what is about one route: what is thrown is the fault of its client’s session alone. */
  const guarded = (route: Route, run: () => void) => {
    try {
      run()
    } catch (error) {
      options.faulted(route.client, error)
    }
  }

  const readmit = ({ nodeId }: Drain) => {
    const cell = cellOf(nodeId)
    if (cell === undefined) return
    fleet.leave(cell, false)
    deliver(cell, { type: 'asked.to.stay' })
    if (fleet.of(cell)?.isFull === true) deliver(cell, { type: 'places.taken' })
    routing.rescue()
  }

  const withDrain =
    <P>(run: (drain: Drain, params: P) => void) =>
    ({ context }: { context: { nodeId: IdentityId } }, params: P) => {
      const drain = options.drainOf(context.nodeId)
      if (drain !== undefined) run(drain, params)
    }

  const logic = drainMachine.provide({
    actions: {
      watch: withDrain(drain => {
        looks.set(drain, 0)
        const leftMs = remainingMs(drain, clock.now())
        if (leftMs === null) ends.clear(drain)
        else ends.set(drain, leftMs)
      }),
      stopWatching: withDrain(drain => {
        looks.clear(drain)
        ends.clear(drain)
      }),
      lineUp: withDrain(drain => {
        const now = clock.now()
        const routes = routesOf(drain)
        for (const route of routes) if (drain.gone.delete(route)) drain.moved--
        drain.round = new Round(routes, remainingMs(drain, now), now)
      }),
      moveSome: withDrain(drain => {
        for (const route of drain.round.due(clock.now(), each => isOn(each, drain)))
          guarded(route, () => {
            if (!isOn(route, drain) || routing.move(route, 'node_drained')) count(drain, route)
            else drain.round.stuck.push(route)
          })
      }),
      awaitRetry: withDrain(drain => retries.set(drain, RETRY_MS)),
      stopAwaitingRetry: withDrain(drain => retries.clear(drain)),
      endRest: withDrain(drain => {
        const cell = cellOf(drain.nodeId)
        if (cell !== undefined) routing.switches.handovers.abandon(cell)
        for (const route of routesOf(drain)) {
          const reason = `node ${drain.nodeId} was drained, and no other met the request in time`
          guarded(route, () => routing.takeBack(route, reason))
          drain.ended++
        }
      }),
      readmit: withDrain(drain => readmit(drain)),
      report: withDrain<{ state: DrainState }>((drain, { state }) => {
        const cell = cellOf(drain.nodeId)
        const now = clock.now()
        const left = state === 'expired' ? drain.ended : leftOf(cell)
        const { moved, told } = drain
        if (state === 'draining' && told !== null) {
          const isNew = told.left !== left || told.moved !== moved
          if (!isNew || now - told.atMs < REPORT_EVERY_MS) return
        }
        drain.told = { atMs: now, left, moved }
        const leftMs = state === 'draining' ? remainingMs(drain, now) : null
        cell?.line?.tell({
          type: 'drain.state',
          state,
          by: byOf(drain),
          left,
          moved,
          ...(leftMs !== null && { remainingMs: Math.round(leftMs) }),
        })
      }),
    },
  })
  return {
    logic,
    readmit,
    stop: () => {
      for (const deadlines of [looks, ends, retries]) deadlines.stop()
    },
  }
}
