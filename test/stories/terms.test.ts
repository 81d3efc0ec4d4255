/** The terms on which a room beside the mesh lets identities in: at each door, and while they are here. */
import t from 'tap'
import type { Denial, Terms } from '../../src/actors/ports.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { CLOSE } from '../../src/protocol/close-codes.js'
import { USUAL_TERMS } from '../../src/mesh/terms.js'
import { numbered } from '../lab/hosts.js'
import { CREDENTIAL, Lab } from '../lab/lab.js'
import type { RawAgent } from '../support/raw-agent.js'

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
    const { lab, put } = await guarded()
    const node = await lab.enrolled('node', 'fra-1')
    const client = await lab.enrolled('client', 'alice')
    client.say({ type: 'route.request', requestId: 1 })
    await lab.clock.run(100)
    const { link } = client.last('route.assigned')
    for (const end of [node, client]) end.say({ type: 'path.ready', link })
    await lab.clock.run(100)
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

const arrived = ({ heard }: RawAgent) => heard.filter(({ type }) => type === 'relay.data').length

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
