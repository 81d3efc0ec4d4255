/** coturn as a server: run and watched by us, and as a stranger that our client meets. */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { keepTurn } from '../../src/actors/turn/turn.effects.js'
import { systemClock } from '../../src/kit/clock.js'
import { systemRandom } from '../../src/kit/random.js'
import { TurnClient } from '../../src/turn/client.js'
import { coturnConfig, safeRelays } from '../../src/turn/coturn-config.js'
import { issueCredentials } from '../../src/turn/credentials.js'
import { type CoturnOptions, ManagedCoturn } from '../../src/turn/coturn.js'
import { startTurn } from '../../src/turn/index.js'
import { UdpSocket } from '../../src/turn/udp.js'
import { until } from '../support/until.js'
import { background, coturnMissing, LOOPBACK, PEER_ADDRESS, SECRET } from './real.js'

const skip = coturnMissing('turnserver')

t.test('a coturn that is too old relays by IPv4 only', async t => {
  const [v4, v6] = [{ address: '20.0.0.1' }, { address: '2600::1' }]
  for (const version of ['4.6.1', '4.13.0', '4.9', '0', 'unknown']) {
    t.same(safeRelays(version, [v4, v6]), [v4], version)
    t.throws(() => safeRelays(version, [v6]), { code: 'coturn_too_old', message: version })
  }
  for (const version of ['4.13.1', '4.13.2', '4.17.1', '5.0.0'])
    t.same(safeRelays(version, [v4, v6]), [v4, v6], version)
})

t.test('B-108: its configuration is hardened, and no setting can smuggle in a line', async t => {
  const config = {
    ...OPTIONS,
    folder: '',
    pidFile: 'turnserver.pid',
    denied: ['25.0.0.0/8', '2600:5::1'],
    excepted: ['10.20.0.0/15'],
  }
  const lines = coturnConfig({ ...config, relays: [{ address: '10.0.0.5', advertised: '20.0.0.1' }] }).split(
    '\n',
  )
  const wanted = `
    use-auth-secret no-cli no-tcp-relay no-multicast-peers no-dtls no-tls stale-nonce=600 user-quota=4
    external-ip=20.0.0.1/10.0.0.5 denied-peer-ip=25.0.0.0-25.255.255.255 denied-peer-ip=2600:5::1-2600:5::1
    allowed-peer-ip=10.20.0.0-10.21.255.255
    denied-peer-ip=::ffff:0.0.0.0-::ffff:255.255.255.255
  `
  for (const line of wanted.trim().split(/\s+/)) t.ok(lines.includes(line), line)
  for (const name of ['static-auth-secret', 'min-port', 'max-port', 'listening-port', 'denied-peer-ip'])
    t.ok(
      lines.some(line => line.startsWith(`${name}=`)),
      name,
    )
  t.notOk(coturnConfig({ ...config, excepted: [] }).includes('allow'))
  t.throws(() => coturnConfig({ ...config, realm: 'a\nallow-loopback-peers' }), { code: 'refused' })
})

t.test('a coturn that is not installed is said', async t => {
  await t.rejects(managed(t, { program: 'no-such-turnserver' }), { code: 'coturn_missing' })
})

t.test(
  'a managed coturn serves, keeps its secrets to itself, and refuses the peers that ours refuses',
  { skip },
  async t => {
    const { turn, folder } = await managed(t)
    await until('it is healthy', async () => (await turn.health()).status === 'healthy')
    const file = join(folder, 'turnserver.conf')
    t.equal(statSync(file).mode & 0o777, 0o600)
    t.match(readFileSync(file, 'utf8'), SECRET)
    const [, relay] = turn.issueCredentials('node-1')
    const port = Number(/:(\d+)\?/.exec(relay?.urls[0] ?? '')?.[1])
    const { client } = await connect(t, port)
    t.match(await client.allocate(), { relayed: { address: LOOPBACK } })
    for (const address of [
      LOOPBACK,
      '169.254.169.254',
      '10.0.0.1',
      '100.64.0.1',
      '192.168.1.1',
      '198.51.100.1',
    ])
      await t.rejects(client.permit([address]), { code: 'refused', message: /403/ }, address)
    for (const address of ['::1', '::ffff:7f00:1', '64:ff9b::7f00:1', 'fd00::1'])
      await t.rejects(client.permit([address]), { code: 'refused', message: /4[04]3/ }, address)
    await turn.stop()
    t.throws(() => statSync(file), { code: 'ENOENT' })
    t.equal((await turn.health()).status, 'unhealthy')
  },
)

t.test('a managed coturn that ends says so, and is started again', { skip }, async t => {
  const folder = temporary(t)
  const warned: object[] = []
  const kept = keepTurn({
    clock: systemClock,
    random: systemRandom,
    log: { info() {}, warn: fields => warned.push(fields) },
    open: async ended => (await managed(t, { folder, ended })).turn,
    described: () => ({}),
  })
  t.teardown(() => kept.stop())
  await kept.start()
  t.equal(kept.state(), 'up')
  const first = pidIn(folder)
  process.kill(first, 'SIGKILL')
  await until('its end is noticed', () => kept.state() === 'degraded')
  t.match(warned, [{ reason: /^coturn ended with null/ }])
  await until('another one serves', () => kept.state() === 'up')
  t.not(pidIn(folder), first, 'another process serves')
})

t.test('a coturn that a killed process left behind is ended, as it holds the port', { skip }, async t => {
  const folder = temporary(t)
  const listen = { ...OPTIONS.listen, port: await freePort() }
  let ended = ''
  await managed(t, { folder, listen, ended: reason => (ended = reason) })
  const first = pidIn(folder)
  const { turn } = await managed(t, { folder, listen })
  await until('the orphan is gone', () => ended !== '')
  t.not(pidIn(folder), first)
  t.equal((await turn.health()).status, 'healthy')
})

t.test('our client uses a coturn that knows nothing of us', { skip }, async t => {
  const port = await freePort()
  const flags = [
    '-n',
    '--no-cli',
    '--no-tls',
    '--no-dtls',
    '-L',
    LOOPBACK,
    '-p',
    `${port}`,
    '-r',
    'example.org',
  ]
  const secrets = ['--use-auth-secret', `--static-auth-secret=${SECRET}`, '--allow-loopback-peers']
  const folder = temporary(t)
  background(t, 'turnserver', [...flags, ...secrets, '-l', 'stdout', '--pidfile', join(folder, 'pid')])
  const external = await startTurn({
    mode: 'external',
    clock: systemClock,
    random: systemRandom,
    urls: [`turn:${LOOPBACK}:${port}`],
    secret: SECRET,
  })
  await until('coturn answers', async () => (await external.health()).status === 'healthy')
  const heard: string[] = []
  const { client } = await connect(t, port, data => heard.push(data.toString()))
  t.match(await client.binding(), { address: LOOPBACK })
  const { relayed, lifetimeS } = await client.allocate()
  t.equal(lifetimeS, 600)
  const peer: Buffer[] = []
  const socket = await UdpSocket.open({
    address: PEER_ADDRESS,
    port: 0,
    bufferBytes: 65_536,
    received: data => peer.push(data),
    failed: () => {},
  })
  t.teardown(() => socket.close())
  await client.permit([PEER_ADDRESS])
  client.send(socket.endpoint, Buffer.from('hello'))
  await until('the peer hears', () => peer.length === 1)
  socket.send(Buffer.from('by indication'), relayed)
  await client.bind(socket.endpoint)
  client.send(socket.endpoint, Buffer.from('again'))
  await until('the peer hears again', () => peer.length === 2)
  socket.send(Buffer.from('by channel'), relayed)
  await until('we hear', () => heard.length === 2)
  t.same(heard, ['by indication', 'by channel'])
  t.equal(await client.refresh(0), 0)
})

t.test('off is a service too', async t => {
  const turn = await startTurn({ mode: 'off', clock: systemClock, random: systemRandom })
  t.same([turn.issueCredentials('a'), turn.endpoints()], [[], { stun: [], turn: [], probed: [] }])
  t.same(await turn.health(), { status: 'disabled', latencyMs: null })
})

const OPTIONS = {
  clock: systemClock,
  random: systemRandom,
  host: LOOPBACK,
  listen: { addresses: [LOOPBACK], port: 0, tlsPort: null },
  relays: [{ address: LOOPBACK }],
  ports: { first: 41_000, last: 41_999 },
  realm: 'bosonserver',
  secrets: [SECRET],
  tls: null,
  denied: [],
  quotas: { perUser: 4, total: 100 },
} satisfies Omit<CoturnOptions, 'folder'>

async function managed(t: Test, options: Partial<CoturnOptions> = {}) {
  const folder = temporary(t)
  const listen = { ...OPTIONS.listen, port: await freePort() }
  const turn = await ManagedCoturn.start({ ...OPTIONS, listen, folder, ...options })
  t.teardown(() => turn.stop())
  return { turn, folder }
}

/** Connects a client of ours, with credentials, to a server on this machine. */
async function connect(t: Test, port: number, data: (data: Buffer) => void = () => {}) {
  const { username, password } = issueCredentials(SECRET, 'node-1', 600, systemClock.wallMs())
  const socket = await UdpSocket.open({
    address: LOOPBACK,
    port: 0,
    bufferBytes: 65_536,
    received: bytes => void client.received(bytes),
    failed: () => {},
  })
  const client: TurnClient = new TurnClient({
    clock: systemClock,
    random: systemRandom,
    send: bytes => socket.send(bytes, { address: LOOPBACK, port }),
    username,
    password,
    data: (_peer, bytes) => data(bytes),
  })
  t.teardown(() => {
    client.close()
    socket.close()
  })
  return { client }
}

const pidIn = (folder: string): number => Number(readFileSync(join(folder, 'turnserver.pid'), 'utf8'))

function temporary(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'turn-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, LOOPBACK)
  await once(server, 'listening')
  const { port } = server.address() as { port: number } // it listens on an IP address
  server.close()
  await once(server, 'close')
  return port
}
