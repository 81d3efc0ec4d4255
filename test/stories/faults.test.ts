import t from 'tap'
import { CLOSE } from '../../src/protocol/close-codes.js'
import { CREDENTIAL, Lab } from '../lab/lab.js'

t.test('a session whose socket throws is closed alone, and its agent comes back', async t => {
  const lab = await Lab.start()
  const bystander = await lab.enrolled('node', 'ams-1')
  const victim = await lab.enrolled('node', 'fra-1')
  const opened = lab.mesh.intake.opened.bind(lab.mesh.intake)
  // The next socket of the victim throws when the session answers it.
  lab.mesh.intake.opened = socket => {
    let sent = 0
    return opened({
      remote: socket.remote,
      buffered: () => socket.buffered(),
      close: (code, reason) => socket.close(code, reason),
      send: bytes => {
        if (++sent === 2) throw new Error('our own fault')
        return socket.send(bytes)
      },
    })
  }
  const unlucky = await lab.raw('node', 'fra-1', victim.keys)
  unlucky.say(unlucky.hello())
  await lab.clock.run(100)
  t.equal(unlucky.closedWith, CLOSE.faulted.code)
  t.equal(lab.mesh.stats().faults, 1)
  t.match(
    lab.mesh.nodes().map(node => node.id),
    ['ams-1'],
  )
  lab.mesh.intake.opened = opened
  const back = await lab.raw('node', 'fra-1', victim.keys)
  back.say(back.hello())
  bystander.say(bystander.beat(1))
  await lab.clock.run(100)
  t.ok(back.names().includes('registered'))
  t.ok(bystander.names().includes('heartbeat.ack'))
})

t.test('first contact without a store is refused for now, and known agents are let in', async t => {
  const lab = await Lab.start()
  const known = await lab.enrolled('node', 'fra-1')
  lab.store.enrol = () => Promise.reject(new Error('the database does not answer'))
  const stranger = await lab.raw('node', 'ams-1')
  stranger.say(stranger.hello({ credential: CREDENTIAL }))
  await lab.clock.run(100)
  t.equal(stranger.last('refused').code, 'store_unavailable')
  t.ok((stranger.last('refused').retryAfterMs ?? 0) >= 1_000)
  t.equal(stranger.closedWith, CLOSE.tryLater.code)
  const back = await lab.raw('node', 'fra-1', known.keys)
  back.say(back.hello())
  await lab.clock.run(100)
  t.equal(back.last('registered').generation, 2)
})

t.test('an agent that hangs up while it is being enrolled finds its identity when it returns', async t => {
  const lab = await Lab.start()
  const enrol = lab.store.enrol.bind(lab.store)
  lab.store.enrol = request =>
    new Promise(resolve => lab.clock.setTimeout(() => resolve(enrol(request)), 2_000))
  const hasty = await lab.raw('node', 'fra-1')
  hasty.say(hasty.hello({ credential: CREDENTIAL }))
  await lab.clock.run(100)
  hasty.hangUp()
  await lab.clock.run(3_000)
  t.match(lab.mesh.nodes(), [{ id: 'fra-1', state: 'suspended' }])
  const back = await lab.raw('node', 'fra-1', hasty.keys)
  back.say(back.hello())
  await lab.clock.run(100)
  t.match(back.last('registered'), { overlay4: '10.77.0.2/32' })
})

t.test('a journal that cannot be written is said once, and the store still gets everything', async t => {
  const lab = await Lab.start()
  lab.journal.append = () => {
    throw new Error('no space left on device')
  }
  await lab.enrolled('node', 'fra-1')
  await lab.enrolled('node', 'ams-1')
  await lab.clock.run(2_000)
  t.same(
    lab.complaints.map(({ message }) => message),
    ['the journal cannot be written'],
  )
  t.equal((await lab.store.load()).sessions.length, 2)
})

t.test('a revoked identity is out at once, stays out, and its route ends', async t => {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1')
  const client = await lab.enrolled('client', 'alice')
  client.say({ type: 'route.request', requestId: 1 })
  await lab.clock.run(100)
  t.match(lab.mesh.revoke('alice', { reason: 'left the company', actor: 'eve' }), { ended: true })
  await lab.clock.run(100)
  t.equal(client.closedWith, CLOSE.revoked.code)
  t.match(node.last('path.closed'), { link: client.last('route.assigned').link })
  lab.crash()
  await lab.boot()
  const back = await lab.raw('client', 'alice', client.keys)
  back.say(back.hello())
  await lab.clock.run(100)
  t.equal(back.last('refused').code, 'revoked')
  t.equal(lab.mesh.revoke('nobody', { reason: '', actor: 'eve' }), null)
})
