import t from 'tap'
import { Turns } from '../../src/kit/turns.js'
import type { Clock } from '../../src/kit/clock.js'

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

t.test('a little work is done at once, a flood a few milliseconds a turn and in its order', async t => {
  const { clock, takes, endTurn } = slowClock()
  const turns = new Turns(clock)
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
  t.same(
    done,
    Array.from({ length: 20 }, (_, i) => i),
  )
  turns.run(() => done.push(20))
  t.equal(done.at(-1), 20, 'at once again')
})

t.test('what comes while others wait is behind them', async t => {
  const { clock, takes, endTurn } = slowClock()
  const turns = new Turns(clock)
  const done: string[] = []
  turns.run(() => takes(5))
  turns.run(() => done.push('first'))
  t.notOk(turns.isFree)
  turns.run(() => done.push('second'))
  t.same(done, [])
  endTurn()
  t.same(done, ['first', 'second'])
})

t.test('work that throws takes nobody along', async t => {
  const { clock, takes, endTurn } = slowClock()
  const turns = new Turns(clock)
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
