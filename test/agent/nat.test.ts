/** Agents on the in-memory internet find out what their NATs do, and the coordinator agrees. */
import t from 'tap'
import { DirectSocket } from '../../src/agent/direct/direct-socket.js'
import { NatProber } from '../../src/agent/nat/nat-prober.js'
import { findServers, isStunUri } from '../../src/agent/nat/find-servers.js'
import type { Nat } from '../../src/mesh/nat.js'
import type { Place } from '../lab/udp-net.js'
import { MeshRig } from './support/mesh-rig.js'

const EIM = 'endpoint_independent'
const ADM = 'address_dependent'
const APDM = 'address_and_port_dependent'

const KINDS: readonly (readonly [string, Place, Partial<Nat>])[] = [
  ['in the open', {}, { nat: false, mapping: EIM, filtering: EIM, hairpin: true, portPreservation: true }],
  ['full', { nat: ['full'] }, { nat: true, mapping: EIM, filtering: EIM, hairpin: false }],
  ['addr', { nat: ['addr'] }, { nat: true, mapping: EIM, filtering: ADM, portPreservation: true }],
  ['port', { nat: ['port'] }, { mapping: EIM, filtering: APDM }],
  ['adm', { nat: ['adm'] }, { mapping: ADM, filtering: ADM }],
  ['sym', { nat: ['sym'] }, { mapping: APDM, filtering: APDM, portPreservation: false }],
  ['port + port', { nat: ['port', 'port'] }, { mapping: EIM, filtering: APDM }],
  ['port + sym', { nat: ['port', 'sym'] }, { mapping: APDM, filtering: APDM }],
  ['hairpinning', { nat: [{ kind: 'port', hairpin: true }] }, { filtering: APDM, hairpin: true }],
  ['sym with IPv6', { nat: ['sym'], v6: true }, { mapping: APDM, ipv6: true }],
]

for (const [name, place, wanted] of KINDS) {
  t.test(`an agent ${name} is known for it within seconds`, async t => {
    const rig = await MeshRig.start(t)
    rig.lab.host('fra-1', place)
    const node = probed(rig, 'fra-1')
    node.start()
    await rig.run(6_000)
    t.match(rig.lab.mesh.nodes()[0]?.nat, { udp: 'open', confirmed: true, ...wanted })
    t.match(node.status().nat, { udp: 'open', mapping: wanted.mapping ?? EIM })
  })
}

t.test('an agent whose UDP does not get out says so, and the coordinator saw nothing of it', async t => {
  const rig = await MeshRig.start(t)
  rig.lab.host('fra-1', { blocksUdp: true })
  probed(rig, 'fra-1').start()
  await rig.run(8_000)
  t.match(rig.lab.mesh.nodes()[0]?.nat, { udp: 'blocked', mapping: 'unknown', mapped4: null })
})

t.test('how long an idle mapping lives is known after two minutes', async t => {
  for (const [lifetimeMs, livedS] of [
    [10_000, 0],
    [40_000, 30],
    [300_000, 120],
  ] as const) {
    const rig = await MeshRig.start(t)
    rig.lab.host('fra-1', { nat: [{ kind: 'port', lifetimeMs }] })
    probed(rig, 'fra-1').start()
    await rig.run(110_000)
    t.equal(rig.lab.mesh.nodes()[0]?.nat.mappingLifetimeS, null)
    await rig.run(30_000)
    t.equal(rig.lab.mesh.nodes()[0]?.nat.mappingLifetimeS, livedS)
  }
})

t.test('the socket that packets travel on is the one whose mapping is found out', async t => {
  const rig = await MeshRig.start(t)
  rig.lab.host('fra-1', { nat: ['port'] })
  const shared = new DirectSocket(rig.lab.internet.datagramsFrom('fra-1'))
  await shared.open()
  t.teardown(() => shared.close())
  probed(rig, 'fra-1', shared).start()
  await rig.run(6_000)
  t.equal(rig.lab.mesh.nodes()[0]?.nat.mapped4?.port, shared.local()[0]?.port)
})

t.test('a socket that is closed while it is asked counts for nothing', async t => {
  const rig = await MeshRig.start(t)
  rig.lab.host('fra-1', { nat: ['port'] })
  const shared = new DirectSocket(rig.lab.internet.datagramsFrom('fra-1'))
  await shared.open()
  probed(rig, 'fra-1', shared).start()
  await rig.run(120)
  shared.close()
  await rig.run(12_000)
  t.match(rig.lab.mesh.nodes()[0]?.nat, { udp: 'open', mapping: EIM, filtering: APDM })
})

t.test('an agent that stops gives up its probe', async t => {
  const rig = await MeshRig.start(t)
  rig.lab.host('fra-1', { nat: ['sym'] })
  const node = probed(rig, 'fra-1')
  node.start()
  await rig.run(20_000)
  t.match(rig.lab.mesh.stats().nats, [{ mapping: APDM, count: 1 }])
  await node.stop()
  await rig.run(1_000)
  t.same(rig.lab.mesh.stats().nats, [])
})

t.test('servers are found by their URIs', async t => {
  for (const uri of ['stun:mesh.example', 'stun:[2001:db8::1]:3479', 'stun:192.0.2.1:1'])
    t.ok(isStunUri(uri), uri)
  for (const none of ['turn:mesh.example', 'stun:', 'stun:a:0', 'stun:a:70000', 'stun:a:b'])
    t.notOk(isStunUri(none), none)
  const resolve = async (host: string) => {
    if (host === 'gone.example') throw new Error('ENOTFOUND')
    if (/^[\d:]/.test(host) || host.includes(':')) return [host]
    return ['192.0.2.1', '2001:DB8::1', 'nonsense']
  }
  const uris = ['stun:mesh.example', 'stun:192.0.2.1:3478', 'stun:gone.example', 'stun:[2001:db8::2]:99']
  t.same(await findServers(uris, resolve), [
    { address: '192.0.2.1', port: 3_478 },
    { address: '2001:db8::1', port: 3_478 },
    { address: '2001:db8::2', port: 99 },
  ])
})

function probed(rig: MeshRig, id: string, shared: DirectSocket | null = null) {
  const openDatagrams = rig.lab.internet.datagramsFrom(id)
  const prober = new NatProber({
    clock: rig.lab.clock,
    random: rig.lab.random,
    shared,
    openDatagrams,
    resolve: async host => [host],
  })
  return rig.node(id, { prober })
}
