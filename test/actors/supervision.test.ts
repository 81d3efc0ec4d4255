/**
 * A session that throws is closed alone. Tried in every state of the node, the client and the path, with
 * every event that asks something of the world: the thing asked for throws, and only its session ends.
 */
import t from 'tap'
import { getShortestPaths } from 'xstate/graph'
import { clientMachine } from '../../src/actors/client/client.machine.js'
import type { ClientEvent } from '../../src/actors/client/client.events.js'
import { nodeMachine } from '../../src/actors/node/node.machine.js'
import type { NodeEvent } from '../../src/actors/node/node.events.js'
import { type PathEvent, pathMachine } from '../../src/actors/path/path.machine.js'
import { PathLedger } from '../../src/actors/path/ledger.js'
import { type PathCell, tierOf } from '../../src/actors/path/path-cell.js'
import { Paths } from '../../src/actors/path/paths.js'
import { Whereabouts } from '../../src/actors/path/whereabouts.js'
import type { Cell } from '../../src/actors/session/cell.js'
import { sessionActions } from '../../src/actors/session/session.actions.js'
import { Sessions } from '../../src/actors/session/sessions.js'
import { RelayTable } from '../../src/lanes/relay-table.js'
import { UNKNOWN_NAT } from '../../src/mesh/nat.js'
import { endCell, IDENTITY } from '../support/end-cell.js'
import { SimulatedClock } from '../support/simulated-clock.js'

process.on('uncaughtException', error => t.fail('the process would have ended', { error }))

/** A state of a machine, and the events that lead to it. */
interface Reached {
  readonly state: { readonly value: unknown; readonly status: string }
  readonly steps: readonly { readonly event: { readonly type: string } }[]
}

const MESSAGE = { type: 'route.refused', requestId: 1, code: 'no_candidate', reason: '', unmet: [] } as const
const NODE_EVENTS: readonly NodeEvent[] = [
  { type: 'admitted' },
  { type: 'denied', code: 'overloaded', reason: '' },
  { type: 'restored' },
  { type: 'reattached', by: 'resume' },
  { type: 'socket.lost' },
  { type: 'heartbeat.lapsed' },
  { type: 'heartbeat.returned' },
  { type: 'fell.silent' },
  { type: 'window.closed' },
  { type: 'dismissed', close: 'revoked', reason: '' },
  { type: 'said.goodbye', reason: '' },
  { type: 'asked.renewal' },
  { type: 'places.taken' },
  { type: 'places.freed' },
  { type: 'asked.to.leave' },
  { type: 'probe.begun' },
  { type: 'nat.classified' },
]
const CLIENT_EVENTS: readonly ClientEvent[] = [
  ...(NODE_EVENTS.slice(0, 12) as readonly ClientEvent[]),
  { type: 'route.wanted', requestId: 1, wish: {} },
  { type: 'route.unwanted', routeId: 'r' },
  { type: 'route.given', message: MESSAGE as never },
  { type: 'route.denied', message: MESSAGE, keeps: false },
  { type: 'route.ended', message: null },
]

/** Sessions whose actions throw for one of them, once armed. */
function sessionsThatThrow() {
  const state = { victim: -1, armed: false, threw: 0, faults: [] as Cell[] }
  const bomb = ({ context }: { context: { slot: number } }) => {
    if (!state.armed || context.slot !== state.victim) return
    state.threw++
    throw new Error('our own fault')
  }
  const actions = Object.fromEntries(Object.keys(sessionActions).map(name => [name, bomb])) as never
  const sessions: Sessions = new Sessions({
    clock: new SimulatedClock(),
    timing: { lapseMs: 1_000, silenceMs: 2_000, resumeWindowMs: 60_000 },
    heardMs: () => 0,
    stalled: () => {},
    faulted: cell => state.faults.push(cell),
  })
  sessions.start({ node: nodeMachine.provide({ actions }), client: clientMachine.provide({ actions }) })
  const begin = (id: string, role: 'node' | 'client') =>
    sessions.begin({
      sessionId: id,
      role,
      identity: { ...IDENTITY, id, role },
      startedAtMs: 0,
      incoming: null,
    })
  return { sessions, state, begin }
}

for (const [role, machine, events] of [
  ['node', nodeMachine, NODE_EVENTS],
  ['client', clientMachine, CLIENT_EVENTS],
] as const) {
  t.test(`a ${role} that throws is closed alone, whatever it is doing`, async t => {
    const paths = getShortestPaths(
      machine as never,
      { input: { slot: 0 }, events: events as never } as never,
    ) as readonly Reached[]
    t.ok(paths.length >= 10, `${paths.length} states are reached`)
    let explosions = 0
    for (const { state: reached, steps } of paths) {
      if (reached.status !== 'active') continue
      for (const event of events) {
        const { sessions, state, begin } = sessionsThatThrow()
        const bystander = begin('bystander', role)
        const victim = begin('victim', role)
        state.victim = victim.slot
        for (const { event: step } of steps)
          if (step.type !== 'xstate.init') sessions.deliver(victim, step as NodeEvent)
        sessions.deliver(bystander, { type: 'admitted' })
        state.armed = true
        sessions.deliver(victim, event as NodeEvent)
        const where = `${JSON.stringify(reached.value)} at ${event.type}`
        t.strictSame(
          state.faults.map(cell => cell.sessionId),
          state.threw > 0 ? ['victim'] : [],
          where,
        )
        if (state.threw > 0) t.equal(sessions.byIdentity('victim'), undefined, `${where}: forgotten`)
        explosions += state.threw
        sessions.deliver(bystander, { type: 'heartbeat.lapsed' })
        t.match(bystander.standing, { value: { online: { presence: 'lapsed' } } }, `${where}: bystander`)
      }
    }
    t.ok(explosions > 20, `${explosions} faults were set off`)
  })
}

/** What may happen to a path: an event of its machine, a word of one of its ends, or time. */
type Happening = PathEvent | { readonly type: string; readonly happens: (rig: PathRig) => void }

const word = (type: string, happens: (rig: PathRig) => void) => ({ type, happens })
const account = (outcome: 'direct' | 'failed' | 'lost') =>
  ({ attempt: 1, via: 'udp', outcome, tried: [] }) as const
const SIGNAL = { revision: 1, candidates: ['host 192.0.2.1:4000'] }
const PATH_EVENTS: readonly PathEvent[] = [
  { type: 'ends.ready' },
  { type: 'restored' },
  { type: 'open.expired' },
  { type: 'policy.changed', policy: 'direct-only' },
  { type: 'policy.changed', policy: 'relay-only' },
  { type: 'upgrade.due', via: 'udp' },
  { type: 'upgrade.failed' },
  { type: 'turn.confirmed' },
  { type: 'direct.confirmed' },
  { type: 'way.lost' },
  { type: 'native.lost' },
  { type: 'released', reason: 'over' },
]
const WORDS: readonly Happening[] = [
  word('ready', ({ paths, victim }) => paths.ready(victim.link, victim.node)),
  word('declined', ({ paths, victim }) => paths.declined(victim.link, victim.node, 'no interface')),
  word('signal', ({ paths, victim }) => paths.signalled(victim.link, victim.client, SIGNAL)),
  ...(['direct', 'failed', 'lost'] as const).map(outcome =>
    word(`attempt ${outcome}`, ({ paths, victim }) =>
      paths.attempted(victim.link, victim.client, account(outcome)),
    ),
  ),
  word('return', ({ paths, victim }) => paths.introduceAll(victim.client)),
  word('a NAT is known', ({ paths, victim }) => paths.natChanged(victim.client)),
  word('time', ({ clock }) => clock.advance(700_000)),
]

interface PathRig {
  readonly clock: SimulatedClock
  readonly paths: Paths
  readonly table: RelayTable
  readonly victim: PathCell
  readonly bystander: PathCell
  /** From now on everything that the victim asks of the world throws, once. */
  arm(): void
  disarm(): void
  readonly faults: readonly number[]
  readonly failures: readonly number[]
  /** What the victim's ends heard. */
  readonly said: string[]
}

function pathRig(): PathRig {
  const clock = new SimulatedClock()
  const table = new RelayTable()
  const faults: number[] = []
  const failures: number[] = []
  const said: string[] = []
  let armed = false
  let victimLink = -1
  const bomb = (isVictim: boolean) => {
    if (armed && isVictim) throw new Error('our own fault')
  }
  const ofVictim = (end: Cell) => bomb(end.slot >= 3)
  const paths = new Paths({
    clock,
    ledger: new PathLedger({ clock, keep: () => {} }),
    random: {
      float: () => 0,
      bytes: size => {
        bomb(true)
        return new Uint8Array(size)
      },
    },
    policyOf: end => {
      ofVictim(end)
      return 'auto'
    },
    whereabouts: new Whereabouts({ ear: null, earAt: () => null }),
    natOf: end => {
      ofVictim(end)
      return UNKNOWN_NAT
    },
    rttMs: end => {
      ofVictim(end)
      return null
    },
    moved: ofVictim,
    hasStun: () => true,
    hasTurn: () => true,
    table: {
      join: (a, b) => table.join(a, b),
      restore: (link, a, b) => table.restore(link, a, b),
      carry: (link, carrying) => {
        bomb(link === victimLink)
        table.carry(link, carrying)
      },
      remove: link => table.remove(link),
    },
    openMs: 1_000_000,
    carried: () => {},
    failed: path => {
      bomb(path.link === victimLink)
      failures.push(path.link)
    },
    faulted: path => {
      armed = false
      faults.push(path.link)
    },
  })
  const bystander = paths.open({ routeId: 'b', client: endCell(1), node: endCell(2), exit: false })
  const end = (slot: number) =>
    endCell(slot, ({ type }) => {
      bomb(true)
      said.push(type)
    })
  const victim = paths.open({ routeId: 'v', client: end(3), node: end(4), exit: false })
  victimLink = victim.link
  return {
    clock,
    paths,
    table,
    victim,
    bystander,
    arm: () => {
      said.length = 0
      armed = true
    },
    disarm: () => {
      armed = false
    },
    faults,
    failures,
    said,
  }
}

t.test('a path that throws is closed alone, and its ends are told', async t => {
  const reachable = getShortestPaths(pathMachine, {
    input: { link: 1, policy: 'auto' },
    events: [...PATH_EVENTS],
  }) as readonly Reached[]
  t.ok(reachable.length >= 16, `${reachable.length} states are reached`)
  let explosions = 0
  for (const { state: reached, steps } of reachable) {
    if (reached.status !== 'active') continue
    for (const happening of [...PATH_EVENTS, ...WORDS]) {
      const rig = pathRig()
      const { paths, table, victim, bystander, faults } = rig
      for (const { event: step } of steps)
        if (step.type !== 'xstate.init') paths.tell(victim.link, step as PathEvent)
      rig.arm()
      const where = `${JSON.stringify(reached.value)} at ${happening.type}`
      t.doesNotThrow(
        () =>
          'happens' in happening ? happening.happens(rig) : paths.tell(victim.link, happening as PathEvent),
        where,
      )
      explosions += faults.length
      if (faults.length > 0) {
        t.same(faults, [victim.link], where)
        t.same(rig.failures, [victim.link], `${where}: the coordinator hears of it`)
        t.same(rig.said.filter(type => type === 'path.closed').length, 2, `${where}: both ends are told`)
        t.equal(table.indexOf(victim.link), -1, `${where}: the link is given back`)
      }
      rig.disarm()
      paths.tell(bystander.link, { type: 'ends.ready' })
      t.equal(tierOf(bystander), 'relayed', `${where}: bystander`)
      paths.stop()
    }
  }
  t.ok(explosions >= 150, `${explosions} faults were set off`)
})
