import t from 'tap'
import { Follow } from '../../src/inspector/live/follow.js'
import { asValue } from '../../src/inspector/live/value-of.js'
import { OPERATOR_ANSWER_MAX, operatorCodec, type OperatorWireOf } from '../../src/protocol/operator.js'
import { SimulatedClock } from '../support/simulated-clock.js'

function following() {
  const clock = new SimulatedClock()
  const told: OperatorWireOf<'operator.events'>[] = []
  const state = { behind: false, dropped: 0 }
  const follow = new Follow({
    watchId: 1,
    clock,
    isBehind: () => state.behind,
    send: bytes => {
      if (bytes.length > OPERATOR_ANSWER_MAX) throw new Error('it is too large')
      told.push(operatorCodec.decode(bytes) as OperatorWireOf<'operator.events'>) // it says nothing else
    },
    dropped: count => {
      state.dropped += count
    },
  })
  return { clock, follow, told, state }
}

t.test('what happens within a moment is told together, in its order', async t => {
  const { clock, follow, told } = following()
  follow.hear({ n: 1 })
  clock.advance(60)
  follow.hear({ n: 2 })
  t.same(told, [])
  clock.advance(60)
  follow.hear({ n: 3 })
  clock.advance(100)
  t.same(
    told.map(({ events, dropped }) => [events, dropped]),
    [
      [[{ n: 1 }, { n: 2 }], 0],
      [[{ n: 3 }], 0],
    ],
  )
  t.equal(clock.waiting, 0, 'nothing waits while nothing happens')
})

t.test('while the socket is behind the newest wait, and what had no room is counted', async t => {
  const { clock, follow, told, state } = following()
  state.behind = true
  for (let n = 0; n < 700; n++) follow.hear(n)
  clock.advance(1_000)
  t.same(told, [])
  state.behind = false
  clock.advance(100)
  t.match(told, [{ dropped: 200 }])
  t.same([told[0]?.events.length, told[0]?.events[0], told[0]?.events.at(-1)], [500, 200, 699])
  t.equal(state.dropped, 200)
  follow.hear('later')
  clock.advance(100)
  t.match(told[1], { events: ['later'], dropped: 0 }, 'they are counted once')
})

t.test('events that are too large for one message lose the oldest', async t => {
  const { clock, follow, told } = following()
  for (let n = 0; n < 8; n++) follow.hear({ n, text: 'x'.repeat(1_100_000) })
  clock.advance(100)
  t.equal(told[0]?.dropped, 6)
  t.same(
    told[0]?.events.map(event => (event as { readonly n: number }).n),
    [6, 7],
  )
})

t.test('what JSON cannot say is told as it would be in JSON, or as nothing', async t => {
  const cycle: unknown[] = []
  cycle.push(cycle)
  let deep: unknown = 1
  for (let n = 0; n < 20; n++) deep = [deep]
  t.same(asValue({ at: new Date(0), gone: undefined, not: Number.NaN }), {
    at: '1970-01-01T00:00:00.000Z',
    not: null,
  })
  for (const odd of [cycle, 1n, undefined, () => 1, Symbol('x'), deep]) t.equal(asValue(odd), null)
})

t.test('who has ended hears no more', async t => {
  const { clock, follow, told } = following()
  let stopped = 0
  follow.hears(() => stopped++)
  follow.hear(1)
  follow.end()
  follow.hear(2)
  clock.advance(500)
  t.same([told, stopped, clock.waiting], [[], 1, 0])
})
