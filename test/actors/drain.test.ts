import t from 'tap'
import { drainMachine, type DrainEvent, type DrainState } from '../../src/actors/drain/drain.machine.js'
import { Pace } from '../../src/actors/drain/pace.js'
import { nodeMachine } from '../../src/actors/node/node.machine.js'
import { walk } from '../support/walk.js'

const NODE = { nodeId: 'fra-1' }
const moving = { underway: 'moving' } as const
const waiting = { underway: 'waiting' } as const
const looked = (left: number, untried: number): DrainEvent => ({ type: 'looked', left, untried })
const report = (state: DrainState) => ({ type: 'report', params: { state } })

t.test('routes move while there are any to try, and an empty node is done', async t => {
  walk(t, drainMachine, NODE, [
    { when: looked(12, 12), then: moving, asks: ['moveSome', report('draining')] },
    { when: looked(12, 6), then: moving, asks: ['moveSome', report('draining')] },
    { when: looked(3, 0), then: waiting, asks: [report('draining'), 'awaitRetry'] },
    { when: looked(0, 0), then: 'empty', asks: ['stopAwaitingRetry', 'stopWatching', report('empty')] },
    { when: looked(1, 1), then: 'empty' },
  ])
})

t.test('a node without a link is empty at the first look', async t => {
  walk(t, drainMachine, NODE, [
    { when: looked(0, 0), then: 'empty', asks: ['stopWatching', report('empty')] },
  ])
})

t.test('what nothing qualifies for is tried again, round after round', async t => {
  walk(t, drainMachine, NODE, [
    { when: looked(2, 0), then: waiting, asks: ['report', 'awaitRetry'] },
    { when: looked(2, 0), then: waiting, asks: ['report'] },
    { when: { type: 'retry.due' }, then: moving, asks: ['stopAwaitingRetry', 'lineUp'] },
    { when: looked(2, 2), then: moving, asks: ['moveSome', 'report'] },
    { when: looked(2, 0), then: waiting, asks: ['report', 'awaitRetry'] },
  ])
})

t.test('when time is up the routes that are left end, and only then is it called expired', async t => {
  walk(t, drainMachine, NODE, [
    { when: looked(2, 0), then: waiting, asks: ['report', 'awaitRetry'] },
    {
      when: { type: 'time.up', routes: 2 },
      then: 'expired',
      asks: ['stopAwaitingRetry', 'stopWatching', 'endRest', report('expired')],
    },
  ])
  walk(t, drainMachine, NODE, [
    {
      when: { type: 'time.up', routes: 0 },
      then: 'empty',
      asks: ['stopWatching', 'endRest', report('empty')],
    },
  ])
})

t.test('asked for anew it begins anew, from wherever it was', async t => {
  const anew = ['watch', report('draining'), 'lineUp']
  walk(t, drainMachine, NODE, [
    { when: { type: 'asked' }, then: moving, asks: ['stopWatching', ...anew] },
    { when: looked(1, 0), then: waiting, asks: ['report', 'awaitRetry'] },
    { when: { type: 'asked' }, then: moving, asks: ['stopAwaitingRetry', 'stopWatching', ...anew] },
    { when: looked(0, 0), then: 'empty', asks: ['stopWatching', 'report'] },
    { when: { type: 'asked' }, then: moving, asks: anew },
    { when: { type: 'time.up', routes: 1 }, then: 'expired', asks: ['stopWatching', 'endRest', 'report'] },
    { when: { type: 'asked' }, then: moving, asks: anew },
  ])
})

t.test('a drain is cancelled from wherever it is, and the node has routes again', async t => {
  const done = ['readmit', report('cancelled')]
  const cancelled = (...asks: string[]) =>
    ({ when: { type: 'cancelled' }, then: 'cancelled', asks: [...asks, ...done] }) as const
  walk(t, drainMachine, NODE, [cancelled('stopWatching')])
  walk(t, drainMachine, NODE, [
    { when: looked(1, 0), then: waiting, asks: ['report', 'awaitRetry'] },
    cancelled('stopAwaitingRetry', 'stopWatching'),
  ])
  walk(t, drainMachine, NODE, [
    { when: looked(0, 0), then: 'empty', asks: ['stopWatching', 'report'] },
    cancelled(),
  ])
  walk(t, drainMachine, NODE, [
    { when: { type: 'time.up', routes: 1 }, then: 'expired', asks: ['stopWatching', 'endRest', 'report'] },
    cancelled(),
  ])
})

t.test('a session that is to leave may stay after all', async t => {
  const duty = (duty: string) => ({ online: { presence: 'fresh', reach: 'unknown', duty } }) as never
  walk(t, nodeMachine, { slot: 5 }, [
    { when: { type: 'admitted' }, then: duty('accepting'), asks: ['greet', 'inform'] },
    { when: { type: 'asked.to.leave' }, then: duty('leaving') },
    { when: { type: 'places.taken' }, then: duty('leaving') },
    { when: { type: 'asked.to.stay' }, then: duty('accepting') },
  ])
})

t.test('without a deadline a hundred move a second, the first at once', async t => {
  const pace = new Pace(1_000, null, 0)
  t.equal(pace.everyMs, 10)
  t.equal(pace.due(0), 1)
  t.equal(pace.due(0), 0)
  t.equal(pace.due(9), 0)
  t.equal(pace.due(10), 1)
  t.equal(pace.due(60), 5)
})

t.test('with a deadline they are spread over four fifths of it', async t => {
  const pace = new Pace(1_000, 60_000, 0)
  t.equal(pace.everyMs, 48)
  let moved = 0
  for (let now = 0; now < 48_000; now += 40) moved += pace.due(now)
  t.equal(moved, 1_000)
})

t.test('a few are not kept waiting by a long deadline', async t => {
  t.equal(new Pace(2, 300_000, 0).everyMs, 250)
  t.equal(new Pace(0, 300_000, 0).everyMs, 250)
})

t.test('without any time as many move as may at once', async t => {
  const pace = new Pace(1_000, 0, 0)
  t.same([pace.due(0), pace.due(0), pace.due(10)], [100, 100, 100])
})

t.test('a hundred thousand within ten seconds do not move in one go', async t => {
  const pace = new Pace(100_000, 10_000, 0)
  const moves: number[] = []
  for (let now = 0; now < 8_000; now += 10) moves.push(pace.due(now))
  t.equal(Math.max(...moves), 100)
  const inTime = moves.reduce((sum, count) => sum + count)
  t.ok(inTime > 79_000, `${inTime} have moved, the others within the last two seconds`)
})

t.test('a second of standing still is made up for, and no more', async t => {
  const pace = new Pace(100_000, null, 0)
  const caughtUp = [pace.due(60_000), pace.due(60_000), pace.due(60_000)]
  t.same(caughtUp, [100, 1, 0])
})
