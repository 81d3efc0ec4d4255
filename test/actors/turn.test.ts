/** How STUN and TURN are kept going, whoever serves them. */
import t from 'tap'
import { keepTurn } from '../../src/actors/turn/turn.effects.js'
import { turnMachine } from '../../src/actors/turn/turn.machine.js'
import { seededRandom } from '../../src/kit/random.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { walk } from '../support/walk.js'

const degraded = (reason: string) => ({ type: 'tellDegraded', params: { reason } })
const rest = (failures: number) => ({ type: 'rest', params: { failures } })

t.test('it starts, is looked at, and stops', async t => {
  walk(t, turnMachine, undefined, [
    { when: { type: 'due' }, then: 'off' },
    { when: { type: 'start' }, then: 'starting', asks: ['open'] },
    { when: { type: 'opened' }, then: 'up', asks: ['tellUp', 'pause'] },
    { when: { type: 'due' }, then: 'up', asks: ['look'] },
    { when: { type: 'answered' }, then: 'up', asks: ['pause'] },
    { when: { type: 'stop' }, then: 'off', asks: ['close'] },
    { when: { type: 'opened' }, then: 'off' },
  ])
})

t.test('what cannot be had is tried again, after a longer rest each time', async t => {
  const resting = { degraded: 'resting' } as const
  const failed = { type: 'failed', reason: 'port 3478 is taken' } as const
  walk(t, turnMachine, undefined, [
    { when: { type: 'start' }, then: 'starting', asks: ['open'] },
    { when: failed, then: resting, asks: [degraded('port 3478 is taken'), 'close', rest(0)] },
    { when: { type: 'due' }, then: 'starting', asks: ['open'] },
    { when: failed, then: resting, asks: ['tellDegraded', 'close', rest(1)] },
    { when: { type: 'due' }, then: 'starting', asks: ['open'] },
    { when: { type: 'opened' }, then: 'up', asks: ['tellUp', 'pause'] },
    {
      when: { type: 'ended', reason: 'crashed' },
      then: resting,
      asks: [degraded('crashed'), 'close', rest(2)],
    },
    { when: { type: 'due' }, then: 'starting', asks: ['open'] },
    { when: { type: 'opened' }, then: 'up', asks: ['tellUp', 'pause'] },
    { when: { type: 'due' }, then: 'up', asks: ['look'] },
    { when: { type: 'answered' }, then: 'up', asks: ['pause'] },
    // One that answered a while after its start was well: the next rest is a short one.
    { when: { type: 'ended', reason: 'crashed' }, then: resting, asks: ['tellDegraded', 'close', rest(0)] },
  ])
})

t.test(
  'one that does not answer is degraded, well when it answers, and started anew when it never does',
  async t => {
    const silent = { degraded: 'silent' } as const
    const missed = [
      { when: { type: 'due' }, then: silent, asks: ['look'] },
      { when: { type: 'unanswered' }, then: silent, asks: ['pause'] },
    ] as const
    walk(t, turnMachine, undefined, [
      { when: { type: 'start' }, then: 'starting', asks: ['open'] },
      { when: { type: 'opened' }, then: 'up', asks: ['tellUp', 'pause'] },
      { when: { type: 'unanswered' }, then: silent, asks: [degraded('it does not answer'), 'pause'] },
      ...missed,
      { when: { type: 'answered' }, then: 'up', asks: ['tellUp', 'pause'] },
      { when: { type: 'unanswered' }, then: silent, asks: ['tellDegraded', 'pause'] },
      ...missed,
      ...missed,
      ...missed,
      ...missed,
      ...missed,
      { when: { type: 'unanswered' }, then: { degraded: 'resting' }, asks: ['close', 'rest'] },
    ])
  },
)

t.test('a server that was being started when the stop came is stopped, too', async t => {
  const clock = new SimulatedClock()
  let give = (_: Server): void => {}
  const kept = keepTurn({
    clock,
    random: seededRandom(1),
    log: { info() {}, warn() {} },
    open: () => new Promise<Server>(resolve => (give = resolve)),
    described: () => ({}),
  })
  const started = kept.start()
  await clock.run(1)
  const stopped = kept.stop()
  const server = new Server()
  give(server)
  await clock.run(1)
  await Promise.all([started, stopped])
  t.equal(server.stopped, true)
  t.match(kept, { service: null })
  t.equal(kept.state(), 'off')
})

t.test('a reason is told once, however often the start fails', async t => {
  const clock = new SimulatedClock()
  const told: string[] = []
  let isFree = false
  const kept = keepTurn({
    clock,
    random: seededRandom(1),
    log: {
      info: (_, message) => told.push(message),
      warn: ({ reason }: { reason?: string }) => told.push(`${reason}`),
    },
    open: async () => {
      if (!isFree) throw new Error('taken')
      return new Server()
    },
    described: () => ({}),
  })
  await kept.start()
  t.equal(kept.state(), 'degraded')
  await clock.run(60_000)
  t.same(told, ['taken'])
  isFree = true
  await clock.run(60_000)
  t.same(told, ['taken', 'STUN and TURN serve'])
  t.equal(kept.state(), 'up')
  const server = kept.service
  await kept.stop()
  t.equal(server?.stopped, true)
})

class Server {
  stopped = false

  async health(): Promise<{ status: string }> {
    return { status: 'healthy' }
  }

  async stop(): Promise<void> {
    this.stopped = true
  }
}
