import t from 'tap'
import { localAddresses } from '../../../src/agent/direct/local-addresses.js'
import { isReachable, readCandidate } from '../../../src/agent/direct/reach.js'
import { ReplayWindow } from '../../../src/agent/direct/replay-window.js'
import { endpointsOf, serversOf } from '../../../src/agent/direct/servers.js'
import { pick, seededRandom } from '../../../src/kit/random.js'

t.test('a number counts once, in whatever order they come, and not when it is old', async t => {
  const window = new ReplayWindow()
  t.same(
    [1, 3, 2, 3, 1, 200, 2, 199, 500, 200, 244, 245, 500].map(n => window.take(n)),
    [true, true, true, false, false, true, false, true, true, false, false, true, false],
  )
})

t.test('the window agrees with a list of all numbers', async t => {
  const random = seededRandom(3)
  const window = new ReplayWindow()
  const seen = new Set<number>()
  let highest = 0
  for (let i = 0; i < 20_000; i++) {
    const number = Math.max(1, highest + 40 - pick(random, 400))
    const isNew = !seen.has(number) && highest - number < 256
    if (window.take(number) !== isNew) t.fail(`${number} after ${highest}`)
    seen.add(number)
    highest = Math.max(highest, number)
  }
})

t.test('addresses of tunnels, of this machine alone and of one cable are left out', async t => {
  const at = (address: string, internal = false) =>
    ({
      address,
      internal,
      family: address.includes(':') ? 'IPv6' : 'IPv4',
      netmask: '',
      mac: '',
      cidr: null,
    }) as const
  const read = () =>
    ({
      lo: [at('127.0.0.1', true)],
      eth0: [at('192.0.2.7'), at('fe80::1'), at('2001:DB8:0:0::7')],
      boson0: [at('10.77.0.2')],
      wlan0: [at('169.254.9.9')],
      many: Array.from({ length: 9 }, (_, n) => at(`2001:db8::${n + 10}`)),
    }) as never // the parts of it that are read
  t.same(
    localAddresses(read, name => name === 'boson0'),
    ['192.0.2.7', '2001:db8::7', '2001:db8::10', '2001:db8::11', '2001:db8::12'],
  )
  t.ok(Array.isArray(localAddresses()), 'this machine has some, or none')
})

const REACHABLE: Readonly<Record<string, boolean>> = {
  '192.0.2.1': true,
  '10.1.2.3': true,
  '100.64.0.1': true,
  '0.1.2.3': false,
  '127.0.0.1': false,
  '169.254.1.1': false,
  '224.0.0.1': false,
  '255.255.255.255': false,
  '2001:db8::1': true,
  'fd00::1': true,
  '::': false,
  '::1': false,
  '::ffff:192.0.2.1': false,
  'fe80::1': false,
  'ff02::1': false,
}

t.test('a peer is at no address of this machine itself, and at none of a group', async t => {
  for (const [address, wanted] of Object.entries(REACHABLE))
    t.equal(isReachable({ address, port: 1 }), wanted, address)
})

t.test('candidates are read as they are spelled', async t => {
  t.same(readCandidate('srflx [2001:db8::1]:4500'), {
    type: 'srflx',
    endpoint: { address: '2001:db8::1', port: 4_500 },
  })
  for (const text of ['', 'srflx', 'prflx 192.0.2.1:1', 'host 192.0.2.1', 'host 192.0.2.1:0'])
    t.equal(readCandidate(text), null, text)
})

t.test('servers are those that are asked over UDP', async t => {
  const servers = serversOf(
    [
      ['stun:192.0.2.1', null, null],
      ['stun:[2001:db8::1]:3479', null, null],
      ['turn:mesh.example:3478?transport=udp', 'name', 'word'],
      ['turn:mesh.example:3478?transport=tcp', 'name', 'word'],
      ['turns:mesh.example:5349?transport=tcp', 'name', 'word'],
      ['http://mesh.example', null, null],
    ],
    'turn',
  )
  t.same(servers, [{ host: 'mesh.example', port: 3_478, username: 'name', password: 'word' }])
  const [first] = serversOf([['stun:192.0.2.1', null, null]], 'stun')
  t.match(first, { host: '192.0.2.1', port: 3_478 })
  const resolve = async () => ['192.0.2.1', '2001:DB8::1', '192.0.2.2', 'nonsense']
  const server = { host: 'mesh.example', port: 1, username: '', password: '' }
  t.same(await endpointsOf(server, resolve), [
    { address: '192.0.2.1', port: 1 },
    { address: '2001:db8::1', port: 1 },
  ])
  t.same(await endpointsOf(server, async () => Promise.reject(new Error('no such name'))), [])
})
