import t, { type Test } from 'tap'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { FullTunnel } from '../../src/agent/exit/full-tunnel.js'
import type { Peer } from '../../src/agent/ports.js'
import { Ledger } from '../../src/agent/system/ledger.js'
import { SystemError } from '../../src/agent/system/errors.js'
import type { Run } from '../../src/agent/system/run.js'
import { parseCidr } from '../../src/agent/wireguard/cidr.js'
import { Handshake } from '../../src/agent/wireguard/handshake.js'
import { WireGuardTunnel } from '../../src/agent/wireguard/tunnel.js'
import { parseDump } from '../../src/agent/wireguard/wg.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { until } from '../support/until.js'

const FOREIGN = `${Buffer.alloc(32, 9).toString('base64')}\t(none)\t(none)\t10.9.9.9/32\t0\t0\t0\toff\n`
const PRIVATE_KEY = Buffer.alloc(32, 5).toString('base64')
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

t.test('packets of WireGuard leave on the link, packets of the link reach WireGuard', async t => {
  const { tunnel, wireguard } = await bench(t)
  const sent: string[] = []
  await tunnel.open(peer({ link: 0x10001 }), packet => sent.push(text(packet)))
  tunnel.deliver(0x10001, bytes('from the peer'))
  const [heard, from] = (await once(wireguard, 'message')) as [Buffer, { port: number }]
  t.equal(text(heard), 'from the peer')
  wireguard.send('to the peer', from.port, '127.0.0.1')
  await until('the packet left', () => sent.length === 1)
  t.same(sent, ['to the peer'])
  t.match(tunnel.metrics(0x10001), { rttMs: null, sentBytes: 11, receivedBytes: 13 })
})

t.test('what any other program sends to a link is not heard', async t => {
  const { tunnel, wireguard } = await bench(t)
  const sent: string[] = []
  await tunnel.open(peer({ link: 0x10001 }), packet => sent.push(text(packet)))
  tunnel.deliver(0x10001, bytes('hello'))
  const [, { port }] = (await once(wireguard, 'message')) as [Buffer, { port: number }]
  const stranger = createSocket('udp4')
  t.teardown(() => stranger.close())
  await new Promise(resolve => stranger.send('let me in', port, '127.0.0.1', resolve))
  wireguard.send('after it', port, '127.0.0.1')
  await until('a packet left', () => sent.length > 0)
  t.same(sent, ['after it'])
})

t.test('packets for a WireGuard that does not listen are counted and lost', async t => {
  const { tunnel, wireguard } = await bench(t)
  await tunnel.open(peer({ link: 0x10001 }), () => {})
  wireguard.close()
  await until('the errors are counted', () => {
    tunnel.deliver(0x10001, bytes('into the void'))
    return tunnel.sendErrors > 2
  })
  tunnel.deliver(0x99999, bytes('for nobody'))
  t.equal(tunnel.metrics(0x99999), null)
})

t.test('opening an open link runs no command and keeps its socket', async t => {
  const { tunnel, commands } = await bench(t)
  await tunnel.open(peer({ link: 0x10001 }), () => {})
  const before = commands.length
  await tunnel.open(peer({ link: 0x10001 }), () => {})
  t.equal(commands.length, before)
})

t.test('a peer that comes back on another link keeps WireGuard’s endpoint', async t => {
  const { tunnel, wireguard, commands } = await bench(t)
  const sent: string[] = []
  await tunnel.open(peer({ link: 0x10001 }), () => sent.push('old'))
  tunnel.deliver(0x10001, bytes('hello'))
  const [, { port }] = (await once(wireguard, 'message')) as [Buffer, { port: number }]
  const before = commands.length

  await tunnel.open(peer({ link: 0x10002 }), () => sent.push('new'))
  await tunnel.close(0x10001)
  t.equal(commands.length, before, 'WireGuard was not told anything')
  wireguard.send('packet', port, '127.0.0.1')
  await until('a packet left', () => sent.length > 0)
  t.same(sent, ['new'])
  t.equal(tunnel.metrics(0x10001), null)
  t.equal(tunnel.metrics(0x10002)?.sentBytes, 6)
})

t.test('the last link of a peer takes the peer and its routes along', async t => {
  const { tunnel, commands } = await bench(t)
  await tunnel.open(peer({ link: 0x10001 }), () => {})
  await tunnel.close(0x10001)
  t.match(commands.at(-2), /^wg set boson0 peer \S+ remove$/)
  t.equal(commands.at(-1), 'ip -force -batch - < route del 10.77.0.9/32 dev boson0')
})

t.test('a peer that is steered is sent to directly, and says something at once', async t => {
  const { tunnel, commands } = await bench(t)
  await tunnel.open(peer({ link: 0x10001 }), () => {})
  const loopback = /endpoint (127\.0\.0\.1:\d+)/.exec(
    commands.find(each => each.includes('endpoint')) ?? '',
  )?.[1]
  const steered = (to: string, keepaliveS: number) =>
    `wg set boson0 peer ${key(1)} persistent-keepalive 0 peer ${key(1)} endpoint ${to} persistent-keepalive ${keepaliveS}`
  await tunnel.steer(0x10001, { at: { address: '2001:db8::12', port: 40_002 }, keepaliveS: 1 })
  t.equal(commands.at(-1), steered('[2001:db8::12]:40002', 1))
  const before = commands.length
  await tunnel.open(peer({ link: 0x10001 }), () => {})
  t.equal(commands.length, before, 'opening it again leaves it there')
  await tunnel.steer(0x10001, { at: { address: '2001:db8::12', port: 40_002 }, keepaliveS: 1 })
  t.equal(commands.at(-1), steered('[2001:db8::12]:40002', 1), 'also when it is there already')
  await tunnel.steer(0x10001, null)
  t.equal(commands.at(-1), steered(loopback ?? '', 25))
  await tunnel.steer(0x99999, null)
  t.equal(commands.length, before + 2, 'a link that is not there is not steered')
})

t.test('WireGuard beckons to a key without letting anything of it in', async t => {
  const { tunnel, commands } = await bench(t)
  await tunnel.beckon(Buffer.alloc(32, 7), 'mesh.example:3478')
  const added = `wg set boson0 peer ${key(7)} endpoint mesh.example:3478 persistent-keepalive 5 allowed-ips `
  t.equal(commands.at(-1), added)
  await tunnel.beckon(Buffer.alloc(32, 7), 'mesh.example:3478')
  t.same(
    commands.slice(-2),
    [`wg set boson0 peer ${key(7)} remove`, added],
    'as a new peer, it is tried at once',
  )
  await tunnel.unbeckon(Buffer.alloc(32, 7))
  t.equal(commands.at(-1), `wg set boson0 peer ${key(7)} remove`)
})

t.test('where WireGuard sends to a peer is read off it', async t => {
  let endpoint = ''
  const { tunnel, commands } = await bench(t, {
    peers: () => `${key(1)}\t(none)\t${endpoint}\t10.77.0.9/32\t0\t2000\t3000\t1\n`,
  })
  await tunnel.open(peer({ link: 0x10001 }), () => {})
  await tunnel.open(
    peer({ link: 0x10002, peerKey: Buffer.alloc(32, 2), allowedIps: ['10.77.0.8/32'] }),
    () => {},
  )
  endpoint = '198.51.100.12:40002'
  const at = { address: '198.51.100.12', port: 40_002 }
  const unknown = { at: null, sentBytes: 0, receivedBytes: 0 }
  t.same(
    [...(await tunnel.figures())],
    [
      [0x10001, { at, sentBytes: 3_000, receivedBytes: 2_000 }],
      [0x10002, unknown],
    ],
  )
  endpoint =
    /endpoint (127\.0\.0\.1:\d+)/.exec(commands.find(each => each.includes('endpoint')) ?? '')?.[1] ?? ''
  t.equal((await tunnel.figures()).get(0x10001)?.at, null, 'through the link')
})

t.test('WireGuard listens where it is told to', async t => {
  const { tunnel, commands } = await bench(t, { port: 51_820 })
  t.match(
    commands.find(each => each.includes('private-key')),
    /^wg set boson0 listen-port 51820 private-key /,
  )
  t.ok(tunnel.ownPort !== null)
})

t.test('hundreds of links opened at once take a handful of commands', async t => {
  const { tunnel, commands } = await bench(t)
  const before = commands.length
  const opened = Array.from({ length: 300 }, (_, n) => {
    const peerKey = Buffer.alloc(32)
    peerKey.writeUInt16BE(n)
    const allowedIps = [`10.77.${n >> 8}.${n & 255}/32`]
    return tunnel.open(peer({ link: 0x10001 + n, peerKey, allowedIps }), () => {})
  })
  await Promise.all(opened)
  const used = commands.length - before
  t.comment(`${used} commands`)
  t.ok(used < 60)
})

t.test('a new peer is woken, even when it is to have no keepalive', async t => {
  const { tunnel, commands } = await bench(t)
  await tunnel.open(peer({ link: 0x10001, keepaliveS: 0 }), () => {})
  const keepalives = commands.flatMap(each => each.match(/persistent-keepalive \d+/) ?? [])
  t.same(keepalives, ['persistent-keepalive 25', 'persistent-keepalive 0'])
})

t.test('a peer that WireGuard refuses fails alone', async t => {
  const { tunnel } = await bench(t, { refuse: key(7) })
  const [good, bad] = await Promise.allSettled([
    tunnel.open(peer({ link: 0x10001, peerKey: Buffer.alloc(32, 1) }), () => {}),
    tunnel.open(
      peer({ link: 0x10002, peerKey: Buffer.alloc(32, 7), allowedIps: ['10.77.0.8/32'] }),
      () => {},
    ),
  ])
  t.equal(good?.status, 'fulfilled')
  t.equal(bad?.status, 'rejected')
})

t.test('an address that is none never reaches a command', async t => {
  const { tunnel, commands } = await bench(t)
  const before = commands.length
  const open = tunnel.open(peer({ link: 0x10001, allowedIps: ['via 1.2.3.4'] }), () => {})
  await t.rejects(open, { code: 'bad_address' })
  t.equal(commands.length, before)
})

t.test('a default route is accepted only by who asked for it', async t => {
  const { tunnel, commands } = await bench(t)
  await tunnel.open(peer({ link: 0x10001, allowedIps: ['0.0.0.0/0', '::/0', '10.77.0.9/32'] }), () => {})
  t.match(
    commands.find(each => each.startsWith('wg set boson0 peer')),
    / allowed-ips 10\.77\.0\.9\/32$/,
  )
})

const EVERYTHING = ['0.0.0.0/0', '::/0']

t.test('the next exit gets everything when it carries, in one command', async t => {
  const { tunnel, wireguard, commands } = await twoExits(t)
  t.match(commands.at(-1), new RegExp(`^wg set boson0 peer ${regexp(key(2))} .* allowed-ips $`), 'not yet')
  const port = Number(/endpoint 127\.0\.0\.1:(\d+)/.exec(commands.at(-1) ?? '')?.[1])
  const before = commands.length

  let hasLeft = false
  await tunnel.open(exit(2), () => {
    hasLeft = true
  })
  wireguard.send(message(1, 148, { 4: 0xcafe }), port, '127.0.0.1')
  await until('the initiation left', () => hasLeft)
  tunnel.deliver(0x10002, message(2, 92, { 4: 0xbeef, 8: 0xcafe }))
  await until('WireGuard is told', () => commands.length > before)
  t.match(commands.at(-1), allowed([2, EVERYTHING.join(',')], [1, '']))

  await tunnel.close(0x10001)
  t.match(commands.at(-1), `peer ${key(1)} remove`)
  t.equal(commands.length, before + 2)
})

t.test('the next exit gets everything when the one before goes first, and before it goes', async t => {
  const { tunnel, commands } = await twoExits(t)
  await tunnel.close(0x10001)
  t.match(commands.at(-2), allowed([2, EVERYTHING.join(',')]))
  t.match(commands.at(-1), `peer ${key(1)} remove`)
})

t.test('an exit that never carried goes without a trace', async t => {
  const { tunnel, commands } = await twoExits(t)
  await tunnel.close(0x10002)
  t.match(commands.at(-1), `peer ${key(2)} remove`)
  await tunnel.close(0x10001)
  await tunnel.open(exit(2), () => {})
  t.match(commands.at(-1), allowed([2, EVERYTHING.join(',')]), 'what nobody has is given at once')
})

t.test('with a full tunnel the coordinator stays outside and nothing leaves in clear', async t => {
  const { tunnel, commands } = await bench(t, { outside: ['203.0.113.10'] })
  await tunnel.open(peer({ link: 0x10001, allowedIps: ['0.0.0.0/0', '::/0'] }), () => {})
  const rules = commands.filter(each => each.startsWith('ip -4'))
  t.same(rules.slice(-5), [
    'ip -4 rule add to 203.0.113.10 lookup main priority 25199',
    'ip -4 route replace unreachable default metric 4294967295 table 25199',
    'ip -4 route replace default dev boson0 table 25199',
    'ip -4 rule add lookup main suppress_prefixlength 0 priority 25200',
    'ip -4 rule add lookup 25199 priority 25201',
  ])
  const before = commands.length
  await tunnel.open(peer({ link: 0x10002, allowedIps: ['0.0.0.0/0', '::/0'] }), () => {})
  t.equal(commands.length, before, 'once')
  await tunnel.stop()
  t.same(
    commands.filter(each => each.startsWith('ip -4 rule del')),
    [
      'ip -4 rule del lookup 25199 priority 25201',
      'ip -4 rule del lookup main suppress_prefixlength 0 priority 25200',
      'ip -4 rule del to 203.0.113.10 lookup main priority 25199',
    ],
  )
})

t.test('the private key is never among the arguments', async t => {
  const { commands, keyFiles } = await bench(t)
  t.notOk(commands.some(each => each.includes(PRIVATE_KEY)))
  t.same(keyFiles, [`${PRIVATE_KEY}\n`], 'but in the file that is named instead')
})

t.test('an interface that is there is attached to: no key, no link, no foreign peer is touched', async t => {
  const { tunnel, commands } = await bench(t, { existing: true })
  await tunnel.open(peer({ link: 0x10001 }), () => {})
  const conflict = peer({ link: 0x10002, peerKey: Buffer.alloc(32, 2), allowedIps: ['10.9.9.9/32'] })
  await t.rejects(
    tunnel.open(conflict, () => {}),
    { code: 'taken' },
  )
  const theirs = peer({ link: 0x10003, peerKey: Buffer.alloc(32, 9) })
  await t.rejects(
    tunnel.open(theirs, () => {}),
    { code: 'taken' },
  )
  await tunnel.stop()
  t.notOk(commands.some(each => /private-key|ip link (add|set|del)/.test(each)))
  t.match(commands.slice(-3), [
    'ip -4 route del 10.77.0.9/32 dev wg0',
    /^wg set wg0 peer \S+ remove$/,
    'ip address del 10.77.0.2/32 dev wg0',
  ])
})

t.test('an interface with another key is not ours to use', async t => {
  const opening = bench(t, { existing: true, theirKey: key(3) })
  await t.rejects(opening, { code: 'taken', message: /another key/ })
})

t.test('both ends read the round trip off the handshake', async t => {
  const clock = new SimulatedClock()
  const initiator = new Handshake({ clock, first: true, repeat: () => {}, agreed: () => {} })
  const responder = new Handshake({ clock, first: true, repeat: () => {}, agreed: () => {} })
  const initiation = message(1, 148, { 4: 0xcafe })
  const response = message(2, 92, { 4: 0xbeef, 8: 0xcafe })
  const data = message(4, 32, { 4: 0xbeef })
  initiator.sent(initiation, 100)
  responder.received(initiation, 120)
  responder.sent(response, 121)
  initiator.received(message(2, 92, { 4: 0xbeef, 8: 0x1111 }), 130)
  t.equal(initiator.rttMs, null, 'the answer to another handshake tells nothing')
  initiator.received(response, 141)
  t.equal(initiator.rttMs, 41)
  initiator.sent(data, 142)
  responder.received(data, 162)
  t.equal(responder.rttMs, 41)
  responder.received(data, 999)
  t.equal(responder.rttMs, 41, 'later packets tell nothing')
  initiator.received(new Uint8Array(0), 1_000)
})

t.test('an initiation is repeated until it is answered', async t => {
  const clock = new SimulatedClock()
  const repeated: Uint8Array[] = []
  const handshake = new Handshake({
    clock,
    first: true,
    repeat: packet => repeated.push(packet),
    agreed: () => {},
  })
  const initiation = message(1, 148, { 4: 0xcafe })
  handshake.sent(initiation, clock.now())
  clock.advance(49)
  t.equal(repeated.length, 0)
  clock.advance(1 + 100 + 200)
  t.same(repeated, [initiation, initiation, initiation], 'byte for byte')
  handshake.received(message(2, 92, { 8: 0xcafe }), clock.now())
  clock.advance(10_000)
  t.equal(repeated.length, 3)
  t.equal(handshake.rttMs, null, 'nobody knows which copy was answered')

  handshake.sent(initiation, clock.now())
  clock.advance(60_000)
  t.equal(repeated.length, 6, 'a peer that has answered gets three more; then WireGuard makes a new one')
  handshake.sent(initiation, clock.now())
  handshake.received(message(2, 92, { 8: 0xcafe }), clock.now() + 299)
  t.equal(handshake.rttMs, 299)
})

t.test('a response is repeated until data comes', async t => {
  const clock = new SimulatedClock()
  const repeated: Uint8Array[] = []
  const handshake = new Handshake({
    clock,
    first: true,
    repeat: packet => repeated.push(packet),
    agreed: () => {},
  })
  const response = message(2, 92, { 4: 0xbeef, 8: 0xcafe })
  handshake.sent(response, clock.now())
  clock.advance(50)
  t.same(repeated, [response])
  handshake.received(message(4, 32, { 4: 0xbeef }), clock.now())
  clock.advance(10_000)
  t.equal(repeated.length, 1)
})

t.test('who is answered, and who gets data after an answer, has agreed', async t => {
  const clock = new SimulatedClock()
  let agreed = 0
  const handshake = new Handshake({ clock, first: true, repeat: () => {}, agreed: () => agreed++ })
  handshake.sent(message(1, 148, { 4: 0xcafe }), 0)
  t.equal(agreed, 0)
  handshake.received(message(2, 92, { 8: 0xcafe }), 10)
  t.equal(agreed, 1)
  handshake.sent(message(2, 92, { 4: 0xbeef }), 20)
  handshake.received(message(4, 32, { 4: 0xbeef }), 30)
  t.equal(agreed, 2)
})

t.test('a responder under load has heard the initiation', async t => {
  const clock = new SimulatedClock()
  let repeated = 0
  const handshake = new Handshake({ clock, first: false, repeat: () => repeated++, agreed: () => {} })
  handshake.sent(message(1, 148, { 4: 0xcafe }), clock.now())
  handshake.received(message(3, 64, { 4: 0xcafe }), clock.now())
  clock.advance(10_000)
  t.equal(repeated, 0)
})

t.test('of two initiations that cross, only one is heard', async t => {
  const clock = new SimulatedClock()
  const first = new Handshake({ clock, first: true, repeat: () => {}, agreed: () => {} })
  const second = new Handshake({ clock, first: false, repeat: () => {}, agreed: () => {} })
  const [a, b] = [message(1, 148, { 4: 0xa }), message(1, 148, { 4: 0xb })]
  t.ok(first.received(b, 0), 'it is heard where none is under way')
  first.sent(a, 0)
  second.sent(b, 0)
  t.notOk(first.received(b, 10))
  t.ok(second.received(a, 10))
  t.ok(first.received(b, 5_000), 'nor is one that was never answered under way for ever')
  first.sent(a, 6_000)
  first.received(message(2, 92, { 8: 0xa }), 6_010)
  t.ok(first.received(b, 6_020), 'nor one that was answered')
})

t.test('a dump is read field by field', async t => {
  const dump = parseDump(
    'priv=\tpub=\t51820\toff\n' +
      'A=\t(none)\t127.0.0.1:4000\t10.77.0.2/32,fd77::2/128\t1700000000\t10\t20\t25\n' +
      'B=\t(none)\t(none)\t(none)\t0\t0\t0\toff\n',
  )
  t.match(dump, { privateKey: 'priv=', publicKey: 'pub=', listenPort: 51820 })
  t.match(dump.peers, [
    {
      publicKey: 'A=',
      endpoint: '127.0.0.1:4000',
      allowedIps: ['10.77.0.2/32', 'fd77::2/128'],
      latestHandshakeS: 1_700_000_000,
    },
    { publicKey: 'B=', endpoint: null, allowedIps: [] },
  ])
})

t.test('addresses from outside are read before use', async t => {
  t.same(parseCidr('10.77.0.2'), { family: '-4', text: '10.77.0.2/32', everything: false })
  t.same(parseCidr('::/0'), { family: '-6', text: '::/0', everything: true })
  for (const wrong of [
    '',
    'default',
    '10.0.0.0/33',
    '1.2.3.4/8/8',
    '1.2.3.4/',
    '-4',
    'fe80::1%eth0/64',
    '1.2.3.4/1 dev lo',
  ]) {
    t.throws(() => parseCidr(wrong), { code: 'bad_address' }, wrong)
  }
})

interface Bench {
  /** `wg0` is there already, with this private key and one peer. */
  existing?: boolean
  theirKey?: string
  /** `wg set` fails when this key is named. */
  refuse?: string
  /** Lines of `wg show … dump`. */
  peers?: () => string
  outside?: readonly string[]
  port?: number
}

/** A tunnel whose commands are written down, with a UDP socket in WireGuard's place. */
async function bench(
  t: Test,
  { existing = false, theirKey = PRIVATE_KEY, refuse, peers, outside, port: wanted = 0 }: Bench = {},
) {
  const wireguard = await listen(t)
  const commands: string[] = []
  const keyFiles: string[] = []
  const port = wireguard.address().port
  const run: Run = async (command, args, { stdin = '' } = {}) => {
    const line = [command, ...args].join(' ')
    commands.push(stdin === '' ? line : `${line} < ${stdin.trim()}`)
    const keyFile = args[args.indexOf('private-key') + 1]
    if (args.includes('private-key') && keyFile !== undefined) keyFiles.push(readFileSync(keyFile, 'utf8'))
    if (line.startsWith('ip link show') && !existing)
      throw new SystemError('command_failed', 'no such device')
    if (refuse !== undefined && line.includes(` ${refuse} endpoint`))
      throw new SystemError('command_failed', 'refused')
    if (line.endsWith('listen-port')) return `${port}\n`
    if (line.endsWith('dump')) return `${theirKey}\t${key(4)}\t${port}\toff\n${peers?.() ?? FOREIGN}`
    return ''
  }
  const { ledger } = await Ledger.open(`${t.testdir()}/machine.json`, run)
  const tunnel = new WireGuardTunnel({
    privateKey: PRIVATE_KEY,
    ledger,
    run,
    log: quiet,
    port: wanted,
    ...(existing && { interface: 'wg0' }),
    ...(outside !== undefined && {
      fullTunnel: new FullTunnel({ outside: () => outside, dns: [], ledger, run }),
    }),
  })
  t.teardown(() => tunnel.stop())
  await tunnel.addressed({ overlay4: '10.77.0.2/32', overlay6: '', mtu: 9_000 })
  return { tunnel, wireguard, commands, keyFiles }
}

/** A tunnel whose default route leads to one exit while a second one is open. */
async function twoExits(t: Test): Promise<Awaited<ReturnType<typeof bench>>> {
  const made = await bench(t, { outside: [] })
  for (const n of [1, 2]) await made.tunnel.open(exit(n), () => {})
  return made
}

const exit = (n: number): Peer =>
  peer({ link: 0x10000 + n, peerKey: Buffer.alloc(32, n), allowedIps: EVERYTHING })

/** A command that gives these addresses to these peers, in this order. */
const allowed = (...peers: readonly (readonly [number, string])[]): RegExp =>
  new RegExp(
    `^wg set boson0${peers.map(([n, ips]) => ` peer ${regexp(key(n))} endpoint \\S+ persistent-keepalive 25 allowed-ips ${regexp(ips)}`).join('')}$`,
  )

const regexp = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

async function listen(t: Test): Promise<Socket> {
  const socket = createSocket('udp4')
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve))
  let open = true
  socket.once('close', () => (open = false))
  t.teardown(() => open && socket.close())
  return socket
}

function peer(given: Partial<Peer>): Peer {
  return {
    link: 0x10001,
    routeId: 'route',
    peerId: 'node',
    peerKey: Buffer.alloc(32, 1),
    peerOverlay4: '10.77.0.9',
    peerOverlay6: '',
    allowedIps: ['10.77.0.9/32'],
    keepaliveS: 25,
    ...given,
  }
}

function message(type: number, size: number, indexes: Readonly<Record<number, number>>): Uint8Array {
  const bytes = Buffer.alloc(size)
  bytes[0] = type
  for (const [at, index] of Object.entries(indexes)) bytes.writeUInt32LE(index, Number(at))
  return bytes
}

function key(byte: number): string {
  return Buffer.alloc(32, byte).toString('base64')
}

function text(packet: Uint8Array): string {
  return Buffer.from(packet).toString()
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text)
}
