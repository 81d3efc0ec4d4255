import t from 'tap'
import { type AdmissionRate, COST, Pacing } from '../../src/actors/admission/pacing.js'
import { seededRandom } from '../../src/kit/random.js'
import { SimulatedClock } from '../support/simulated-clock.js'

t.test('a few at once are let in, and the rest each in a slot of its own', async t => {
  const { pacing, clock } = paced({ perSecond: 100, burst: 10 })
  const waits = Array.from({ length: 30 }, (_, n) => pacing.ask('client', `c${n}`, 1))
  t.equal(waits.filter(ms => ms === 0).length, 11)
  const slots = waits.filter(ms => ms > 0)
  for (const [n, ms] of slots.entries()) {
    const exactMs = 10 * (n + 1)
    t.ok(ms >= exactMs && ms <= exactMs + 21, `slot ${n}: ${ms} ms`)
  }
  t.equal(pacing.waiting().client, 19)
  clock.advance(60_000)
  t.equal(pacing.waiting().client, 0, 'who does not come is forgotten')
})

t.test('ten thousand come back in their slots, and nobody is refused twice', async t => {
  const { pacing, clock } = paced({ perSecond: 4_000, burst: 256 })
  const random = seededRandom(7)
  const refusals = new Map<string, number>()
  const letInMs: number[] = []
  const come = (who: string) => {
    const waitMs = pacing.ask('client', who, COST.resume)
    if (waitMs === 0) return void letInMs.push(clock.now())
    refusals.set(who, (refusals.get(who) ?? 0) + 1)
    clock.setTimeout(() => come(who), waitMs + 300 * random.float()) // its way to us takes time again
  }
  // All within a second, as their sockets break.
  for (let n = 0; n < 10_000; n++) clock.setTimeout(() => come(`c${n}`), 1_000 * random.float())
  clock.advance(10_000)
  t.equal(letInMs.length, 10_000)
  t.same(
    [...refusals.values()].filter(times => times > 1),
    [],
  )
  t.ok(Math.max(...letInMs) < 3_200, `the last was in after ${Math.max(...letInMs)} ms`)
  t.ok(busiest(letInMs, 100) < 800, `${busiest(letInMs, 100)} within 100 ms`)
  t.same(pacing.waiting(), { node: 0, client: 0, register: 0 })
})

t.test('who comes before its slot gets the same slot again, and jumps no queue', async t => {
  const { pacing, clock } = paced({ perSecond: 10, burst: 0 })
  for (let n = 0; n < 20; n++) pacing.ask('client', `c${n}`, 1)
  const waitMs = pacing.ask('client', 'eager', 1)
  for (let n = 0; n < 1_000; n++) {
    clock.advance(1)
    t.equal(pacing.ask('client', 'eager', 1), waitMs - 1 - n)
  }
  t.equal(pacing.waiting().client, 20)
  clock.advance(waitMs - 1_000)
  t.equal(pacing.ask('client', 'eager', 1), 0)
  t.ok(pacing.ask('client', 'eager', 1) > 0, 'a slot lets in once')
})

t.test('no line waits for another, and registrations cost what they cost', async t => {
  const { pacing } = paced({ perSecond: 1_000, burst: 10 })
  for (let n = 0; n < 500; n++) pacing.ask('register', `stranger ${n}`, COST.register)
  t.equal(pacing.ask('client', 'c', COST.resume), 0)
  t.equal(pacing.ask('node', 'n', COST.resume), 0)
  const waitMs = pacing.ask('register', 'late', COST.register)
  t.ok(waitMs > 1_900 && waitMs < 2_100, `${waitMs} ms for 500 registrations at 250 a second`)
  pacing.charge('register', 100)
  t.ok(pacing.ask('register', 'later', COST.register) > waitMs + 150)
})

t.test('a line that is held lets those in who have their slots', async t => {
  const { pacing, clock } = paced({ perSecond: 100, burst: 0 })
  pacing.ask('register', 'first', 1)
  const waitMs = pacing.ask('register', 'second', 1)
  pacing.hold('register', 5_000)
  t.ok(pacing.ask('register', 'third', 1) >= 5_000)
  clock.advance(waitMs)
  t.equal(pacing.ask('register', 'second', 1), 0)
})

t.test('a flood takes no more memory than half a minute of slots', async t => {
  const { pacing, clock } = paced({ perSecond: 100, burst: 1 })
  for (let n = 0; n < 100_000; n++) pacing.ask('client', `c${n}`, 1)
  t.ok(pacing.waiting().client <= 3_002, `${pacing.waiting().client} slots`)
  const waitMs = pacing.ask('client', 'too late', 1)
  t.ok(waitMs >= 30_000 && waitMs <= 60_000, 'told to stay away longer, without a slot')
  clock.advance(waitMs)
  t.equal(pacing.ask('client', 'too late', 1), 0)
})

function paced(rate: AdmissionRate) {
  const clock = new SimulatedClock()
  return { clock, pacing: new Pacing({ clock, random: seededRandom(1), rate }) }
}

/** Returns the most that fall into any window of this length. */
function busiest(times: readonly number[], windowMs: number): number {
  const sorted = [...times].sort((a, b) => a - b)
  let first = 0
  return sorted.reduce((most, time, n) => {
    while ((sorted[first] as number) <= time - windowMs) first++ // first never passes n
    return Math.max(most, n - first + 1)
  }, 0)
}
