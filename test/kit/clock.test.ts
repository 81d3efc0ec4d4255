import t from 'tap'
import { every, systemClock } from '../../src/kit/clock.js'
import { SimulatedClock } from '../support/simulated-clock.js'

t.test('every waits first, then repeats until it is stopped', async t => {
  const clock = new SimulatedClock()
  const at: number[] = []
  const stop = every(clock, 100, () => at.push(clock.now()))
  clock.advance(350)
  t.same(at, [100, 200, 300])
  stop()
  clock.advance(1_000)
  t.same(at, [100, 200, 300])
  t.equal(clock.waiting, 0)
})

t.test('every may be stopped from within', async t => {
  const clock = new SimulatedClock()
  let runs = 0
  const stop = every(clock, 10, () => {
    runs++
    stop()
  })
  clock.advance(100)
  t.equal(runs, 1)
  t.equal(clock.waiting, 0)
})

t.test('the wall clock moves no timer', async t => {
  const clock = new SimulatedClock()
  let runs = 0
  every(clock, 100, () => runs++)
  clock.jumpWall(3_600_000)
  clock.advance(99)
  t.equal(runs, 0)
  clock.advance(1)
  t.equal(runs, 1)
})

t.test('the process’s clock never goes back, and clears what it has set', async t => {
  const before = systemClock.now()
  await new Promise<void>(resolve => systemClock.soon(resolve))
  t.ok(systemClock.now() >= before)
  t.ok(systemClock.wallMs() > Date.UTC(2024, 0, 1))
  const timer = systemClock.setTimeout(() => t.fail('it was cleared'), 0)
  systemClock.clearTimeout(timer)
  systemClock.clearTimeout(undefined)
  await new Promise<void>(resolve => void setTimeout(resolve, 2))
})
