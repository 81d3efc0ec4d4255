/** Where STUN and TURN listen and relay, by the settings and the machine's addresses. */
import t from 'tap'
import { inOrder, places, probed, served } from '../../src/app/turn-places.js'

const NONE = { turnAddress: null, turnAddress6: null, turnOtherAddress: null }
const OWN = ['10.0.0.5', '172.17.0.1', '2600:1::5']
const V4 = '10.0.0.5'
const V6 = '2600:1::5'
const PUBLIC = '20.0.0.1'
const v6Any = { bind: '::', relay: V6, advertised: V6 }

for (const [name, host, settings, own, expected] of [
  ['one address', V4, {}, OWN, [{ bind: V4, relay: V4, advertised: V4 }]],
  ['every IPv4 address', '0.0.0.0', {}, OWN, [{ bind: '0.0.0.0', relay: V4, advertised: V4 }]],
  ['both IP versions', '::', {}, OWN, [{ bind: '0.0.0.0', relay: V4, advertised: V4 }, v6Any]],
  ['both, of which there is one', '::', {}, [V6], [v6Any]],
  [
    'a public address before it',
    '0.0.0.0',
    { turnAddress: PUBLIC },
    OWN,
    [{ relay: V4, advertised: PUBLIC }],
  ],
  [
    'an IPv6 address beside IPv4',
    '0.0.0.0',
    { turnAddress6: V6 },
    OWN,
    [{ bind: '0.0.0.0' }, { bind: V6, relay: V6, advertised: V6 }],
  ],
  ['an IPv6 address alone', V6, {}, OWN, [{ bind: V6, relay: V6, advertised: V6 }]],
  ['a machine without a network', '0.0.0.0', {}, [], [{ bind: '127.0.0.1', relay: '127.0.0.1' }]],
  ['a second address', '0.0.0.0', { turnOtherAddress: '10.0.0.6' }, OWN, [{ bind: V4, relay: V4 }]],
] as const)
  t.test(`${name}: one place for each IP version`, async t => {
    const found = places(host, { ...NONE, ...settings }, own)
    t.match(found, expected)
    t.equal(found.length, expected.length)
  })

t.test('what is probed comes first, in the order of the listeners', async t => {
  const at = places('::', NONE, OWN)
  const listen = inOrder([...served(at, { port: 3478, tlsPort: 5349 }), ...probed(at, [3478, 3479], null)])
  t.same(
    listen.map(({ transport, address, port }) => `${transport} ${address} ${port}`),
    [
      'udp 0.0.0.0 3478',
      'udp 0.0.0.0 3479',
      'udp :: 3478',
      'udp :: 3479',
      'tcp 0.0.0.0 3478',
      'tls 0.0.0.0 5349',
      'tcp :: 3478',
      'tls :: 5349',
    ],
  )
})

t.test('a second address answers from both ports, so that every change can be asked for', async t => {
  const at = places(V4, { ...NONE, turnOtherAddress: '10.0.0.6' }, OWN)
  t.same(
    probed(at, [3478, 3479], '10.0.0.6').map(({ address, port }) => `${address} ${port}`),
    ['10.0.0.5 3479', '10.0.0.6 3478', '10.0.0.6 3479'],
  )
})
