/** Who is asked about its NAT, when, and what is made of the answers. */
import t from 'tap'
import { natProbeMachine } from '../../src/actors/nat-probe/nat-probe.machine.js'
import { NatProbes } from '../../src/actors/nat-probe/nat-probes.js'
import type { HearSighting } from '../../src/actors/ports.js'
import type { Cell } from '../../src/actors/session/cell.js'
import { seededRandom } from '../../src/kit/random.js'
import { UNKNOWN_NAT } from '../../src/mesh/nat.js'
import { readEndpoint } from '../../src/protocol/address.js'
import type { Wire, WireOf } from '../../src/protocol/messages.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { walk } from '../support/walk.js'

const REPORT = { planId: 1, tests: [], local: [] }
const wait = (what: string) => ({ type: 'wait', params: { for: what } })

t.test('an agent is asked in its turn, and again after a while', async t => {
  walk(t, natProbeMachine, { identityId: 'alice' }, [
    { when: { type: 'network.changed' }, then: 'idle' },
    { when: { type: 'came', afresh: true }, then: 'planned', asks: [wait('turn')] },
    { when: { type: 'network.changed' }, then: 'planned' },
    { when: { type: 'due' }, then: 'probing', asks: ['stopWaiting', 'sendPlan', wait('report')] },
    {
      when: { type: 'reported', report: REPORT },
      then: 'known',
      asks: ['stopWaiting', 'dropPlan', { type: 'classify', params: { report: REPORT } }, wait('interval')],
    },
    { when: { type: 'reported', report: REPORT }, then: 'known', asks: ['supplement'] },
    { when: { type: 'due' }, then: 'planned', asks: ['stopWaiting', wait('turn')] },
  ])
})

t.test('what is known outlives the socket, unless the agent comes from elsewhere', async t => {
  walk(t, natProbeMachine, { identityId: 'alice' }, [
    { when: { type: 'came', afresh: false }, then: 'known', asks: [wait('interval')] },
    { when: { type: 'went' }, then: 'idle', asks: ['stopWaiting'] },
    { when: { type: 'came', afresh: false }, then: 'known', asks: [wait('interval')] },
    { when: { type: 'came', afresh: true }, then: 'planned', asks: ['stopWaiting', wait('turn')] },
  ])
})

t.test('an agent that says nothing is asked again later, or when it comes back', async t => {
  walk(t, natProbeMachine, { identityId: 'alice' }, [
    { when: { type: 'came', afresh: true }, then: 'planned', asks: ['wait'] },
    { when: { type: 'due' }, then: 'probing', asks: ['stopWaiting', 'sendPlan', 'wait'] },
    {
      when: { type: 'due' },
      then: 'unanswered',
      asks: ['stopWaiting', 'dropPlan', 'noteSilence', wait('interval')],
    },
    { when: { type: 'came', afresh: true }, then: 'planned', asks: ['stopWaiting', wait('turn')] },
  ])
})

t.test('a network that changes while it is probed is probed anew', async t => {
  walk(t, natProbeMachine, { identityId: 'alice' }, [
    { when: { type: 'came', afresh: true }, then: 'planned', asks: ['wait'] },
    { when: { type: 'due' }, then: 'probing', asks: ['stopWaiting', 'sendPlan', 'wait'] },
    {
      when: { type: 'network.changed' },
      then: 'planned',
      asks: ['stopWaiting', 'dropPlan', wait('turn')],
    },
  ])
})

t.test('what an agent reports is laid beside what was seen', async t => {
  const rig = newRig()
  const alice = rig.joins('alice')
  rig.clock.advance(10)
  const plan = alice.plan()
  t.same(plan.servers, rig.servers)
  rig.sees(plan, 0, '198.51.100.7:40000')
  rig.sees(plan, 1, '198.51.100.7:40000')
  rig.probes.reported(alice.cell, {
    planId: plan.planId,
    tests: [
      ['mapping', idOf(plan, 0), '198.51.100.7:40000', 12],
      ['mapping_other_port', idOf(plan, 1), '198.51.100.7:40000', 12],
    ],
    local: ['192.168.1.2:51900'],
  })
  t.match(rig.probes.natOf('alice'), { udp: 'open', mapping: 'port_independent', nat: true, confirmed: true })
  t.match(alice.last('nat.classified'), { planId: plan.planId, mapped4: '198.51.100.7:40000' })
  t.same(rig.progress, ['alice begun', 'alice classified'])
  t.match(rig.probes.stats(), [{ udp: 'open', mapping: 'port_independent', count: 1 }])
})

t.test('a lie is not confirmed', async t => {
  const rig = newRig()
  const alice = rig.joins('alice')
  rig.clock.advance(10)
  const plan = alice.plan()
  rig.sees(plan, 0, '198.51.100.7:40000')
  rig.answers(alice, '198.51.100.99:1')
  t.match(rig.probes.natOf('alice'), { udp: 'unknown', mapped4: null, confirmed: false })
})

t.test('how long a mapping lives comes later, and is kept while the address is', async t => {
  const rig = newRig()
  const alice = rig.joins('alice')
  rig.clock.advance(10)
  rig.answers(alice, '198.51.100.7:40000')
  const { planId } = alice.plan()
  const late: WireOf<'probe.report'>['tests'] = [['lifetime', new Uint8Array(12), '198.51.100.7:40001', 60]]
  rig.probes.reported(alice.cell, { planId, tests: late, local: [] })
  t.equal(rig.probes.natOf('alice').mappingLifetimeS, 60)
  rig.clock.advance(15_000)
  rig.answers(alice, '198.51.100.7:40002')
  t.match(rig.probes.natOf('alice'), { mappingLifetimeS: 60, mapped4: { port: 40_002 } })
  rig.clock.advance(15_000)
  rig.answers(alice, '198.51.100.8:40002')
  t.equal(rig.probes.natOf('alice').mappingLifetimeS, null)
})

t.test(
  'idle mappings are sent to, each when its time is over, and only while the lifetime is not known',
  async t => {
    const rig = newRig(600_000)
    const alice = rig.joins('alice')
    rig.clock.advance(10)
    const plan = alice.plan()
    t.equal(plan.lifetimeS, 120)
    for (const i of [16, 17, 18]) rig.sees(plan, i, '198.51.100.7:40000')
    rig.answers(alice, '198.51.100.7:40000')
    rig.clock.advance(14_000)
    t.same(rig.reminded, [])
    rig.clock.advance(2_000)
    t.same(rig.reminded, [16])
    rig.clock.advance(120_000)
    t.same(rig.reminded, [16, 17, 18])
    const lived: WireOf<'probe.report'>['tests'] = [['lifetime', idOf(plan, 18), '198.51.100.7:40001', 60]]
    rig.probes.reported(alice.cell, { planId: plan.planId, tests: lived, local: [] })
    rig.clock.advance(600_000)
    t.equal(alice.plans().length, 2)
    t.notOk('lifetimeS' in alice.plan())
  },
)

t.test('who cannot answer is not asked', async t => {
  const rig = newRig()
  const old = rig.joins('old', { can: [] })
  rig.clock.advance(60_000)
  t.equal(old.told.length, 0)
  t.same(rig.probes.natOf('old'), UNKNOWN_NAT)
  t.same(rig.probes.stats(), [])
})

t.test('an answer to an older plan is of no use', async t => {
  const rig = newRig()
  const alice = rig.joins('alice')
  rig.clock.advance(10)
  rig.probes.reported(alice.cell, { planId: 999, tests: [], local: [] })
  t.same(rig.progress, ['alice begun'])
})

t.test('when all come at once they are asked one after another', async t => {
  const rig = newRig()
  const agents = Array.from({ length: 100 }, (_, i) => rig.joins(`n${i}`, { remote: `198.51.${i}.7` }))
  rig.clock.advance(250)
  t.equal(agents.filter(agent => agent.told.length > 0).length, 51)
  rig.clock.advance(250)
  t.equal(agents.filter(agent => agent.told.length > 0).length, 100)
})

t.test('agents of one network are asked slower, and keep nobody else waiting', async t => {
  const rig = newRig(600_000)
  const office = Array.from({ length: 10 }, (_, i) => rig.joins(`o${i}`, { remote: `203.0.113.${i}` }))
  const home = rig.joins('home', { remote: '2001:db8:1::7' })
  rig.clock.advance(10)
  t.equal(home.plans().length, 1)
  rig.clock.advance(1_490)
  t.equal(office.filter(agent => agent.told.length > 0).length, 6)
  rig.clock.advance(1_500)
  t.equal(office.filter(agent => agent.told.length > 0).length, 10)
})

t.test('an agent that roams is asked again, one that only came back is not', async t => {
  const rig = newRig()
  const alice = rig.joins('alice')
  rig.clock.advance(10)
  rig.answers(alice, '198.51.100.7:40000')
  rig.probes.told(alice.cell, 'lost')
  rig.probes.told(alice.cell, 'returned')
  rig.clock.advance(20)
  t.equal(alice.plans().length, 1)
  rig.probes.told(alice.cell, 'lost')
  alice.comesFrom('198.51.100.8')
  rig.probes.told(alice.cell, 'returned')
  rig.clock.advance(10_000)
  t.equal(alice.plans().length, 2)
})

t.test('a network that keeps changing is looked at every ten seconds at most', async t => {
  const rig = newRig()
  const alice = rig.joins('alice')
  rig.clock.advance(10)
  for (let i = 0; i < 90; i++) {
    rig.answers(alice, '198.51.100.7:40000')
    rig.probes.networkChanged(alice.cell)
    rig.clock.advance(200)
  }
  t.equal(alice.plans().length, 2)
})

t.test('without a STUN server nobody is asked, until there is one', async t => {
  const rig = newRig()
  rig.servers.length = 0
  const alice = rig.joins('alice')
  rig.clock.advance(1_000)
  t.equal(alice.told.length, 0)
  rig.servers.push('stun:mesh.test:3478')
  rig.clock.advance(3_000)
  t.equal(alice.plans().length, 1)
})

t.test('a session that ends takes its probe with it', async t => {
  const rig = newRig()
  const alice = rig.joins('alice')
  rig.clock.advance(10)
  rig.answers(alice, '198.51.100.7:40000')
  rig.probes.told(alice.cell, 'left')
  t.same(rig.probes.natOf('alice'), UNKNOWN_NAT)
  t.same(rig.probes.stats(), [])
  rig.clock.advance(30_000)
  t.equal(alice.plans().length, 1)
})

t.test('when UDP works for nobody the operator is told once', async t => {
  const rig = newRig()
  for (const id of ['a', 'b', 'c', 'd']) {
    const agent = rig.joins(id)
    rig.clock.advance(300)
    rig.answers(agent, null)
  }
  t.same(rig.warnings, ['no agent gets an answer from the STUN servers: is their UDP port open?'])
})

t.test('a probe that throws ends alone', async t => {
  const rig = newRig()
  const alice = rig.joins('alice', { throws: true })
  const bob = rig.joins('bob')
  rig.clock.advance(300)
  t.same(rig.faults, ['alice'])
  t.same(rig.probes.natOf('alice'), UNKNOWN_NAT)
  t.equal(bob.plans().length, 1)
  rig.probes.told(alice.cell, 'left')
  rig.probes.stop()
  t.equal(rig.clock.waiting, 0)
})

const idOf = (plan: WireOf<'probe.plan'>, i: number): Uint8Array => plan.transactionIds[i] as Uint8Array // plans have 20

interface AgentOptions {
  readonly can?: readonly string[]
  readonly throws?: boolean
  readonly remote?: string
}

interface Agent {
  readonly cell: Cell
  readonly told: readonly Wire[]
  plan(): WireOf<'probe.plan'>
  plans(): readonly Wire[]
  last<N extends Wire['type']>(type: N): WireOf<N>
  comesFrom(remote: string): void
}

function newRig(everyMs = 2_000) {
  const clock = new SimulatedClock()
  const servers = ['stun:mesh.test:3478', 'stun:mesh.test:3479']
  const progress: string[] = []
  const faults: string[] = []
  const reminded: number[] = []
  const warnings: string[] = []
  let hear: HearSighting = () => {}
  const probes = new NatProbes({
    clock,
    random: seededRandom(1),
    everyMs,
    traversal: {
      iceServers: () => [],
      stunServers: () => servers,
      onSighting: to => {
        hear = to
        return () => {}
      },
      onStray: () => () => {},
    },
    progress: (cell, what) => progress.push(`${cell.identity.id} ${what}`),
    faulted: cell => faults.push(cell.identity.id),
    debug: () => {},
    warn: (_, message) => warnings.push(message),
  })
  probes.start()
  return {
    clock,
    servers,
    progress,
    faults,
    reminded,
    warnings,
    probes,
    joins(id: string, options: AgentOptions = {}): Agent {
      const agent = newAgent(id, options)
      probes.told(agent.cell, 'joined')
      return agent
    },
    sees(plan: WireOf<'probe.plan'>, i: number, from: string) {
      const transactionId = Buffer.from(idOf(plan, i)).toString('hex')
      const { address, port } = readEndpoint(from) ?? { address: '', port: 0 }
      hear({ transactionId, address, port, listener: 0 }, () => reminded.push(i))
    },
    /** One mapping test, answered from `mapped`. */
    answers(agent: Agent, mapped: string | null) {
      const plan = agent.plan()
      const tests: WireOf<'probe.report'>['tests'] = [['mapping', idOf(plan, 0), mapped, null]]
      probes.reported(agent.cell, { planId: plan.planId, tests, local: ['192.168.1.2:51900'] })
    },
  }
}

function newAgent(
  id: string,
  { can = ['probe'], throws = false, remote = '198.51.100.7' }: AgentOptions,
): Agent {
  const told: Wire[] = []
  const socket = { remote }
  const line = {
    socket,
    tell: (event: Wire) => {
      if (throws) throw new Error('as asked')
      told.push(event)
    },
  }
  const last = <N extends Wire['type']>(type: N) =>
    told.findLast((event): event is WireOf<N> => event.type === type) as WireOf<N> // the test waits for it
  return {
    cell: { identity: { id, profile: { can } }, role: 'node', line } as unknown as Cell, // what probes look at
    told,
    plan: () => last('probe.plan'),
    plans: () => told.filter(({ type }) => type === 'probe.plan'),
    last,
    comesFrom: remote => {
      socket.remote = remote
    },
  }
}

t.test(
  'what may be an accident is looked at again soon, and believed when it is found again and again',
  async t => {
    const rig = newRig(1_200_000)
    const alice = rig.joins('alice')
    rig.clock.advance(10)
    const silent = () => {
      const { planId, transactionIds } = alice.plan()
      const [id] = transactionIds
      const tests: WireOf<'probe.report'>['tests'] = id === undefined ? [] : [['mapping', id, null, null]]
      rig.probes.reported(alice.cell, { planId, tests, local: [] })
    }
    const plansAfter = [35_000, 70_000, 140_000].map(ms => {
      silent()
      rig.clock.advance(ms)
      return alice.plans().length
    })
    t.match(rig.probes.natOf('alice'), { udp: 'blocked' })
    t.same(plansAfter, [2, 3, 4])
    rig.answers(alice, '198.51.100.7:40000')
    rig.clock.advance(1_000_000)
    t.equal(alice.plans().length, 4, 'what is good stands until the interval is over')
  },
)
