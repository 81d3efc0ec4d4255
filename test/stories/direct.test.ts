/**
 * Pairs that leave the relay, pairs that cannot, and what each is told about it. Every story keeps pinging while
 * things happen: whatever the path does, packets are not to notice for longer than the story says.
 */
import t, { type Test } from 'tap'
import { ATTRIBUTE, METHOD } from '../../src/turn/attributes.js'
import { MessageWriter } from '../../src/turn/writer.js'
import { clientOn, nodeOn, numbered } from '../lab/hosts.js'
import { Lab } from '../lab/lab.js'
import { Pair, type PairOptions } from '../lab/pair.js'
import type { Place } from '../lab/udp-net.js'

const HOME: Place = { nat: ['port'] }
const PHONE: Place = { nat: ['sym'] }
const OPEN: Place = {}
const OFFICE: Place = { nat: ['port'], blocksUdp: true }

/** Long enough for every attempt that a new path makes at once, ms. */
const SETTLED_MS = 12_000
/** A dead direct path is noticed, and the relay carries again, ms. */
const FALLBACK_MS = 2_000
/** An allocation that is not refreshed is over, ms. */
const ALLOCATION_MS = 601_000
/** RFC 8445 §16.1. */
const USE_CANDIDATE = 0x0025
const ICE_CONTROLLING = 0x802a

t.test('two homes behind port-restricted NATs meet within a second and lose nothing', async t => {
  const pair = await met(HOME, HOME)
  t.ok((await pair.until('direct')) < 1_000)
  await pair.talk(5_000)
  await unharmed(t, pair)
  t.match(pair.path, { via: 'udp', reason: null })
})

const DIRECT: readonly (readonly [string, Place, Place])[] = [
  ['a home reaches a node in the open', HOME, OPEN],
  ['a phone on a symmetric NAT reaches an open node', PHONE, OPEN],
  ['a phone on a symmetric NAT reaches a home whose NAT filters by address', PHONE, { nat: ['addr'] }],
  [
    'two homes behind NATs of their own and of their carriers’',
    { nat: ['port', 'port'] },
    { nat: ['addr', 'port'] },
  ],
  ['NATs that keep no port', { nat: [{ kind: 'port', preservesPort: false }] }, HOME],
  ['two symmetric NATs with IPv6 on both sides', { nat: ['sym'], v6: true }, { nat: ['sym'], v6: true }],
]

for (const [what, client, node] of DIRECT) {
  t.test(`direct: ${what}`, async t => {
    const pair = await met(client, node)
    await pair.until('direct')
    await pair.talk(SETTLED_MS)
    t.ok(pair.is('direct'))
    await unharmed(t, pair)
  })
}

t.test('a port that the router forwards lets a phone in behind a NAT that maps per destination', async t => {
  const office: Place = { nat: ['sym'], forwards: 51_820 }
  for (const turn of [true, false]) {
    const pair = await met(PHONE, office, { turn })
    await pair.until('direct')
    await pair.talk(SETTLED_MS)
    t.ok(pair.is('direct'))
    await unharmed(t, pair)
  }
})

const RELAYED: readonly (readonly [string, Place, Place, string])[] = [
  ['two symmetric NATs', PHONE, PHONE, 'symmetric_both'],
  ['a phone on a symmetric NAT and a home that filters by port', PHONE, HOME, 'symmetric_restricted'],
  ['a home whose carrier maps per destination', { nat: ['port', 'sym'] }, HOME, 'symmetric_restricted'],
]

for (const [what, client, node, reason] of RELAYED) {
  t.test(`by TURN: ${what}, and the ledger says ${reason}`, async t => {
    const pair = await met(client, node)
    await pair.until('turned')
    await pair.talk(SETTLED_MS)
    t.match(pair.path, { tier: 'turned', via: 'udp', reason })
    await unharmed(t, pair)
  })
  t.test(`by the relay when TURN is off: ${what}, and the ledger says ${reason}`, async t => {
    const pair = await met(client, node, { turn: false })
    await pair.talk(SETTLED_MS)
    t.match(pair.path, { tier: 'relayed', via: 'websocket', reason })
    await unharmed(t, pair)
  })
}

t.test('an office that blocks UDP stays on the relay, and the ledger says udp_blocked', async t => {
  const pair = await met(OFFICE, OPEN)
  await pair.talk(2 * SETTLED_MS)
  t.match(pair.path, { tier: 'relayed', reason: 'udp_blocked' })
  await unharmed(t, pair)
})

t.test('two laptops in one office that lets no UDP out talk by their addresses there', async t => {
  const lab = await Lab.start()
  const lan = lab.router({ nat: ['port'], blocksUdp: true })
  const pair = await Pair.met({ client: { behind: lan }, node: { behind: lan } }, lab)
  await pair.until('direct')
  await pair.talk(SETTLED_MS)
  t.ok(pair.is('direct'))
  await unharmed(t, pair)
})

t.test('two laptops in one LAN talk by their addresses there, whatever its router is like', async t => {
  const lab = await Lab.start()
  const lan = lab.router({ nat: ['sym'] })
  const pair = await Pair.met({ client: { behind: lan }, node: { behind: lan } }, lab)
  await pair.until('direct')
  await unharmed(t, pair)
  pair.lab.internet.udp.cut('mesh.test')
  const atMs = pair.lab.clock.now()
  await pair.talk(10_000)
  t.same(pair.lost(atMs), [], 'nothing of it leaves the LAN')
  t.ok(pair.is('direct'))
})

t.test('two homes behind the NAT of one carrier meet when it hairpins', async t => {
  const neighbours = async (hairpin: boolean) => {
    const lab = await Lab.start({ turn: false })
    const home: Place = { nat: ['port'], behind: lab.router({ nat: [{ kind: 'port', hairpin }] }) }
    return Pair.met({ client: home, node: home }, lab)
  }
  const near = await neighbours(true)
  await near.until('direct')
  const far = await neighbours(false)
  await far.talk(SETTLED_MS)
  t.match(far.path, { tier: 'relayed', reason: 'punch_timeout' })
})

t.test('the direct path is cut: the relay carries again, and later attempts rest longer', async t => {
  const pair = await met(HOME, HOME, { turn: false })
  await pair.until('direct')
  const { lab } = pair
  const cutMs = lab.clock.now()
  lab.internet.udp.cut('anna', 'bert')
  await pair.until('relayed', FALLBACK_MS)
  t.match(pair.path, { tier: 'relayed', reason: 'direct_lost' })
  const backMs = lab.clock.now()
  await pair.talk(300_000, 200)
  t.same(pair.lost(backMs), [])
  t.match(pair.path, { tier: 'relayed', reason: 'punch_timeout' })
  const starts = pair.told('path.punch').filter(atMs => atMs > cutMs)
  const rests = starts.slice(1).map((atMs, i) => atMs - (starts[i] as number)) // the one before
  t.ok(rests.length >= 3, `${rests.length} further attempts`)
  t.same(
    rests,
    [...rests].sort((a, b) => a - b),
    `rests of ${rests.join(', ')} ms`,
  )
  lab.internet.udp.heal('anna', 'bert')
  await pair.until('direct', 600_000)
})

t.test('the phone roams to another network, and the path comes back', async t => {
  const pair = await met(HOME, OPEN)
  await pair.until('direct')
  pair.client.move(PHONE)
  await pair.talk(FALLBACK_MS)
  const backMs = pair.lab.clock.now()
  await pair.until('direct', 3_000)
  await pair.talk(5_000)
  await pair.hush()
  t.same(pair.lost(backMs), [])
})

t.test('the router of a home gets another address, and the path comes back by itself', async t => {
  const pair = await met(HOME, HOME)
  await pair.until('direct')
  pair.lab.internet.udp.rebind('bert')
  await pair.talk(FALLBACK_MS)
  const backMs = pair.lab.clock.now()
  await pair.until('direct', 60_000)
  await pair.talk(5_000)
  await pair.hush()
  t.same(pair.lost(backMs), [])
})

t.test('the coordinator restarts while a pair is direct: packets go on without it', async t => {
  const pair = await met(HOME, HOME)
  await pair.until('direct')
  const { lab } = pair
  const atMs = lab.clock.now()
  lab.crash()
  await pair.talk(5_000)
  t.same(pair.tiers, ['direct', 'direct'])
  await lab.boot()
  await pair.until('direct', 20_000)
  await pair.talk(20_000)
  await pair.hush()
  t.same(pair.lost(atMs), [])
  t.ok(pair.is('direct'))
})

t.test('the coordinator restarts in good order while a pair is direct', async t => {
  const pair = await met(HOME, HOME)
  await pair.until('direct')
  const atMs = pair.lab.clock.now()
  const talking = pair.talk(30_000)
  await pair.lab.restart({ spreadMs: 2_000 })
  await talking
  await pair.hush()
  t.same(pair.lost(atMs), [])
  t.ok(pair.is('direct'))
})

t.test('an end that says relay-only shows no address, and is shown none', async t => {
  const lab = await Lab.start()
  const heard: string[] = []
  lab.internet.overhear((_, message) => void heard.push(Buffer.from(message).toString('latin1')))
  const pair = await Pair.met({ client: OPEN, node: OPEN, policies: { node: 'relay-only' } }, lab)
  await pair.talk(SETTLED_MS)
  t.match(pair.path, { tier: 'relayed', reason: 'policy_relay_only' })
  t.same(
    heard.filter(message => /(?:host|srflx|prflx|relay) [\d.]+:/.test(message)),
    [],
  )
  await unharmed(t, pair)
})

t.test('an end that says direct-only is never relayed, not even while the path begins', async t => {
  const pair = await met(HOME, HOME, { policies: { client: 'direct-only' } })
  await pair.until('direct')
  await pair.talk(5_000)
  t.equal(pair.lab.mesh.stats().relay.packets, 0)
  pair.lab.internet.udp.cut('anna', 'bert')
  await pair.talk(10_000)
  t.equal(pair.lab.mesh.stats().relay.packets, 0)
  t.match(pair.path, { tier: 'waiting', reason: 'policy_direct_only' })
})

t.test('an end that says direct-only uses no TURN server either', async t => {
  const pair = await met(PHONE, PHONE, { policies: { client: 'direct-only' } })
  await pair.talk(SETTLED_MS)
  t.ok(pair.is('waiting'))
  t.match(pair.path, { reason: 'policy_direct_only' })
  t.equal(pair.lab.traversal.allocations, 0)
  t.equal(pair.client.echoes.length, 0)
})

t.test('mappings that live for 20 s only: an idle path stays alive', async t => {
  const short: Place = { nat: [{ kind: 'port', lifetimeMs: 20_000 }] }
  const pair = await met(short, short)
  await pair.until('direct')
  await pair.lab.clock.run(600_000)
  const atMs = pair.lab.clock.now()
  await pair.talk(2_000)
  await pair.hush()
  t.same(pair.lost(atMs), [])
  t.ok(pair.is('direct'))
})

t.test('one packet in ten is lost: the path stays direct', async t => {
  const pair = await met(HOME, HOME)
  await pair.until('direct')
  pair.lab.internet.udp.loss = 0.1
  const atMs = pair.lab.clock.now()
  await pair.talk(60_000)
  t.ok(pair.is('direct'))
  const lost = pair.lost(atMs).length / 3_000
  t.ok(lost < 0.25, `${(100 * lost).toFixed(1)} % of the round trips are lost`)
})

t.test('an agent that ends is taken down everywhere: nothing is sent to where it was', async t => {
  const pair = await met(HOME, OPEN)
  await pair.until('direct')
  await pair.client.agent.stop()
  await pair.lab.clock.run(1_000)
  t.match(pair.node.agent.status().links, [])
  t.equal(pair.lab.traversal.allocations, 0)
})

t.test('the node’s process is killed and comes back: the path is direct again', async t => {
  const pair = await met(HOME, HOME)
  await pair.until('direct')
  pair.node.crash()
  await pair.lab.clock.run(500)
  pair.node.boot()
  await pair.talk(FALLBACK_MS)
  const backMs = pair.lab.clock.now()
  await pair.until('direct', 10_000)
  await pair.talk(5_000)
  await pair.hush()
  t.same(pair.lost(backMs), [])
})

t.test('the coordinator is away for an hour, and what is direct does not need it', async t => {
  const pair = await met(HOME, HOME)
  await pair.until('direct')
  const atMs = pair.lab.clock.now()
  pair.lab.crash()
  await pair.talk(3_600_000, 4_000)
  await pair.hush()
  t.same(pair.lost(atMs), [])
  t.same(pair.tiers, ['direct', 'direct'])
})

t.test('a phone by TURN comes home: the path is direct', async t => {
  const pair = await met(PHONE, HOME)
  await pair.until('turned')
  pair.client.move(HOME)
  await pair.talk(FALLBACK_MS)
  await pair.until('direct')
  await pair.lab.clock.run(ALLOCATION_MS)
  t.equal(pair.lab.traversal.allocations, 0, 'and nobody keeps its place on the TURN server')
})

t.test('a path by TURN outlives its credentials, its permissions and its channels', async t => {
  const pair = await met(PHONE, PHONE)
  await pair.until('turned')
  const atMs = pair.lab.clock.now()
  await pair.talk(90 * 60_000, 4_000)
  await pair.hush()
  t.same(pair.lost(atMs), [])
  t.ok(pair.is('turned'))
})

t.test(
  'the TURN server is gone with the coordinator: after its return the pair is carried, then turned',
  async t => {
    const pair = await met(PHONE, PHONE)
    await pair.until('turned')
    pair.lab.crash()
    await pair.talk(1_000)
    await pair.lab.boot()
    await pair.client.firstEchoMs(10_000)
    const backMs = pair.lab.clock.now()
    await pair.until('turned', 120_000)
    await pair.talk(5_000)
    await pair.hush()
    t.same(pair.lost(backMs), [])
  },
)

t.test('the TURN server falls silent: the relay carries, and the NATs are still the reason', async t => {
  const pair = await met(PHONE, PHONE)
  await pair.until('turned')
  await pair.talk(SETTLED_MS)
  pair.lab.internet.udp.cut('mesh.test')
  await pair.until('relayed', FALLBACK_MS)
  t.match(pair.path, { reason: 'symmetric_both' })
  const backMs = pair.lab.clock.now()
  await pair.talk(2 * SETTLED_MS)
  t.match(pair.path, { tier: 'relayed', reason: 'symmetric_both' })
  await pair.hush()
  t.same(pair.lost(backMs), [])
})

t.test(
  'UDP fails while the NAT is looked at: it is looked at again soon, and the path is direct',
  async t => {
    const lab = await Lab.start()
    lab.host('anna', HOME)
    lab.internet.udp.cut('anna')
    const pair = await Pair.met({ client: HOME, node: HOME }, lab)
    await pair.talk(2 * SETTLED_MS)
    t.match(pair.path, { tier: 'relayed', reason: 'udp_blocked' })
    lab.internet.udp.heal('anna')
    await pair.until('direct', 120_000)
  },
)

t.test(
  'a router is rebound while its NAT is looked at: it is looked at again soon, and taken for what it is',
  async t => {
    const pair = await met(HOME, HOME)
    pair.lab.internet.udp.rebind('anna')
    await pair.talk(120_000, 200)
    t.match(pair.lab.mesh.clients(), [{ nat: { mapping: 'endpoint_independent' } }])
    t.ok(pair.is('direct'))
  },
)

t.test('one socket serves the links to many: thirty homes reach a node behind its own NAT', async t => {
  const lab = await Lab.start()
  const pairs: Pair[] = []
  lab.host('fra-1', HOME)
  const node = await nodeOn(lab, 'fra-1')
  for (let n = 0; n < 30; n++) {
    const name = `home-${n}`
    lab.host(name, HOME)
    const client = await clientOn(lab, name)
    await client.routed()
    pairs.push(new Pair(lab, client, node))
  }
  await lab.clock.run(3_000)
  for (const pair of pairs) await pair.talk(100)
  await lab.clock.run(200)
  t.same(
    pairs.filter(pair => !pair.is('direct') || pair.lost().length > 0).map(({ client }) => client.name),
    [],
  )
  t.equal(lab.mesh.stats().relay.packets, 0)
})

t.test('a stranger’s datagrams change nothing, whatever they look like', async t => {
  const pair = await met(OPEN, OPEN)
  await pair.until('direct')
  const { lab, client } = pair
  lab.host('mallory', OPEN)
  const mallory = await lab.internet.datagramsFrom('mallory')(() => {})
  const at = client.agent.status().links[0]
  const echoes = client.echoes.length
  for (const target of lab.internet.udp.socketsOf('anna').concat(lab.internet.udp.socketsOf('bert'))) {
    mallory.send(numbered(7), target)
    mallory.send(Buffer.alloc(0), target)
    for (const username of [`${at?.link}:1`, `${at?.link}:2`, 'nobody'])
      for (const key of [Buffer.alloc(32), Buffer.alloc(32, 1)]) mallory.send(checkOf(username, key), target)
  }
  await lab.clock.run(1_000)
  t.equal(client.echoes.length, echoes)
  await pair.talk(2_000)
  t.ok(pair.is('direct'))
  await unharmed(t, pair)
})

async function met(
  client: Place,
  node: Place,
  options: Omit<PairOptions, 'client' | 'node'> = {},
): Promise<Pair> {
  return Pair.met({ client, node, ...options })
}

/** What it went through cost no packet, and none came twice. */
async function unharmed(t: Test, pair: Pair): Promise<void> {
  await pair.hush()
  t.same(pair.lost(), [])
  t.same(pair.repeated, [])
}

/** Returns a check as an end would make it that has this key. */
const checkOf = (username: string, key: Buffer): Buffer =>
  new MessageWriter('request', METHOD.binding, Buffer.alloc(12, 7))
    .addText(ATTRIBUTE.username, username)
    .add(USE_CANDIDATE, Buffer.alloc(0))
    .add(ICE_CONTROLLING, Buffer.alloc(8))
    .sign({ algorithm: 'sha256', key })
    .addFingerprint()
    .finish()
