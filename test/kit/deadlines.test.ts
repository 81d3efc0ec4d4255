import t from 'tap'
import { Deadlines } from '../../src/kit/deadlines.js'
import { pick, seededRandom } from '../../src/kit/random.js'
import { SimulatedClock } from '../support/simulated-clock.js'

/** Returns deadlines that write down what expired, and when. */
function recorded(): { clock: SimulatedClock; deadlines: Deadlines<string>; expired: string[] } {
  const clock = new SimulatedClock()
  const expired: string[] = []
  const deadlines = new Deadlines<string>(clock, key => expired.push(`${key} ${clock.now()}`))
  return { clock, deadlines, expired }
}

t.test('deadlines expire in order of time, whatever the order they were set in', async t => {
  const { clock, deadlines, expired } = recorded()
  for (const [key, inMs] of Object.entries({ c: 30, a: 10, e: 50, b: 20, d: 40 })) deadlines.set(key, inMs)
  clock.advance(25)
  t.same(expired, ['a 10', 'b 20'])
  clock.advance(100)
  t.same(expired, ['a 10', 'b 20', 'c 30', 'd 40', 'e 50'])
  t.equal(deadlines.size, 0)
})

t.test('setting a key again moves its deadline, later or sooner', async t => {
  const { clock, deadlines, expired } = recorded()
  deadlines.set('later', 10)
  deadlines.set('sooner', 100)
  clock.advance(5)
  deadlines.set('later', 10)
  deadlines.set('sooner', 2)
  t.equal(deadlines.size, 2)
  clock.advance(200)
  t.same(expired, ['sooner 7', 'later 15'])
})

t.test('a cleared deadline never comes, and its key may be set anew', async t => {
  const { clock, deadlines, expired } = recorded()
  deadlines.set('a', 10)
  deadlines.set('b', 10)
  deadlines.clear('a')
  deadlines.clear('never set')
  deadlines.clear('b')
  deadlines.set('b', 10)
  clock.advance(50)
  t.same(expired, ['b 10'])
})

t.test('all deadlines share one timer, and none is left when nothing is due', async t => {
  const { clock, deadlines } = recorded()
  for (let i = 0; i < 1_000; i++) deadlines.set(`k${i}`, 1_000 - i)
  t.equal(clock.waiting, 1)
  clock.advance(2_000)
  t.equal(clock.waiting, 0)
})

t.test('thousands of moves end as if only the last of each key had been made', async t => {
  const { clock, deadlines, expired } = recorded()
  const random = seededRandom(5)
  const due = new Map<string, number>()
  for (let i = 0; i < 20_000; i++) {
    const key = `k${pick(random, 2_000)}`
    if (pick(random, 10) === 0) {
      deadlines.clear(key)
      due.delete(key)
    } else {
      const inMs = 100 + pick(random, 10_000)
      deadlines.set(key, inMs)
      due.set(key, clock.now() + inMs)
    }
    if (i % 200 === 0) clock.advance(1)
  }
  t.equal(deadlines.size, due.size)
  clock.advance(20_000)
  const wanted = [...due].map(([key, atMs]) => `${key} ${atMs}`)
  t.same(expired.toSorted(), wanted.toSorted())
  const times = expired.map(line => Number(line.split(' ')[1]))
  t.same(
    times,
    times.toSorted((a, b) => a - b),
  )
})

t.test('entries left behind by moves and clears do not pile up', async t => {
  const { deadlines } = recorded()
  let most = 0
  for (let i = 0; i < 10_000; i++) {
    deadlines.set(`k${i % 100}`, 1_000 + i)
    most = Math.max(most, deadlines.held)
  }
  t.ok(most <= 400, `${most} for 100 keys`)
  for (let i = 0; i < 99; i++) deadlines.clear(`k${i}`)
  t.ok(deadlines.held <= 64)
  t.equal(deadlines.size, 1)
})

t.test('an expiry may set and clear deadlines, its own too', async t => {
  const clock = new SimulatedClock()
  const expired: string[] = []
  const deadlines = new Deadlines<string>(clock, key => {
    expired.push(`${key} ${clock.now()}`)
    if (key === 'again' && clock.now() < 30) deadlines.set('again', 10)
    if (key === 'killer') deadlines.clear('victim')
  })
  deadlines.set('again', 10)
  deadlines.set('killer', 15)
  deadlines.set('victim', 16)
  clock.advance(100)
  t.same(expired, ['again 10', 'killer 15', 'again 20', 'again 30'])
})

t.test('an expiry that throws takes no other deadline with it', async t => {
  const clock = new SimulatedClock()
  const expired: string[] = []
  const deadlines = new Deadlines<string>(clock, key => {
    if (key === 'bad') throw new Error('boo')
    expired.push(key)
  })
  for (const key of ['a', 'bad', 'b']) deadlines.set(key, 10)
  deadlines.set('c', 20)
  t.throws(() => clock.advance(10), { message: 'boo' })
  clock.advance(10)
  t.same(expired, ['a', 'b', 'c'])
})

t.test('a deadline in the past is due at once, but never inside the call that sets it', async t => {
  const { clock, deadlines, expired } = recorded()
  deadlines.set('a', -5)
  t.same(expired, [])
  clock.advance(0)
  t.same(expired, ['a 0'])
})

t.test('nothing expires after a stop, and a set begins anew', async t => {
  const { clock, deadlines, expired } = recorded()
  deadlines.set('a', 10)
  deadlines.stop()
  t.equal(clock.waiting, 0)
  clock.advance(100)
  deadlines.set('b', 10)
  clock.advance(100)
  t.same(expired, ['b 110'])
})

t.test('when nothing is waited for any more, no timer is', async t => {
  const { clock, deadlines } = recorded()
  deadlines.set('a', 10)
  deadlines.set('b', 20)
  t.ok(deadlines.has('a'))
  deadlines.clear('a')
  t.notOk(deadlines.has('a'))
  t.equal(clock.waiting, 1)
  deadlines.clear('b')
  t.equal(clock.waiting, 0)
})
