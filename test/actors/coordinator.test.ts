import t from 'tap'
import { type Coordinator, createCoordinator } from '../../src/actors/coordinator/coordinator.effects.js'
import {
  coordinatorMachine,
  type CoordinatorEvent,
} from '../../src/actors/coordinator/coordinator.machine.js'
import { Fleet } from '../../src/actors/coordinator/fleet.js'
import { RouteBook } from '../../src/actors/coordinator/route-book.js'
import type { Orders } from '../../src/actors/coordinator/orders.js'
import type { Routing } from '../../src/actors/coordinator/routing.js'
import type { Vitals } from '../../src/actors/coordinator/vitals.js'
import type { Cell } from '../../src/actors/session/cell.js'
import type { SessionFact } from '../../src/actors/session/session.events.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { Losses } from '../../src/actors/coordinator/losses.js'
import { walk } from '../support/walk.js'

const cell = (slot: number, role: 'node' | 'client') =>
  ({ slot, role, identity: { id: `i${slot}`, profile: {} } }) as unknown as Cell // the coordinator looks at no more
const NODE = cell(1, 'node')
const CLIENT = cell(2, 'client')
const steady = { serving: 'steady' } as const

t.test('while it warms nothing is moved; then what is still away moves at once', async t => {
  walk(t, coordinatorMachine, undefined as never, [
    { when: { type: 'failover.due', node: NODE }, then: 'warming' },
    { when: { type: 'warmed' }, then: steady, asks: ['moveAbsent'] },
    {
      when: { type: 'failover.due', node: NODE },
      then: steady,
      asks: [{ type: 'moveRoutes', params: { node: NODE } }],
    },
  ])
})

t.test('a storm warms it again: its nodes are not left, they are awaited', async t => {
  const stormy = coordinatorMachine.provide({ guards: { isStorm: () => true } })
  walk(t, stormy, undefined as never, [
    { when: { type: 'warmed' }, then: steady, asks: ['moveAbsent'] },
    { when: { type: 'failover.due', node: NODE }, then: 'warming', asks: ['awaitReturns'] },
    { when: { type: 'failover.due', node: NODE }, then: 'warming' },
    { when: { type: 'warmed' }, then: steady, asks: ['moveAbsent'] },
  ])
})

t.test('most sockets lost together are a storm, a few or a slow trickle are not', async t => {
  const lost = (count: number, everyMs: number) => {
    const losses = new Losses()
    for (let n = 0; n < count; n++) losses.note(n * everyMs)
    return losses.isStorm(100, count * everyMs)
  }
  t.ok(lost(60, 10))
  t.notOk(lost(40, 10), 'less than half of a hundred')
  t.notOk(lost(90, 200), 'one after the other')
  const few = new Losses()
  for (let n = 0; n < 10; n++) few.note(0)
  t.notOk(few.isStorm(10, 0), 'a small mesh has no storms')
})

t.test('a storm is known as one before what follows from each loss has had its turn', async t => {
  const { coordinator, clock } = withExplosiveRouting({ sessions: 100 })
  coordinator.actor.send({ type: 'warmed' })
  coordinator.actor.send({ type: 'session.told', cell: NODE, fact: 'lost' })
  for (let n = 0; n < 60; n++) coordinator.noteLoss()
  clock.advance(100)
  t.equal(coordinator.actor.getSnapshot().value, 'warming')
  coordinator.stop()
})

t.test('nodes are looked at and clients brought home while it serves, handovers end at any time', async t => {
  const settled = { type: 'node.settled', node: NODE } as const
  const due = { type: 'handover.due', client: CLIENT } as const
  const settle = { type: 'settleHandover', params: { client: CLIENT } }
  walk(t, coordinatorMachine, undefined as never, [
    { when: { type: 'look.due' }, then: 'warming' },
    { when: settled, then: 'warming' },
    { when: due, then: 'warming', asks: [settle] },
    { when: { type: 'warmed' }, then: steady, asks: ['moveAbsent'] },
    { when: { type: 'look.due' }, then: steady, asks: ['lookAtNodes'] },
    { when: settled, then: steady, asks: [{ type: 'bringHome', params: { node: NODE } }] },
    { when: { type: 'drain' }, then: 'draining' },
    { when: { type: 'look.due' }, then: 'draining' },
    { when: due, then: 'draining', asks: [settle] },
  ])
})

t.test('routes are given while it warms, serves and sheds, and refused while it drains', async t => {
  const wanted: CoordinatorEvent = { type: 'route.wanted', cell: CLIENT, requestId: 3, wish: {} }
  const give = { type: 'giveRoute', params: { cell: CLIENT, requestId: 3 } }
  walk(t, coordinatorMachine, undefined as never, [
    { when: wanted, then: 'warming', asks: [give] },
    { when: { type: 'warmed' }, then: steady, asks: ['moveAbsent'] },
    { when: wanted, then: steady, asks: [give] },
    { when: { type: 'pressure.high' }, then: { serving: 'shedding' }, asks: ['holdNewcomers'] },
    { when: wanted, then: { serving: 'shedding' }, asks: [give] },
    { when: { type: 'pressure.low' }, then: steady },
    { when: { type: 'drain' }, then: 'draining' },
    {
      when: wanted,
      then: 'draining',
      asks: [{ type: 'refuseRoute', params: { cell: CLIENT, requestId: 3 } }],
    },
  ])
})

t.test('a fault in what it does for a session is that session’s, and the coordinator goes on', async t => {
  const facts: readonly SessionFact[] = [
    'joined',
    'restored',
    'lost',
    'returned',
    'dimmed',
    'brightened',
    'left',
  ]
  const events: readonly CoordinatorEvent[] = [
    ...[NODE, CLIENT].flatMap(cell => facts.map(fact => ({ type: 'session.told', cell, fact }) as const)),
    { type: 'route.wanted', cell: CLIENT, requestId: 1, wish: {} },
    { type: 'route.unwanted', cell: CLIENT, routeId: 'r' },
    { type: 'path.failed', link: 1, end: NODE, reason: 'x' },
    { type: 'failover.due', node: NODE },
    { type: 'handover.due', client: CLIENT },
    { type: 'steering.changed', cell: CLIENT },
    { type: 'steering.changed', cell: NODE },
    { type: 'route.ordered', cell: CLIENT, wish: {}, answer: () => {} },
    { type: 'look.due' },
    { type: 'node.settled', node: NODE },
    { type: 'warmed' },
    { type: 'pressure.high' },
    { type: 'drain' },
  ]
  const states: readonly (readonly CoordinatorEvent[])[] = [
    [],
    [{ type: 'warmed' }],
    [{ type: 'warmed' }, { type: 'pressure.high' }],
    [{ type: 'drain' }],
  ]
  let explosions = 0
  for (const way of states) {
    for (const event of events) {
      const { coordinator, faults, arm } = withExplosiveRouting()
      for (const step of way) coordinator.actor.send(step)
      arm()
      coordinator.actor.send(event)
      explosions += faults.length
      const where = `${JSON.stringify(coordinator.actor.getSnapshot().value)} at ${event.type}`
      t.equal(coordinator.actor.getSnapshot().status, 'active', where)
      if ('cell' in event)
        t.ok(
          faults.every(cell => cell === event.cell),
          `${where}: the fault is its own`,
        )
      coordinator.stop()
    }
  }
  t.ok(explosions >= 20, `${explosions} faults were set off`)
})

function withExplosiveRouting({ sessions = 2 } = {}): {
  coordinator: Coordinator
  clock: SimulatedClock
  faults: Cell[]
  arm: () => void
} {
  const faults: Cell[] = []
  const clock = new SimulatedClock()
  let armed = false
  const book = new RouteBook()
  const bomb = () => {
    if (armed) throw new Error('our own fault')
  }
  book.add({
    routeId: 'r',
    client: CLIENT,
    node: NODE,
    wish: {},
    link: 1,
    assignedAtMs: 0,
    sinceMs: 0,
    explanation: { considered: 0, qualified: 0, excluded: {}, compared: [] },
    history: { decidedAtMs: 0, moved: 0, moves: [], stayed: {} },
  })
  const bombs = (...names: readonly string[]) => Object.fromEntries(names.map(name => [name, bomb]))
  const routing = {
    ...bombs('give', 'refuse', 'repeat', 'end', 'rescue'),
    switches: bombs('moveFrom', 'abandon', 'repair', 'settle', 'trim'),
  }
  const fleet = new Fleet({ gauges: { gauge: () => null, rttMs: () => null }, policyOf: () => 'auto' })
  fleet.set(NODE, false)
  const coordinator = createCoordinator({
    clock,
    fleet,
    routing: { ...routing, book, stop: () => {} } as unknown as Routing, // every method it uses explodes
    orders: bombs('recheck', 'give') as unknown as Orders, // likewise
    vitals: bombs('lost', 'look', 'left', 'flapsOf') as unknown as Vitals, // every method it uses explodes
    drains: { holds: () => false, left: bomb },
    steeredTo: () => [],
    beatEveryMs: 10_000,
    failoverAfterMs: 100,
    warmingMs: () => 1_000,
    sessions: () => sessions,
    flapping: bomb,
    holdNewcomers: () => {},
    faulted: cell => void faults.push(cell),
    info: () => {},
    warn: () => {},
  })
  coordinator.actor.start()
  return {
    coordinator,
    clock,
    faults,
    arm: () => {
      armed = true
    },
  }
}
