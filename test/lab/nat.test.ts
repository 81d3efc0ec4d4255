/** The NATs of the lab are what they are called: our own STUN server says so (RFC 5780 §4.3 to §4.6). */
import t, { type Test } from 'tap'
import { seededRandom } from '../../src/kit/random.js'
import { endpointText } from '../../src/protocol/address.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { CoordinatorTraversal } from './coordinator-traversal.js'
import { Internet } from './internet.js'
import type { Dependence } from './nat.js'
import { Prober, V4, V6 } from './prober.js'
import type { Place } from './udp-net.js'

const EIM = 'endpoint_independent'
const ADM = 'address_dependent'
const APDM = 'address_and_port_dependent'

interface Classified {
  readonly mapping: Dependence
  readonly filtering: Dependence
  readonly translated: boolean
  readonly preserved: boolean
  readonly hairpin: boolean
}

const KINDS: readonly (readonly [Place, Partial<Classified>])[] = [
  [{}, { mapping: EIM, filtering: EIM, translated: false, preserved: true, hairpin: true }],
  [{ nat: ['full'] }, { mapping: EIM, filtering: EIM, translated: true, preserved: true, hairpin: false }],
  [{ nat: ['addr'] }, { mapping: EIM, filtering: ADM, preserved: true }],
  [{ nat: ['port'] }, { mapping: EIM, filtering: APDM, preserved: true }],
  [{ nat: ['adm'] }, { mapping: ADM, filtering: ADM, preserved: false }],
  [{ nat: ['sym'] }, { mapping: APDM, filtering: APDM, preserved: false }],
  [{ nat: [{ kind: 'port', preservesPort: false }] }, { mapping: EIM, filtering: APDM, preserved: false }],
  [{ nat: [{ kind: 'full', hairpin: true }] }, { filtering: EIM, hairpin: true }],
  [{ nat: ['port', 'port'] }, { mapping: EIM, filtering: APDM }],
  [{ nat: ['full', 'port'] }, { mapping: EIM, filtering: APDM }],
  [{ nat: ['addr', 'full'] }, { mapping: EIM, filtering: ADM }],
  [{ nat: ['port', 'sym'] }, { mapping: APDM, filtering: APDM }],
  [{ nat: ['sym', 'full'] }, { mapping: APDM, filtering: APDM }],
]

for (const [place, wanted] of KINDS) {
  t.test(`a host behind ${JSON.stringify(place.nat ?? 'nothing')} is classified as that`, async t => {
    const { prober, open } = await begun(t, place)
    t.match(await classify(prober, await open('anna')), wanted)
  })
}

t.test('where UDP is blocked no answer comes', async t => {
  const { prober } = await begun(t, { blocksUdp: true })
  t.equal(await prober.binding(), null)
})

t.test(
  'an IPv6 host shows its own address, behind a firewall that lets in only what was asked for',
  async t => {
    const { prober, open } = await begun(t, { nat: ['sym'], v6: true })
    t.match(await classify(prober, await open('anna'), V6), {
      mapping: EIM,
      filtering: APDM,
      translated: false,
      preserved: true,
    })
  },
)

t.test('a mapping is gone after its lifetime, and traffic keeps it', async t => {
  const { prober, wait } = await begun(t, {
    nat: [{ kind: 'port', preservesPort: false, lifetimeMs: 10_000 }],
  })
  const mapped = await prober.binding()
  for (let n = 0; n < 5; n++) {
    await wait(9_000)
    t.same(await prober.binding(), mapped)
  }
  await wait(10_001)
  t.notSame(await prober.binding(), mapped)
})

t.test('a router that gets another address has forgotten its mappings', async t => {
  const { prober, net } = await begun(t, { nat: ['port'] })
  const before = await prober.binding()
  net.rebind('anna')
  const after = await prober.binding()
  t.not(after?.address, before?.address)
})

t.test('two hosts with the same port behind one router are told apart', async t => {
  const { net, open } = await begun(t, {})
  const router = net.router({ nat: ['port'] })
  net.place('bert', { behind: router })
  net.place('carl', { behind: router })
  const [bert, carl] = [await open('bert'), await open('carl')]
  const mapped = [await bert.binding(), await carl.binding()]
  t.equal(mapped[0]?.address, mapped[1]?.address)
  t.not(mapped[0]?.port, mapped[1]?.port)
  bert.say('over the LAN', carl.local())
  await bert.wait(10)
  t.same(carl.heard, [`over the LAN from ${endpointText(bert.local())}`])
})

t.test('UDP of one pair is cut, and others do not notice', async t => {
  const { prober: anna, net, open } = await begun(t, {})
  net.place('bert', {})
  const bert = await open('bert')
  net.cut('anna', 'bert')
  anna.say('one', bert.local())
  t.not(await anna.binding(), null)
  net.heal('anna', 'bert')
  anna.say('two', bert.local())
  await anna.wait(50)
  t.same(bert.heard, [`two from ${endpointText(anna.local())}`])
})

t.test('the core loses as many as it is told to', async t => {
  const { prober: anna, net, open } = await begun(t, {})
  net.place('bert', {})
  const bert = await open('bert')
  net.loss = 0.25
  for (let n = 0; n < 1_000; n++) anna.say('one', bert.local())
  await anna.wait(50)
  t.ok(bert.heard.length > 700 && bert.heard.length < 800, `${bert.heard.length} of 1000 arrived`)
})

t.test('a host that moves keeps its sockets, under other addresses', async t => {
  const { prober, net } = await begun(t, { nat: ['port'] })
  const before = await prober.binding()
  net.place('anna', { nat: ['sym'] })
  const after = await prober.binding()
  t.not(after?.address, before?.address)
})

/** `other` is a second socket of the same host, so far unused. */
async function classify(prober: Prober, other: Prober, first = V4): Promise<Classified> {
  const own = prober.datagrams?.local().at(first === V4 ? 0 : -1)
  const outside = await prober.binding(first)
  if (own === undefined || outside === null) throw new Error('UDP is blocked')
  return {
    mapping: await prober.mapping(first),
    filtering: await other.filtering(first),
    translated: outside.address !== own.address,
    preserved: outside.port === own.port,
    hairpin: await prober.hairpin(outside),
  }
}

async function begun(t: Test, place: Place) {
  const clock = new SimulatedClock()
  const internet = new Internet({ clock })
  const traversal = new CoordinatorTraversal({
    clock,
    random: seededRandom(2),
    net: internet.udp,
    host: 'mesh.test',
    turn: true,
    allowed: () => true,
  })
  t.teardown(() => traversal.stop())
  const wait = (ms: number) => clock.run(ms)
  const open = async (name: string) => {
    const prober = new Prober(traversal.listeners, wait)
    prober.datagrams = await internet.datagramsFrom(name)((datagram, from) => prober.take(datagram, from))
    return prober
  }
  internet.udp.place('anna', place)
  return { net: internet.udp, open, wait, prober: await open('anna') }
}
