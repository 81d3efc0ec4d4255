import { createSocket, type RemoteInfo } from 'node:dgram'
import { EventEmitter, once } from 'node:events'
import t, { type Test } from 'tap'
import { UdpTunnel } from '../../src/agent/udp-tunnel.js'
import { pathOpen } from './support/rig.js'

const LINK = 0x1_0001

t.test('what an application sends to the link’s port goes to the peer', async t => {
  const { application, tunnel } = await parts(t)
  const peer = new EventEmitter()
  await tunnel.open(pathOpen(LINK), packet => peer.emit('packet', Buffer.from(packet).toString()))
  application.send('hello', port(tunnel), '127.0.0.1')
  t.same(await once(peer, 'packet'), ['hello'])
})

t.test('what the peer sends comes from the link’s port to the application', async t => {
  const { application, tunnel } = await parts(t)
  await tunnel.open(pathOpen(LINK), () => {})
  const arrived = once(application, 'message')
  const lent = Buffer.from('hello back')
  tunnel.deliver(LINK, lent)
  lent.fill(0)
  const [packet, from] = (await arrived) as [Buffer, RemoteInfo]
  t.equal(packet.toString(), 'hello back')
  t.equal(from.port, port(tunnel))
})

t.test('without a configured application the last one that sent is answered', async t => {
  const { application } = await parts(t)
  const tunnel = new UdpTunnel()
  t.teardown(() => tunnel.stop())
  await tunnel.open(pathOpen(LINK), packet => tunnel.deliver(LINK, packet))
  tunnel.deliver(LINK, Buffer.from('to nobody yet'))
  const arrived = once(application, 'message')
  application.send('echo', port(tunnel), '127.0.0.1')
  t.equal(String((await arrived)[0]), 'echo')
})

t.test('opening again keeps the port, closing gives it up', async t => {
  const { tunnel } = await parts(t)
  await tunnel.open(pathOpen(LINK), () => {})
  const before = port(tunnel)
  await tunnel.open(pathOpen(LINK), () => {})
  t.equal(port(tunnel), before)
  await tunnel.open(pathOpen(LINK + 1), () => {})
  t.not(tunnel.portOf(LINK + 1), before)
  await tunnel.close(LINK)
  t.equal(tunnel.portOf(LINK), undefined)
  tunnel.deliver(LINK, Buffer.from('too late'))
  await tunnel.close(LINK)
})

t.test('a port that is none is named', async t => {
  t.throws(() => new UdpTunnel({ applicationPort: 70_000 }), {
    code: 'BAD_OPTION',
    message: /^applicationPort: wanted/,
  })
})

const port = (tunnel: UdpTunnel): number => tunnel.portOf(LINK) as number // opened by the test

async function parts(t: Test) {
  const application = createSocket('udp4')
  application.bind(0, '127.0.0.1')
  await once(application, 'listening')
  const tunnel = new UdpTunnel({ applicationPort: application.address().port })
  t.teardown(() => tunnel.stop())
  t.teardown(() => application.close())
  return { application, tunnel }
}
