import t from 'tap'
import { MoveQueue } from '../../src/actors/coordinator/move-queue.js'
import type { Route } from '../../src/actors/coordinator/route-book.js'
import { SimulatedClock } from '../support/simulated-clock.js'

const routes = (count: number): Route[] =>
  Array.from({ length: count }, (_, n) => ({ routeId: `r${n}` }) as Route) // the queue looks at nothing of it

t.test('a few routes are done at once, many in turns of the event loop', async t => {
  const clock = new SimulatedClock()
  const queue = new MoveQueue({ clock, faulted: () => {} })
  let done = 0
  queue.add(routes(5), () => done++)
  t.equal(done, 5)
  await clock.run(1)
  queue.add(routes(1_000), () => done++)
  t.equal(done, 5 + 32)
  await clock.run(1)
  t.equal(done, 1_005)
})

t.test('what comes later waits for what came before', async t => {
  const clock = new SimulatedClock()
  const queue = new MoveQueue({ clock, faulted: () => {} })
  const order: string[] = []
  queue.add(routes(40), () => order.push('a'))
  queue.add(routes(1), () => order.push('b'))
  await clock.run(1)
  t.same(order, [...Array.from({ length: 40 }, () => 'a'), 'b'])
})

t.test('a turn ends when its time is over', async t => {
  const clock = new SimulatedClock()
  const queue = new MoveQueue({ clock, faulted: () => {} })
  let done = 0
  queue.add(routes(10), () => {
    done++
    clock.advance(3)
  })
  t.ok(done < 10, `${done} were done`)
})

t.test('what one route throws is its own, and the others go on', async t => {
  const faults: string[] = []
  const queue = new MoveQueue({
    clock: new SimulatedClock(),
    faulted: ({ routeId }) => void faults.push(routeId),
  })
  let done = 0
  queue.add(routes(3), ({ routeId }) => {
    if (routeId === 'r1') throw new Error('our own fault')
    done++
  })
  t.equal(done, 2)
  t.same(faults, ['r1'])
})
