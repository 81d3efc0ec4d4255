/** One machine for many: what they share, what stays theirs, and in which order they hear. */
import t from 'tap'
import { type AnyStateMachine, assign, createActor, fromTransition, setup } from 'xstate'
import { nodeMachine } from '../../src/actors/node/node.machine.js'
import type { Cell } from '../../src/actors/session/cell.js'
import { Sessions } from '../../src/actors/session/sessions.js'
import { SharedMachine, type Standing } from '../../src/actors/shared-machine.js'
import { IDENTITY } from '../support/end-cell.js'
import { SimulatedClock } from '../support/simulated-clock.js'

const root = createActor(fromTransition((state: null) => state, null)).start()

t.test('all in the same state share where they stand, however they came there', async t => {
  const { shared, begin } = sharing(nodeMachine)
  const [one, two] = [begin(1), begin(2)]
  shared.deliver(one, { type: 'admitted' })
  const joined = one.standing
  shared.deliver(one, { type: 'heartbeat.lapsed' })
  t.same(one.standing.value, { online: { presence: 'lapsed', reach: 'unknown', duty: 'accepting' } })
  shared.deliver(one, { type: 'heartbeat.returned' })
  t.equal(one.standing, joined)
  shared.deliver(two, { type: 'admitted' })
  t.equal(two.standing, joined)
  shared.deliver(two, { type: 'window.closed' })
  t.equal(two.standing, joined, 'not heard here')
})

t.test('each action gets the one that it is about', async t => {
  const seen: number[] = []
  const machine = nodeMachine.provide({ actions: { greet: ({ context }) => void seen.push(context.slot) } })
  const { shared, begin } = sharing(machine)
  for (const slot of [7, 8]) shared.deliver(begin(slot), { type: 'admitted' })
  t.same(seen, [7, 8])
})

t.test('a machine that keeps something of its own is refused, for all would have it', async t => {
  const machine = setup({ types: { context: {} as { n: number } } }).createMachine({
    context: { n: 0 },
    on: { count: { actions: assign({ n: ({ context }) => context.n + 1 }) } },
  })
  const { shared, begin, faults } = sharing(machine)
  shared.deliver(begin(1), { type: 'count' })
  t.match(faults, [{ name: 'TypeError' }])
})

t.test('sessions are counted by state as they move, and no more when they are forgotten', async t => {
  const machine = nodeMachine.provide({
    actions: {
      release: ({ context }) => {
        const cell = sessions.at(context.slot)
        if (cell !== undefined) sessions.forget(cell)
      },
    },
  })
  const sessions: Sessions = sessionsOf()
  sessions.start({ node: machine, client: machine })
  const [one, two, three] = ['one', 'two', 'three'].map(id => begin(sessions, id)) as [Cell, Cell, Cell]
  t.match(sessions.census('node'), { registering: 3, online: 0 })
  for (const cell of [one, two]) sessions.deliver(cell, { type: 'admitted' })
  sessions.deliver(one, { type: 'heartbeat.lapsed' })
  sessions.deliver(three, { type: 'restored' })
  t.same(sessions.census('node'), { registering: 0, online: 1, lapsed: 1, suspended: 1 })
  for (const cell of [one, two]) sessions.deliver(cell, { type: 'said.goodbye', reason: '' })
  sessions.forget(three)
  t.same(sessions.census('node'), { registering: 0, online: 0, lapsed: 0, suspended: 0 })
  t.same(sessions.census('client'), sessions.census('node'))
})

t.test('what a session is told by its own actions comes after them, and others hear at once', async t => {
  const heard: string[] = []
  const note =
    (what: string, then = () => {}) =>
    ({ context }: { context: { slot: number } }) => {
      heard.push(`${sessions.at(context.slot)?.identity.id} ${what}`)
      then()
    }
  const machine = nodeMachine.provide({
    actions: {
      greet: note('greet', () => {
        if (heard.length > 1) return
        sessions.deliver(first, { type: 'socket.lost' })
        sessions.deliver(second, { type: 'admitted' })
      }),
      inform: note('inform'),
      detach: note('detach'),
    },
  })
  const sessions: Sessions = sessionsOf()
  sessions.start({ node: machine, client: machine })
  const first = begin(sessions, 'first')
  const second = begin(sessions, 'second')
  sessions.deliver(first, { type: 'admitted' })
  t.same(heard, [
    'first greet',
    'second greet',
    'second inform',
    'first inform',
    'first detach',
    'first inform',
  ])
  t.equal(sessions.stateOf(first), 'suspended')
  sessions.stop()
})

interface One {
  readonly slot: number
  standing: Standing
}

function sharing(machine: AnyStateMachine) {
  const faults: unknown[] = []
  const shared = new SharedMachine<One, { readonly type: string }>({
    machine,
    root,
    isHere: () => true,
    move: (one, standing) => {
      one.standing = standing
    },
    faulted: (_, error) => faults.push(error),
  })
  return { shared, faults, begin: (slot: number): One => ({ slot, standing: shared.initial }) }
}

const sessionsOf = () =>
  new Sessions({
    clock: new SimulatedClock(),
    timing: { lapseMs: 1_000, silenceMs: 2_000, resumeWindowMs: 60_000 },
    heardMs: () => 0,
    stalled: () => {},
    faulted: (_, error) => t.fail('nobody throws', { error }),
  })

const begin = (sessions: Sessions, id: string): Cell =>
  sessions.begin({
    sessionId: id,
    role: 'node',
    identity: { ...IDENTITY, id },
    startedAtMs: 0,
    incoming: null,
  })
