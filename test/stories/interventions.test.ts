/** What an operator does to one identity: kick, revoke, re-probe. */
import t from 'tap'
import { MeshNode } from '../../src/agent/index.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { CLOSE } from '../../src/protocol/close-codes.js'
import { CREDENTIAL, Lab, URL } from '../lab/lab.js'

const BY = { reason: 'maintenance', actor: 'eve' }

t.test('who is kicked is out at once with its routes, and may register anew', async t => {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1')
  const client = await lab.enrolled('client', 'alice')
  client.say({ type: 'route.request', requestId: 1 })
  await lab.clock.run(100)
  t.same(lab.mesh.kick('alice', { ...BY, forMs: 0 }), {
    id: 'alice',
    role: 'client',
    ended: true,
    refusedForMs: 0,
  })
  await lab.clock.run(100)
  t.equal(client.closedWith, CLOSE.kicked.code)
  t.match(node.last('path.closed'), { link: client.last('route.assigned').link })
  t.equal(lab.mesh.client('alice'), null)

  const stale = await lab.raw('client', 'alice', client.keys)
  stale.say({ type: 'resume', ticket: client.last('registered').ticket })
  await lab.clock.run(100)
  t.equal(stale.last('refused').code, 'ticket_unknown')
  const back = await lab.raw('client', 'alice', client.keys)
  back.say(back.hello())
  await lab.clock.run(100)
  t.match(back.last('registered'), { overlay4: client.last('registered').overlay4 })
  t.match(await audited(lab, 'session.kicked'), [
    { actor: 'eve', subject: 'alice', detail: { reason: 'maintenance', forMs: 0, ended: true } },
  ])
})

t.test('who is kept away hears for how long, once its key is proven, and then comes back', async t => {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1')
  lab.mesh.kick('fra-1', { ...BY, forMs: 60_000 })
  await lab.clock.run(10_000)
  const stranger = await lab.raw('node', 'fra-1')
  stranger.say(stranger.hello())
  const early = await lab.raw('node', 'fra-1', node.keys)
  early.say(early.hello())
  await lab.clock.run(100)
  t.equal(stranger.last('refused').code, 'key_mismatch', 'a stranger learns nothing of it')
  const { code, retryAfterMs = 0 } = early.last('refused')
  t.equal(code, 'kept_away')
  t.ok(retryAfterMs > 45_000 && retryAfterMs <= 50_000, `${retryAfterMs} ms`)
  t.equal(early.closedWith, CLOSE.tryLater.code)
  t.equal(lab.mesh.stats().denied['kept_away'], 1)
  await lab.clock.run(retryAfterMs)
  const back = await lab.raw('node', 'fra-1', node.keys)
  back.say(back.hello())
  await lab.clock.run(100)
  t.match(back.last('registered'), { generation: 2 })
})

t.test('whoever is away can be kept away, and let in again', async t => {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1')
  node.say({ type: 'goodbye', reason: 'off' })
  await lab.clock.run(100)
  t.match(lab.mesh.kick('fra-1', { ...BY, forMs: 60_000 }), { ended: false, refusedForMs: 60_000 })
  t.match(lab.mesh.kick('fra-1', { ...BY, forMs: 0 }), { ended: false, refusedForMs: 0 })
  const back = await lab.raw('node', 'fra-1', node.keys)
  back.say(back.hello())
  await lab.clock.run(100)
  t.ok(back.last('registered'))
  t.equal(lab.mesh.kick('nobody', { ...BY, forMs: 0 }), null)
})

t.test('an agent of ours that is kicked comes back by itself, after the time it is kept away', async t => {
  const lab = await Lab.start()
  const { privateKey } = newKeyPair()
  const node = new MeshNode({
    url: URL,
    id: 'fra-1',
    privateKey,
    credential: CREDENTIAL,
    dial: lab.internet.dialFrom('fra-1'),
    clock: lab.clock,
    random: lab.random,
  })
  void node.start()
  await lab.clock.run(1_000)
  const first = node.status().session
  lab.mesh.kick('fra-1', { ...BY, forMs: 30_000 })
  await lab.clock.run(20_000)
  t.match(node.status(), { state: 'backingOff', reason: /keeps this identity away/ })
  await lab.clock.run(20_000)
  t.equal(node.status().state, 'online')
  t.not(node.status().session?.sessionId, first?.sessionId)
  t.equal(node.status().session?.overlay4, first?.overlay4)
  await node.stop()
})

t.test('who is revoked never comes back, and its addresses are given to nobody', async t => {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1')
  t.match(lab.mesh.revoke('fra-1', BY), { id: 'fra-1', role: 'node', ended: true })
  await lab.clock.run(100)
  t.equal(node.closedWith, CLOSE.revoked.code)
  const { revokedAtMs } = lab.mesh.identity('fra-1') ?? {}
  t.match(lab.mesh.revoke('fra-1', BY), { ended: false, revokedAtMs }, 'again: it stays as it was')
  const other = await lab.enrolled('node', 'ams-1')
  t.not(other.last('registered').overlay4, node.last('registered').overlay4)
  const renamed = await lab.raw('node', 'fra-2', node.keys)
  renamed.say(renamed.hello({ credential: CREDENTIAL }))
  await lab.clock.run(100)
  t.equal(renamed.last('refused').code, 'key_in_use')
  t.match(await audited(lab, 'identity.revoked'), [
    { actor: 'eve', subject: 'fra-1', detail: { reason: 'maintenance' } },
  ])
})

t.test('a re-probe asks about the NAT anew and tries paths again', async t => {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1', { can: ['probe', 'udp'] })
  const plain = await lab.enrolled('node', 'ams-1')
  await lab.live([node, plain], 60_000)
  const plans = () => node.names().filter(name => name === 'probe.plan').length
  const before = plans()
  t.same(lab.mesh.reprobe('fra-1', 'eve'), { id: 'fra-1', role: 'node', probe: 'asked', paths: 0 })
  await lab.live([node, plain], 11_000)
  t.equal(plans(), before + 1)
  t.match(lab.mesh.reprobe('ams-1', 'eve'), { probe: 'cannot' })
  node.hangUp()
  await lab.clock.run(100)
  t.match(lab.mesh.reprobe('fra-1', 'eve'), { probe: 'away' })
  t.equal(lab.mesh.reprobe('nobody', 'eve'), null)
  t.match(await audited(lab, 'session.reprobed'), [{ subject: 'fra-1' }, { subject: 'ams-1' }, {}])
})

async function audited(lab: Lab, kind: string) {
  await lab.clock.run(1_000)
  return (await lab.store.auditEvents(100)).filter(event => event.kind === kind)
}
