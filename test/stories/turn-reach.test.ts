/** Whom a TURN relay may reach for an agent: whoever is at the other end of its paths, and nobody else. */
import t from 'tap'
import { pair, signalOf } from '../support/pair.js'

t.test(
  'an agent reaches the addresses that the other end of a path has said, as long as it has it',
  async t => {
    const { lab, node, client, link } = await pair()
    const reaches = (id: string, address: string) => lab.mesh.mayReach(id, address)
    t.equal(reaches('alice', '198.51.100.2'), false, 'nobody has said anything')
    node.say(signalOf(node, link, 1))
    await lab.clock.run(100)
    t.equal(reaches('alice', '198.51.100.2'), true)
    t.equal(reaches('fra-1', '198.51.100.2'), false, 'not its own')
    t.equal(reaches('alice', '198.51.100.3'), false)
    t.equal(reaches('bob', '198.51.100.2'), false, 'who has no session has no path')
    node.say({ ...signalOf(node, link, 2), candidates: ['host [2001:DB8::7]:4000'] })
    await lab.clock.run(100)
    t.equal(reaches('alice', '198.51.100.2'), false, 'a newer word takes back an older one')
    t.equal(reaches('alice', '2001:db8::7'), true)
    client.say({ type: 'path.closed', link, reason: 'enough' })
    await lab.clock.run(100)
    t.equal(reaches('alice', '2001:db8::7'), false)
  },
)

t.test('what an ICE description says counts, too', async t => {
  const { lab, node, link } = await pair()
  const lines = [
    'v=0',
    'a=candidate:1 1 UDP 2114977791 198.51.100.9 51820 typ host',
    'a=candidate:2 1 UDP 1678769919 2001:DB8:0::9 51820 typ srflx raddr 0.0.0.0 rport 0',
    'a=candidate:3 1 UDP 1 somewhere.local 51820 typ host',
  ]
  node.say({ ...signalOf(node, link, 1), candidates: [], ice: Buffer.from(lines.join('\r\n')) })
  await lab.clock.run(100)
  for (const address of ['198.51.100.9', '2001:db8::9']) t.equal(lab.mesh.mayReach('alice', address), true)
})

t.test('for a path that is to be direct only nothing is turned', async t => {
  const { lab, node, link } = await pair({ node: { policy: 'direct-only' } })
  node.say(signalOf(node, link, 1))
  await lab.clock.run(100)
  t.equal(lab.mesh.mayReach('alice', '198.51.100.2'), false)
})
