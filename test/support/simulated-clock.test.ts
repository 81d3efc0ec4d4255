import t from 'tap'
import { SimulatedClock } from './simulated-clock.js'

t.test('timers run in order of time, then of setting, each at its own time', async t => {
  const clock = new SimulatedClock()
  const ran: string[] = []
  const set = (name: string, ms: number) => clock.setTimeout(() => ran.push(`${name}@${clock.now()}`), ms)
  set('b', 20)
  set('a', 10)
  set('c', 20)
  clock.clearTimeout(set('never', 15))
  set('later', 21)
  clock.advance(20)
  t.same(ran, ['a@10', 'b@20', 'c@20'])
  t.equal(clock.now(), 20)
  t.equal(clock.waiting, 1)
})

t.test('what was given to soon runs before time moves', async t => {
  const clock = new SimulatedClock()
  const ran: string[] = []
  clock.setTimeout(() => {
    ran.push('timer')
    clock.soon(() => ran.push(`soon@${clock.now()}`))
  }, 5)
  clock.setTimeout(() => ran.push('next'), 6)
  clock.advance(10)
  t.same(ran, ['timer', 'soon@5', 'next'])
})

t.test('promises settle between timers when the clock is run', async t => {
  const clock = new SimulatedClock()
  const ran: string[] = []
  clock.setTimeout(() => void Promise.resolve().then(() => ran.push(`promise@${clock.now()}`)), 5)
  clock.setTimeout(() => ran.push('next'), 6)
  await clock.run(10)
  t.same(ran, ['promise@5', 'next'])
})

t.test('the wall clock jumps without moving a timer', async t => {
  const clock = new SimulatedClock(1_000)
  clock.setTimeout(() => t.equal(clock.now(), 10), 10)
  clock.jumpWall(3_600_000)
  t.equal(clock.wallMs(), 3_601_000)
  clock.advance(10)
})
