/** Agents without a socket of their own: whoever speaks for them is their socket, and everything else is as for others. */
import t from 'tap'
import type { Connection, Hello, Socket, Vouch } from '../../src/actors/ports.js'
import { decodeAll, encode } from '../../src/protocol/codec.js'
import type { Wire, WireOf } from '../../src/protocol/messages.js'
import { CLOSE } from '../../src/protocol/close-codes.js'
import { makeProof, newKeyPair, privateKeyOf } from '../../src/protocol/proof.js'
import { SENT } from '../../src/protocol/sent.js'
import { CREDENTIAL, Lab } from '../lab/lab.js'

class Mailbox implements Socket {
  readonly remote = '203.0.113.9'
  readonly heard: Wire[] = []
  closedWith: number | null = null
  connection: Connection | null = null

  send(bytes: Uint8Array) {
    this.heard.push(...decodeAll(bytes.slice()))
    return SENT.ok
  }
  buffered(): number {
    return 0
  }
  close(code: number): void {
    this.closedWith = code
    this.connection?.closed(code)
  }
  say(event: Wire): void {
    this.connection?.received(encode(event))
  }
  last<N extends Wire['type']>(type: N): WireOf<N> {
    const found = this.heard.findLast(event => event.type === type)
    if (found === undefined) throw new Error(`heard no ${type}: ${this.heard.map(e => e.type).join(' ')}`)
    return found as WireOf<N> // by its type
  }
}

function enter(lab: Lab, hello: Hello, vouch: Vouch): Mailbox {
  const mailbox = new Mailbox()
  mailbox.connection = lab.mesh.enter(mailbox, hello, vouch)
  return mailbox
}

const helloOf = (id: string, publicKey: Uint8Array, role: Hello['role'] = 'node'): Hello => ({
  role,
  id,
  publicKey,
  agent: 'curl',
  country: 'DE',
  maxSessions: 10,
})

t.test('whoever is not let in is not by this door either, and is put out by it', async t => {
  const lab = await Lab.start()
  const denied = new Set<string>()
  const denial = { code: 'inactive', reason: 'switched off', retryAfterMs: 5_000 } as const
  lab.mesh.guard(id => (denied.has(id) ? { denial, groups: [], bytesPerSecond: null } : null))
  const hello = helloOf('fra-1', newKeyPair().publicKey)
  const box = enter(lab, { ...hello, credential: CREDENTIAL }, { by: 'credential' })
  await lab.clock.run(100)
  t.match(box.last('registered'), { generation: 1 })
  denied.add('fra-1')
  lab.mesh.termsChanged('fra-1')
  t.match(box.last('refused'), denial)
  t.equal(box.closedWith, CLOSE.inactive.code)
  t.same(lab.mesh.nodes(), [])
  t.match(enter(lab, hello, { by: 'token' }).last('refused'), denial)
  denied.clear()
  t.match(enter(lab, hello, { by: 'token' }).last('registered'), { generation: 2 })
})

t.test('a newcomer with an enrolment key gets a session like any other', async t => {
  const lab = await Lab.start()
  const { publicKey } = newKeyPair()
  const box = enter(lab, { ...helloOf('fra-1', publicKey), credential: CREDENTIAL }, { by: 'credential' })
  t.same(lab.mesh.nodes(), [], 'nobody is told of it before it has enrolled')
  t.equal(lab.mesh.node('fra-1'), null)
  await lab.clock.run(100)
  t.match(box.last('registered'), { generation: 1, overlay4: '10.77.0.2/32' })
  t.match(lab.mesh.nodes(), [{ id: 'fra-1', state: 'online' }])
  t.match(lab.mesh.identity('fra-1'), { role: 'node', state: 'online', publicKey })
})

t.test('it is given routes, and takes part in them, by messages of the wire', async t => {
  const lab = await Lab.start()
  const node = enter(
    lab,
    { ...helloOf('fra-1', newKeyPair().publicKey), credential: CREDENTIAL },
    { by: 'credential' },
  )
  const client = enter(
    lab,
    { ...helloOf('anna', newKeyPair().publicKey, 'client'), credential: CREDENTIAL },
    { by: 'credential' },
  )
  await lab.clock.run(100)
  client.say({ type: 'route.request', requestId: 7 })
  await lab.clock.run(100)
  t.match(client.last('route.assigned'), { requestId: 7, nodeId: 'fra-1' })
  t.equal(node.last('path.open').peerId, 'anna')
})

t.test('an enrolment key lets nobody become someone who is known', async t => {
  const lab = await Lab.start()
  const { publicKey } = newKeyPair()
  const hello = { ...helloOf('fra-1', publicKey), credential: CREDENTIAL }
  enter(lab, hello, { by: 'credential' })
  await lab.clock.run(100)
  t.equal(enter(lab, hello, { by: 'credential' }).last('refused').code, 'proof_failed')
  const thief = { ...hello, publicKey: newKeyPair().publicKey }
  t.equal(enter(lab, thief, { by: 'credential' }).last('refused').code, 'key_mismatch')
  await lab.clock.run(1_000)
  t.ok((await lab.store.auditEvents(10)).some(({ kind }) => kind === 'identity.key_mismatch'))
})

t.test('a token or a proof brings it back to its own session', async t => {
  const lab = await Lab.start()
  const { publicKey, privateKey } = newKeyPair()
  const hello = helloOf('fra-1', publicKey)
  enter(lab, { ...hello, credential: CREDENTIAL }, { by: 'credential' })
  await lab.clock.run(100)
  t.match(enter(lab, hello, { by: 'token' }).last('registered'), { generation: 2 })

  const { serverId, publicKey: challenge, nonce } = lab.mesh.challenge()
  const proof = makeProof(privateKeyOf(privateKey), challenge, { nonce, role: 'node', id: 'fra-1', serverId })
  t.match(enter(lab, hello, { by: 'proof', nonce, proof }).last('registered'), { generation: 3 })
  t.equal(
    enter(lab, hello, { by: 'proof', nonce, proof }).last('refused').code,
    'proof_failed',
    'a nonce serves once',
  )
})

t.test('a challenge waits a minute', async t => {
  const lab = await Lab.start()
  const { publicKey, privateKey } = newKeyPair()
  const hello = helloOf('fra-1', publicKey)
  enter(lab, { ...hello, credential: CREDENTIAL }, { by: 'credential' })
  await lab.clock.run(100)
  const { serverId, publicKey: challenge, nonce } = lab.mesh.challenge()
  const proof = makeProof(privateKeyOf(privateKey), challenge, { nonce, role: 'node', id: 'fra-1', serverId })
  await lab.clock.run(61_000)
  t.equal(enter(lab, hello, { by: 'proof', nonce, proof }).last('refused').code, 'proof_failed')
})

t.test('one that is no longer spoken for goes the way of a lost socket', async t => {
  const lab = await Lab.start()
  const told: string[] = []
  lab.mesh.onFact(({ type }) => told.push(type))
  const hello = { ...helloOf('fra-1', newKeyPair().publicKey), credential: CREDENTIAL }
  const box = enter(lab, hello, { by: 'credential' })
  await lab.clock.run(100)
  await lab.clock.run(60_000)
  t.not(box.closedWith, null, 'silence closes it')
  t.match(lab.mesh.identity('fra-1'), { state: 'suspended' })
  await lab.clock.run(130_000)
  t.match(lab.mesh.identity('fra-1'), { state: null })
  t.same(told, ['node.online', 'node.offline'])
})

t.test('what agents report is handed over once it is taken, and refused before', async t => {
  const lab = await Lab.start()
  const node = await lab.enrolled('node', 'fra-1')
  const batch = { stream: 's-1', seq: 1, clients: [], traffic: [], logs: [], dropped: 0 }
  node.say({ type: 'report.batch', ...batch })
  await lab.clock.run(100)
  t.match(node.last('report.ack'), { stream: 's-1', seq: 1, outcome: 'refused' })

  const taken: unknown[] = []
  const end = lab.mesh.takeReports(async (from, { seq }) => {
    taken.push([from, seq])
    if (seq === 3) throw new Error('the disk is full')
    return { outcome: 'stored' }
  })
  for (const seq of [2, 3]) node.say({ type: 'report.batch', ...batch, seq })
  await lab.clock.run(100)
  t.same(taken, [
    ['fra-1', 2],
    ['fra-1', 3],
  ])
  t.same(
    node.heard.filter(event => event.type === 'report.ack').map(({ seq, outcome }) => [seq, outcome]),
    [
      [1, 'refused'],
      [2, 'stored'],
      [3, 'later'],
    ],
  )
  end()
})
