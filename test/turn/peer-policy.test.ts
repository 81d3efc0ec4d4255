import t from 'tap'
import { ATTRIBUTE, FAMILY_BYTE } from '../../src/turn/attributes.js'
import { PeerPolicy } from '../../src/turn/peer-policy.js'
import { PEER, PEER_V6, Rig, SERVER } from './rig.js'

/** Where no client may ever reach, one address or more of each range, at its edges. */
const FORBIDDEN_V4 = list(`
  0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254
  169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1 192.88.99.1
  192.168.0.1 192.168.255.255 198.18.0.1 198.19.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255
  240.0.0.1 255.255.255.255 100.100.100.100 25.0.0.7
`)
const FORBIDDEN_V6 = list(`
  :: ::1 64:ff9b:1::1 100::1 2001::1 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 3fff::1 4000::1
  5f00::1 fc00::1 fd00::1 fdff::1 fe80::1 febf::1 fec0::1 feff::1 ff02::1 ff0e::1 2600::5efe:a00:1
  2600::200:5efe:a00:1 2600:dead::7
`)
/** Every way in which an IPv6 address can stand for an IPv4 one. */
const DISGUISES: Readonly<Record<string, (hex: string) => string>> = {
  mapped: hex => `::ffff:${hex}`,
  compatible: hex => `::${hex}`,
  translated: hex => `::ffff:0:${hex}`,
  'NAT64, well-known': hex => `64:ff9b::${hex}`,
  'NAT64, local': hex => `64:ff9b:1::${hex}`,
  '6to4': hex => `2002:${hex}::1`,
  Teredo: hex => `2001:0:${hex}::1`,
  ISATAP: hex => `2600::5efe:${hex}`,
}
/** A public address in disguise is refused as well: a peer is named by the address it has. */
const ADDRESSES = [...FORBIDDEN_V4, PEER.address].flatMap(address =>
  Object.entries(DISGUISES).map(
    ([name, disguise]) => [`${address} as ${name}`, disguise(words(address))] as const,
  ),
)
/** An overlay network, and a database. */
const peers = { denied: ['25.0.0.0/8', '2600:dead::/32'] }

t.test('no client reaches a forbidden address, in any encoding, by any message', async t => {
  const rig = new Rig({ peers })
  const caller = rig.caller()
  caller.opens(request =>
    request.add(ATTRIBUTE.additionalAddressFamily, Buffer.from([FAMILY_BYTE[6], 0, 0, 0])),
  )
  const plain = [...FORBIDDEN_V4, ...FORBIDDEN_V6].map(address => [address, address] as const)
  t.ok(plain.length + ADDRESSES.length >= 200, `${plain.length + ADDRESSES.length} addresses`)
  for (const [name, address] of [...plain, ...ADDRESSES]) {
    const peer = { address, port: 80 }
    const codes = [caller.permit(peer).code, caller.bind(0x4000, peer).code]
    caller.send(peer, 'hello')
    t.same(codes, [403, 403], `${name} is ${address}`)
  }
  t.same(rig.sent, [])
})

t.test('the server itself is reached at no port but that of another relay', async t => {
  const rig = new Rig()
  const caller = rig.caller()
  const { port } = caller.opens()
  for (const at of [22, 53, 3_478, 5_432, port + 1]) {
    const peer = { address: SERVER.address, port: at }
    t.equal(caller.permit(peer).code, 0, 'another relay may be there')
    t.equal(caller.bind(0x4000, peer).code, 403)
    caller.send(peer, 'hello')
  }
  t.same(rig.sent, [])
  t.equal(rig.server.counters.lost.not_ours, 5)
})

t.test('one forbidden address spoils the whole request', async t => {
  const caller = new Rig().caller()
  caller.opens()
  t.equal(caller.permit(PEER, { address: '10.0.0.1', port: 1 }).code, 403)
  caller.send(PEER, 'hello')
  t.equal(caller.permit(PEER).code, 0)
})

t.test('public addresses are reached', async t => {
  const policy = new PeerPolicy({ own: [SERVER.address] })
  const addresses = list(`
    1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.0.0.1 128.0.0.1 172.15.0.1 172.32.0.1
    192.0.1.1 198.17.0.1 198.20.0.1 223.255.255.255 2000::1 2001:200::1 2400::1 2a00::1 3ffe::1
  `)
  for (const address of [...addresses, PEER.address, PEER_V6.address])
    t.equal(policy.refusal('a', address), null, address)
})

t.test('an exception opens a network, but no disguise of it and not the server itself', async t => {
  const policy = new PeerPolicy({ own: ['10.0.0.1'], excepted: ['10.0.0.0/8', '::1'] })
  t.equal(policy.refusal('a', '10.0.0.2'), null)
  t.equal(policy.refusal('a', '::1'), null)
  t.equal(policy.refusal('a', '10.0.0.1'), 'own')
  t.equal(policy.refusal('a', '::ffff:a00:2'), 'disguised')
  t.equal(policy.refusal('a', '11.0.0.1'), null)
  t.equal(policy.refusal('a', '192.168.0.1'), 'not_public')
})

t.test('with routes, a client reaches only whom it has a route to, and only when that is public', async t => {
  const routes = new Map([['node-1', new Set([PEER.address, '10.0.0.1'])]])
  const routed = (id: string, address: string) => routes.get(id)?.has(address) === true
  const policy = new PeerPolicy({ own: [], routed })
  t.equal(policy.refusal('node-1', PEER.address), null)
  t.equal(policy.refusal('node-2', PEER.address), 'not_routed')
  t.equal(policy.refusal('node-1', '1.1.1.1'), 'not_routed')
  t.equal(policy.refusal('node-1', '10.0.0.1'), 'not_public')
  const excepting = new PeerPolicy({ own: [], routed, excepted: ['10.0.0.0/8'], denied: ['10.0.0.1'] })
  t.equal(excepting.refusal('node-1', '10.0.0.2'), null, 'an exception needs no route')
  t.equal(excepting.refusal('node-1', '10.0.0.1'), 'denied', 'and no exception is for what is denied')
})

t.test('a route that ends takes its packets with it', async t => {
  const reachable = new Set([PEER.address])
  const rig = new Rig({ peers: { routed: (_, address) => reachable.has(address) } })
  const caller = rig.caller()
  const relayed = caller.opens()
  caller.permit(PEER)
  caller.bind(0x4000, PEER)
  reachable.clear()
  caller.send(PEER, 'by indication')
  t.equal(rig.server.counters.lost.peer, 1, 'at once for what names its peer')
  rig.perform(rig.server.review())
  rig.say(Buffer.from('40000004aaaaaaaa', 'hex'), caller.flow)
  rig.perform(rig.server.fromPeer(rig.relayAt(relayed), Buffer.from('back'), PEER.address, PEER.port))
  t.same([rig.sent, caller.heard()], [[], []])
})

t.test('what is no network is refused when the server is set up', async t => {
  for (const network of ['10.0.0.0/33', '10.0.0/8', '::/129', 'office', '10.0.0.0/', '10.0.0.0/-1'])
    t.throws(() => new PeerPolicy({ own: [], denied: [network] }), { code: 'bad_network' }, network)
})

/** An IPv4 address as two words of an IPv6 one. */
function words(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number)
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
}

function list(text: string): string[] {
  return text.trim().split(/\s+/)
}
