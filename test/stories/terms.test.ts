/** The terms on which a room beside the mesh lets identities in: at each door, and while they are here. */
import t from 'tap'
import { awayText } from '../../src/app/live-line.js'
import type { Denial, Terms } from '../../src/actors/ports.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { CLOSE } from '../../src/protocol/close-codes.js'
import { USUAL_TERMS } from '../../src/mesh/terms.js'
import { numbered } from '../lab/hosts.js'
import { CREDENTIAL, Lab, URL } from '../lab/lab.js'
import { Pair } from '../lab/pair.js'
import type { RawAgent } from '../support/raw-agent.js'
import { routed } from '../support/town.js'

const ENDED: Denial = { code: 'not_entitled', reason: 'tariff Basic has ended', retryAfterMs: 60_000 }

t.test('whom an operator has enrolled registers with the proof of its key alone', async t => {
  const lab = await Lab.start()
  const keys = newKeyPair()
  const wish = { id: 'peer-17', role: 'client', publicKey: keys.publicKey, by: 'anna' } as const
  const outcome = await lab.mesh.enrol(wish)
  t.match(outcome, { ok: true, identity: { id: 'peer-17', overlay4: '10.77.0.2' } })
  t.same(await lab.mesh.enrol(wish), outcome, 'once more is the same identity')
  t.match(await lab.store.auditEvents(1), [{ kind: 'identity.enrolled', actor: 'anna', subject: 'peer-17' }])
  const client = await lab.raw('client', 'peer-17', keys)
  client.say(client.hello())
  await lab.clock.run(100)
  t.match(client.last('registered'), { overlay4: '10.77.0.2/32', generation: 1 })
  t.match(await lab.mesh.enrol(wish), { ok: true, identity: { generation: 1 } }, 'it is known as it is now')
  t.same(await lab.mesh.enrol({ ...wish, publicKey: newKeyPair().publicKey }), {
    ok: false,
    code: 'key_mismatch',
  })
  lab.mesh.revoke('peer-17', { reason: 'sold', actor: 'anna' })
  t.same(await lab.mesh.enrol(wish), { ok: false, code: 'not_authorised' })
})

t.test('who is denied hears why, and for how long, once its key is proven', async t => {
  const { lab, put } = await guarded()
  put('alice', { denial: ENDED })
  const alice = await lab.raw('client', 'alice')
  alice.say(alice.hello({ credential: CREDENTIAL }))
  await lab.clock.run(100)
  t.match(alice.last('refused'), ENDED, 'at first contact')
  t.equal(alice.closedWith, CLOSE.notEntitled.code)
  const stranger = await lab.raw('client', 'alice')
  stranger.say(stranger.hello())
  const again = await lab.raw('client', 'alice', alice.keys)
  again.say(again.hello())
  await lab.clock.run(100)
  t.equal(stranger.last('refused').code, 'key_mismatch', 'a stranger learns nothing of it')
  t.match(again.last('refused'), ENDED)
  t.equal(lab.mesh.client('alice'), null)
  t.match(lab.mesh.stats().denied, { not_entitled: 2 })
  put('alice', {})
  const back = await lab.raw('client', 'alice', alice.keys)
  back.say(back.hello())
  await lab.clock.run(100)
  t.match(back.last('registered'), { generation: 1 })
})

const kinds = {
  not_entitled: CLOSE.notEntitled.code,
  quota_used: CLOSE.quotaUsed.code,
  inactive: CLOSE.inactive.code,
} as const
for (const [code, close] of Object.entries(kinds)) {
  t.test(`a session that is denied with ${code} ends at once, and its peer is told`, async t => {
    const { lab, node, client, link, put } = await routedPair()
    client.say({ type: 'relay.data', link, payload: numbered(1) })
    await lab.clock.run(100)
    t.equal(arrived(node), 1)
    const denial = { code: code as Denial['code'], reason: 'over', retryAfterMs: 5_000 } // a key of the table
    put('alice', { denial })
    t.equal(lab.mesh.client('alice'), null, 'before the call returns')
    t.equal(lab.mesh.stats().relay.links, 0)
    client.say({ type: 'relay.data', link, payload: numbered(2) })
    await lab.clock.run(100)
    t.match(client.last('refused'), denial)
    t.equal(client.closedWith, close)
    t.match(node.last('path.closed'), { link })
    t.equal(arrived(node), 1, 'nothing more of it is relayed')
    const late = await lab.raw('client', 'alice', client.keys)
    late.say({ type: 'resume', ticket: client.last('registered').ticket })
    await lab.clock.run(100)
    t.equal(late.last('refused').code, 'ticket_unknown')
  })
}

t.test('whatever a guard makes of reason and time, agents are told what the wire has room for', async t => {
  const { lab, put } = await guarded()
  const alice = await lab.enrolled('client', 'alice')
  put('alice', { denial: { ...ENDED, reason: 'x'.repeat(1_000), retryAfterMs: Number.POSITIVE_INFINITY } })
  await lab.clock.run(100)
  t.match(alice.last('refused'), { reason: 'x'.repeat(256), retryAfterMs: 0xffff_ffff })
  put('bob', { denial: { ...ENDED, reason: '', retryAfterMs: -0.5 } })
  const bob = await lab.raw('client', 'bob')
  bob.say(bob.hello({ credential: CREDENTIAL }))
  await lab.clock.run(100)
  t.match(bob.last('refused'), { reason: '', retryAfterMs: 0 })
})

t.test('a session that waits for its socket ends too', async t => {
  const { lab, put } = await guarded()
  const client = await lab.enrolled('client', 'alice')
  const { ticket } = client.last('registered')
  client.hangUp()
  await lab.clock.run(100)
  t.match(lab.mesh.client('alice')?.state, 'suspended')
  put('alice', { denial: ENDED })
  t.equal(lab.mesh.client('alice'), null)
  const back = await lab.raw('client', 'alice', client.keys)
  back.say({ type: 'resume', ticket })
  await lab.clock.run(100)
  t.equal(back.last('refused').code, 'ticket_unknown')
})

t.test('who is asked about at a resume or for a route is judged by what holds then', async t => {
  const { lab, quietly } = await guarded()
  const client = await lab.enrolled('client', 'alice')
  const other = await lab.enrolled('client', 'bob')
  const { ticket } = client.last('registered')
  client.hangUp()
  quietly('alice', { denial: ENDED })
  quietly('bob', { denial: ENDED })
  other.say({ type: 'route.request', requestId: 1 })
  const back = await lab.raw('client', 'alice', client.keys)
  back.say({ type: 'resume', ticket })
  await lab.clock.run(100)
  t.match(back.last('refused'), ENDED)
  t.match(other.last('refused'), ENDED)
  t.same([lab.mesh.client('alice'), lab.mesh.client('bob')], [null, null])
})

t.test('sessions of before a restart are looked at when the guard is there again', async t => {
  const { lab, guard, put } = await guarded()
  const alice = await lab.enrolled('client', 'alice')
  await lab.enrolled('client', 'bob')
  await lab.clock.run(1_000)
  put('alice', {})
  lab.crash()
  await lab.boot()
  t.equal(lab.mesh.clients().length, 2)
  put('alice', { denial: ENDED }, false)
  guard()
  t.same(
    lab.mesh.clients().map(({ id }) => id),
    ['bob'],
  )
  const back = await lab.raw('client', 'alice', alice.keys)
  back.say(back.hello())
  await lab.clock.run(100)
  t.match(back.last('refused'), ENDED)
})

t.test('a guard that throws keeps out whom it was asked about, and nobody else', async t => {
  const lab = await Lab.start()
  const stop = lab.mesh.guard(id => {
    if (id === 'alice') throw new Error('out of order')
    return null
  })
  t.throws(() => lab.mesh.guard(() => null), /only one guard/)
  const alice = await lab.enrolled('client', 'alice')
  const bob = await lab.enrolled('client', 'bob')
  t.equal(alice.closedWith, CLOSE.faulted.code)
  t.ok(bob.last('registered'))
  stop()
  const back = await lab.raw('client', 'alice', alice.keys)
  back.say(back.hello())
  await lab.clock.run(100)
  t.ok(back.last('registered'), 'without a guard everyone is let in')
})

t.test('groups of the terms are hard, and a route moves when its node is in none of them', async t => {
  const { lab, put } = await guarded()
  const nodes = await Promise.all(['ams-1', 'fra-1', 'hel-1'].map(id => lab.enrolled('node', id)))
  for (const [i, group] of ['gold', 'silver', 'basic'].entries())
    lab.mesh.steer(lab.mesh.nodes()[i]?.id ?? '', { groups: [group] }, 'eve')
  put('alice', { groups: ['basic', 'silver'] })
  const alice = await lab.enrolled('client', 'alice')
  t.match(lab.mesh.deliberate('alice', {}, 10)?.explanation, {
    qualified: 2,
    excluded: { terms: 1 },
    rejected: [{ nodeId: 'ams-1', reason: 'terms' }],
  })
  const { nodeId } = await routed(lab, alice, nodes, { group: 'silver' })
  t.equal(nodeId, 'fra-1', 'the group of the request holds beside them')
  put('alice', { groups: ['basic', 'gold'] })
  t.equal(lab.mesh.client('alice')?.nodeId, 'fra-1', 'nobody is silver and in one of these: it waits')
  t.match(lab.mesh.explain('alice', 10), { waiting: { cause: 'operator' } })

  const bob = await lab.enrolled('client', 'bob')
  put('bob', { groups: ['basic'] })
  bob.say({ type: 'route.request', requestId: 1 })
  await lab.clock.run(100)
  t.equal(bob.last('route.assigned').nodeId, 'hel-1')
  put('bob', { groups: ['gold'] })
  await lab.clock.run(100)
  t.match(bob.last('route.switched'), { nodeId: 'ams-1', previousLink: bob.last('route.assigned').link })
  put('bob', { groups: ['gold', 'basic'] })
  await lab.clock.run(100)
  t.equal(lab.mesh.client('bob')?.nodeId, 'ams-1', 'where it may stay it stays')

  await lab.live([alice, bob, ...nodes], 61_000)
  t.match(alice.last('route.refused'), {
    code: 'no_candidate',
    reason: 'no node meets what is asked of it now',
    unmet: ['group silver: ruled out 2 of 3', 'one of groups basic, gold: ruled out 1 of 3'],
  })
})

t.test('who is held to a rate sends and is sent so much, while its WireGuard stays up', async t => {
  const { lab, node, client, link, put } = await routedPair()
  const other = await lab.enrolled('client', 'bob')
  const { link: free } = await routed(lab, other, [node])
  put('alice', { bytesPerSecond: 10_000 })
  t.match(client.last('path.open'), { link }, 'not told yet')
  await lab.clock.run(100)
  t.match(client.last('path.open'), { policy: 'relay-only' })
  t.match(node.last('path.open'), { link, policy: 'relay-only' })
  t.match(lab.mesh.path(link), { policy: 'relay-only', reason: 'throttled' })
  t.match(lab.mesh.actor('client/alice'), {
    about: '1 link, held to 10 kB/s',
    context: { terms: { groups: [], bytesPerSecond: 10_000 } },
  })
  node.forget()
  client.forget()
  const data = Buffer.concat([numbered(0), Buffer.alloc(968)])
  const handshake = Buffer.alloc(148)
  handshake[0] = 1
  for (let n = 0; n < 200; n++) {
    client.say(...Array.from({ length: 5 }, () => ({ type: 'relay.data' as const, link, payload: data })))
    node.say(...Array.from({ length: 5 }, () => ({ type: 'relay.data' as const, link, payload: data })))
    other.say({ type: 'relay.data', link: free, payload: data })
    if (n % 50 === 49) client.say({ type: 'relay.data', link, payload: handshake })
    await lab.clock.run(50)
  }
  // Ten seconds of the rate, each way; what was kept for handshakes is theirs.
  const sent = bytesOf(node, link)
  const received = bytesOf(client, link)
  for (const bytes of [sent, received]) t.ok(bytes > 90_000 && bytes <= 101_000, `${bytes} bytes in 10 s`)
  t.equal(node.heard.filter(it => it.type === 'relay.data' && it.payload.length === 148).length, 4)
  t.equal(bytesOf(other, free), 0)
  t.equal(bytesOf(node, free), 200_000, 'nobody else is held back')
  t.ok((lab.mesh.stats().relay.drops['throttled'] ?? 0) > 1_700)
  t.match(client.last('relay.pressure'), { link })

  put('alice', {})
  await lab.clock.run(100)
  node.forget()
  t.notOk(client.last('path.open').policy, 'it may go directly again')
  for (let n = 0; n < 50; n++) client.say({ type: 'relay.data', link, payload: data })
  await lab.clock.run(100)
  t.equal(bytesOf(node, link), 50_000)
  t.match(lab.mesh.client('alice'), { state: 'online', generation: 1, link }, 'in place')
})

t.test('what the relay carries is known at once, and never more than was sent', async t => {
  const { lab, node, client, link } = await routedPair()
  const sizes = [32, 148, 255, 256, 1_300]
  for (const size of sizes)
    client.say({ type: 'relay.data', link, payload: Buffer.alloc(size, Buffer.of(4, 0, 0, 0)) })
  node.say({ type: 'relay.data', link, payload: Buffer.alloc(500, Buffer.of(4, 0, 0, 0)) })
  await lab.clock.run(10)
  const [traffic] = lab.mesh.trafficNow('alice')
  const sent = sizes.reduce((sum, size) => sum + size, 0)
  const relayed = traffic?.bytes.toNode.relayed ?? 0
  t.ok(relayed <= sent && relayed >= sent - sizes.length, `${relayed} of ${sent} bytes`)
  t.match(traffic, { clientId: 'alice', closedAtMs: null, bytes: { toClient: { relayed: 500 } } })
  t.same(lab.mesh.trafficNow('nobody'), [])
})

t.test(
  'who registers again and again, or calls everything a handshake, gets no more than the rate',
  async t => {
    const { lab, node, client, put } = await routedPair()
    put('alice', { bytesPerSecond: 1_000 })
    let alice = client
    const sinceMs = lab.clock.now()
    for (let n = 0; n < 20; n++) {
      const { link } = await routed(lab, alice, [node])
      for (const type of [1, 4]) {
        const payload = Buffer.alloc(1_000, Buffer.of(type, 0, 0, 0))
        for (let i = 0; i < 40; i++) alice.say({ type: 'relay.data', link, payload })
      }
      await lab.clock.run(100)
      alice.say({ type: 'goodbye', reason: 'again' })
      alice = await lab.raw('client', 'alice', client.keys)
      alice.say(alice.hello())
      await lab.clock.run(100)
    }
    const bytes = node.heard.reduce((sum, it) => sum + (it.type === 'relay.data' ? it.payload.length : 0), 0)
    // What is kept for handshakes a new session has at once: less than a registration costs its agent in time.
    const allowed = lab.clock.now() - sinceMs + 20 * 2_048
    t.ok(bytes <= allowed, `${bytes} of ${allowed} bytes in ${lab.clock.now() - sinceMs} ms`)
  },
)

t.test('what never uses the relay cannot be held to a rate, and is not joined meanwhile', async t => {
  const { lab, put } = await guarded()
  await lab.enrolled('node', 'fra-1')
  const alice = await lab.enrolled('client', 'alice', { policy: 'direct-only' })
  alice.say({ type: 'route.request', requestId: 1 })
  await lab.clock.run(100)
  put('alice', { bytesPerSecond: 1_000 })
  await lab.clock.run(100)
  t.equal(lab.mesh.stats().relay.links, 0)
  t.match(alice.last('route.refused'), { code: 'no_candidate' })
  put('alice', {})
  alice.say({ type: 'route.request', requestId: 2 })
  await lab.clock.run(100)
  t.match(alice.last('route.assigned'), { requestId: 2 })
})

t.test('agents of ours are out within a second, at both ends, and come back by themselves', async t => {
  const { lab, put } = await guarded()
  const pair = await Pair.met({ client: {}, node: {} }, lab)
  await pair.until('direct')
  const told: string[] = []
  pair.client.agent.on('offline', ({ reason, retryInMs }) => told.push(`${reason} ${retryInMs}`))
  put('anna', { denial: ENDED })
  const { relay } = lab.mesh.stats()
  await pair.talk(1_000)
  t.same([pair.client.agent.status().links, pair.node.agent.status().links], [[], []])
  const { length } = pair.client.echoes
  await pair.talk(5_000)
  t.equal(pair.client.echoes.length, length, 'and nothing travels')
  t.match(lab.mesh.stats().relay, { packets: relay.packets, links: 0 })
  const status = pair.client.agent.status()
  t.match(status, { state: 'backingOff', refusal: { code: 'not_entitled', retryInMs: 60_000 } })
  t.equal(awayText(status, URL), 'tariff Basic has ended; trying again in 60 s')
  t.same(told, ['tariff Basic has ended 60000'])
  await lab.clock.run(60_000)
  t.equal(told.length, 2, 'it has asked again')
  put('anna', {})
  await lab.clock.run(61_000)
  await pair.until('direct')
  t.equal(pair.client.agent.status().refusal, null)
})

t.test('a direct pair comes back to the relay for a lower rate, and leaves it again, in place', async t => {
  const { lab, put } = await guarded()
  const pair = await Pair.met({ client: {}, node: {} }, lab)
  await pair.until('direct')
  const atMs = lab.clock.now()
  const { sessionId } = lab.mesh.client('anna') ?? {}
  const { link } = pair.path
  put('anna', { bytesPerSecond: 50_000 })
  t.ok((await pair.until('relayed')) < 1_000)
  t.match(pair.path, { link, reason: 'throttled' })
  t.same(pair.client.agent.status().links, [
    { ...pair.client.agent.status().links[0], state: 'relayed', reason: 'throttled' },
  ])
  await pair.talk(30_000)
  t.ok(pair.is('relayed'), 'and stays there')
  put('anna', {})
  t.ok((await pair.until('direct')) < 3_000)
  t.match(lab.mesh.client('anna'), { sessionId, link })
  await pair.hush()
  t.ok(pair.lost(atMs).length <= 1, 'what was under way directly may be lost')
})

t.test('why and explain say what keeps somebody out', async t => {
  const { lab, put } = await guarded()
  const pair = await Pair.met({ client: {}, node: {} }, lab)
  put('anna', { denial: ENDED })
  await pair.talk(1_000)
  t.match(await lab.mesh.why('anna', 'bert'), {
    words: /anna is not let in: tariff Basic has ended \(not_entitled\)$/,
  })
  t.match(lab.mesh.identity('anna'), { state: null, denial: ENDED })
  t.match(lab.mesh.identity('bert'), { denial: null })
})

const arrived = ({ heard }: RawAgent) => heard.filter(({ type }) => type === 'relay.data').length

const bytesOf = ({ heard }: RawAgent, link: number) =>
  heard.reduce((sum, it) => sum + (it.type === 'relay.data' && it.link === link ? it.payload.length : 0), 0)

/** A pair of a client and its node that carries. */
async function routedPair() {
  const house = await guarded()
  const node = await house.lab.enrolled('node', 'fra-1')
  const client = await house.lab.enrolled('client', 'alice')
  const { link } = await routed(house.lab, client, [node])
  return { ...house, node, client, link }
}

/** Returns a lab whose guard knows what is put. */
async function guarded() {
  const lab = await Lab.start()
  const terms = new Map<string, Terms>()
  const guard = () => lab.mesh.guard(id => terms.get(id) ?? null)
  guard()
  const quietly = (id: string, own: Partial<Terms>) => void terms.set(id, { ...USUAL_TERMS, ...own })
  const put = (id: string, own: Partial<Terms>, isTold = true) => {
    quietly(id, own)
    if (isTold) lab.mesh.termsChanged(id)
  }
  return { lab, guard, put, quietly }
}
