import t from 'tap'
import type { NatSpec } from '../../lab/udp-net.js'
import { TwoEnds } from '../support/two-ends.js'

const KINDS: Readonly<Record<string, readonly NatSpec[]>> = {
  none: [],
  full: ['full'],
  addr: ['addr'],
  port: ['port'],
  sym: ['sym'],
  'port+port': ['port', 'port'],
}
const STRICT = ['port', 'port+port']

for (const [client, clientNat] of Object.entries(KINDS)) {
  for (const [node, nodeNat] of Object.entries(KINDS)) {
    const direct =
      !(client === 'sym' && (node === 'sym' || STRICT.includes(node))) &&
      !(node === 'sym' && STRICT.includes(client))
    t.test(
      `a client behind ${client} and a node behind ${node} end on ${direct ? 'direct' : 'TURN'}`,
      async t => {
        const ends = await new TwoEnds(t, {
          client: { nat: clientNat },
          node: { nat: nodeNat },
          turn: true,
        }).open()
        const wanted = direct ? 'direct' : 'turned'
        const begunMs = ends.clock.now()
        t.same(await ends.punch(), [wanted, wanted])
        t.comment(`${client} × ${node}: ${ends.clock.now() - begunMs} ms`)
        t.equal(ends.client.link?.tier, wanted)
        ends.client.send('to the node')
        ends.node.send('to the client')
        await ends.clock.run(200)
        t.match(ends.node.received, [{ text: '\x04to the node', tier: wanted }])
        t.match(ends.client.received, [{ text: '\x04to the client', tier: wanted }])
      },
    )
  }
}
