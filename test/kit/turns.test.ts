import t from 'tap'
import { Turns } from '../../src/kit/turns.js'
import type { Clock } from '../../src/kit/clock.js'

const PER_TURN = { ms: 3 }

/** A clock on which work takes the time that it says, and turns end when the test says so. */
function slowClock() {
  let nowMs = 0
  let next: (() => void)[] = []
  const clock = { now: () => nowMs, soon: (run: () => void) => next.push(run) } as unknown as Clock
  return {
    clock,
    takes: (ms: number) => (nowMs += ms),
    endTurn: () => {
      const due = next
      next = []
      for (const run of due) run()
      return due.length
    },
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)

t.test('a little work is done at once, a flood a few milliseconds a turn and in its order', async t => {
  const { clock, takes, endTurn } = slowClock()
  const turns = new Turns({ clock, perTurn: PER_TURN })
  const done: number[] = []
  const perTurn: number[] = []
  for (let i = 0; i < 20; i++)
    turns.run(() => {
      takes(1)
      done.push(i)
    })
  perTurn.push(done.length)
  while (endTurn() > 0) perTurn.push(done.length - perTurn.reduce((sum, each) => sum + each, 0))
  t.same(perTurn, [3, 3, 3, 3, 3, 3, 2, 0])
  t.same(done, numbers(20))
  turns.run(() => done.push(20))
  t.equal(done.at(-1), 20, 'at once again')
})

t.test(
  'of a list that takes no time a bounded number is done in each turn, and another list after it',
  async t => {
    const { clock, endTurn } = slowClock()
    const turns = new Turns({ clock, perTurn: { ms: 3, pieces: 8 } })
    const done: string[] = []
    turns.each(numbers(20), () => done.push('a'))
    turns.each(numbers(1), () => done.push('b'))
    t.equal(done.length, 8)
    endTurn()
    t.equal(done.length, 16)
    endTurn()
    t.equal(done.join(''), `${'a'.repeat(20)}b`)
  },
)

t.test('what comes while others wait is behind them', async t => {
  const { clock, takes, endTurn } = slowClock()
  const turns = new Turns({ clock, perTurn: PER_TURN })
  const done: string[] = []
  turns.run(() => takes(5))
  turns.run(() => done.push('first'))
  t.notOk(turns.isFree)
  turns.run(() => done.push('second'))
  t.same(done, [])
  endTurn()
  t.same(done, ['first', 'second'])
})

t.test('work that makes more work is done before it', async t => {
  const { clock } = slowClock()
  const turns = new Turns({ clock, perTurn: PER_TURN })
  const done: string[] = []
  turns.run(() => {
    t.notOk(turns.isFree)
    turns.run(() => done.push('what it made'))
    done.push('the work')
  })
  t.same(done, ['the work', 'what it made'])
})

t.test('something else gets its chance after each piece', async t => {
  const { clock } = slowClock()
  const done: string[] = []
  const turns = new Turns({ clock, perTurn: PER_TURN, between: () => done.push('-') })
  turns.each(numbers(3), i => done.push(String(i)))
  t.equal(done.join(''), '0-1-2-')
})

t.test('work that throws takes nobody along', async t => {
  const { clock, takes, endTurn } = slowClock()
  const turns = new Turns({ clock, perTurn: PER_TURN })
  const done: string[] = []
  turns.run(() => takes(5))
  turns.run(() => {
    throw new Error('its own')
  })
  turns.run(() => done.push('the next'))
  t.throws(endTurn, 'its own')
  endTurn()
  t.same(done, ['the next'])
})

t.test('nothing that waits is done once it has been stopped', async t => {
  const { clock, takes, endTurn } = slowClock()
  const turns = new Turns({ clock, perTurn: PER_TURN })
  const done: number[] = []
  turns.each(numbers(10), i => {
    takes(1)
    done.push(i)
  })
  turns.stop()
  endTurn()
  t.same(done, [0, 1, 2])
})
