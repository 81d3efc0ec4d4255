/** `boson server` serves STUN and TURN: to whoever has a session, and no longer. */
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { dialWs } from '../../src/agent/dial-ws.js'
import { MeshNode } from '../../src/agent/index.js'
import { systemClock } from '../../src/kit/clock.js'
import { systemRandom } from '../../src/kit/random.js'
import { TurnClient } from '../../src/turn/client.js'
import { issueCredentials } from '../../src/turn/credentials.js'
import { commandIn, freePort, startServer } from '../support/boson.js'
import { makeCertificate, subject } from '../support/certificate.js'
import { RawAgent } from '../support/raw-agent.js'
import { until } from '../support/until.js'
import { background, coturnMissing, output } from '../turn/real.js'

const SECRET = 'a secret of at least thirty-two bytes'

t.test(
  'an agent with a session relays by TURN, a stranger does not, and neither does the agent afterwards',
  async t => {
    const boson = commandIn(t)
    const server = await startServer(t, { cwd: boson.cwd, env: { TURN_STATIC_SECRET: SECRET } })
    t.match(await health(server.port), { status: 'healthy', services: { turn: { status: 'healthy' } } })
    const credential = (await boson('enrol', '--uses', 'any', '--port', String(server.port))).stdout.trim()
    const url = `ws://127.0.0.1:${server.port}`
    const node = new MeshNode({ url, id: 'fra-1', privateKey: randomBytes(32), credential })
    t.teardown(() => node.stop())
    await node.start()
    const port = Number(/turn:127\.0\.0\.1:(\d+)\?transport=udp/.exec(server.said())?.[1])
    const client = await turnClient(t, port, 'fra-1')
    t.match(await client.allocate(), { relayed: { address: '127.0.0.1' } })
    await t.rejects((await turnClient(t, port, 'fra-2')).allocate(), { message: /401/ })
    await node.stop()
    await until('the session ended and its relay with it', () =>
      client.refresh(600).then(
        () => false,
        () => true,
      ),
    )
    t.equal(await server.end('SIGTERM'), 0)
  },
)

t.test('an agent is told where STUN and TURN are when it registers, renews and resumes', async t => {
  const boson = commandIn(t)
  const server = await startServer(t, { cwd: boson.cwd, env: { TURN_STATIC_SECRET: SECRET } })
  const credential = (await boson('enrol', '--port', String(server.port))).stdout.trim()
  const port = Number(/turn:127\.0\.0\.1:(\d+)\?transport=udp/.exec(server.said())?.[1])
  const url = `ws://127.0.0.1:${server.port}/mesh`
  const node = new RawAgent({ dial: dialWs(), url, role: 'node', id: 'fra-1' }).connect()
  t.teardown(() => node.hangUp())
  await until('the welcome', () => node.names().includes('welcome'))
  node.say(node.hello({ credential }))
  await until('the answer', () => node.names().includes('registered'))
  const { iceServers = [] } = node.last('registered')
  t.match(iceServers, [
    [`stun:127.0.0.1:${port}`, null, null],
    [`turn:127.0.0.1:${port}?transport=udp`, /^\d{10}:fra-1$/, /^.{27}=$/],
    [/^turn:.*\?transport=tcp$/, /:fra-1$/, /^.{27}=$/],
  ])
  const [, , [, username, password] = []] = iceServers
  const client = await turnClient(t, port, 'fra-1', { username: username ?? '', password: password ?? '' })
  t.match(await client.allocate(), { relayed: { address: '127.0.0.1' } })
  node.say({ type: 'renew' })
  await until('the new ticket', () => node.names().includes('renewed'))
  t.equal(node.last('renewed').iceServers?.length, 3)
  const { ticket } = node.last('renewed')
  node.hangUp()
  node.forget()
  node.connect()
  await until('the welcome', () => node.names().includes('welcome'))
  node.say({ type: 'resume', ticket })
  await until('the answer', () => node.names().includes('resumed'))
  t.equal(node.last('resumed').iceServers?.length, 3)
})

t.test('B-033: without a free port for TURN the mesh serves, and says that it is degraded', async t => {
  const holder = createSocket('udp4').bind(0, '127.0.0.1')
  t.teardown(() => holder.close())
  await once(holder, 'listening')
  const server = await startServer(t, { env: { TURN_LISTENING_PORT: String(holder.address().port) } })
  t.match(await health(server.port), { status: 'degraded', services: { turn: { status: 'unhealthy' } } })
  t.match(server.said(), 'STUN and TURN do not serve')
})

t.test('TURN that is off is disabled, not missing', async t => {
  const server = await startServer(t, { env: { BOSON_TURN_MODE: 'off' } })
  t.match(await health(server.port), { status: 'healthy', services: { turn: { status: 'disabled' } } })
})

t.test('a coturn that the settings ask for is run, watched, and run again when it is killed', async t => {
  if (coturnMissing('turnserver') !== false) return t.pass('', { skip: 'coturn not installed' })
  const [boson, port] = [commandIn(t), await freePort()]
  const env = {
    BOSON_TURN_MODE: 'coturn',
    TURN_LISTENING_PORT: String(port),
    BOSON_TURN_OTHER_PORT: String(await freePort()),
    BOSON_TURN_PORTS: '42000-42099',
    TURN_STATIC_SECRET: SECRET,
  }
  const server = await startServer(t, { cwd: boson.cwd, env })
  await endCoturn(t, boson.cwd)
  t.match(await health(server.port), { services: { turn: { status: 'healthy', state: 'up' } } })
  t.match(
    await readFile(join(boson.cwd, '.boson/coturn/turnserver.conf'), 'utf8'),
    'denied-peer-ip=10.77.0.0-',
  )
  const client = await turnClient(t, port, 'fra-1')
  t.match(await client.allocate(), { relayed: { address: '127.0.0.1' } })
  await t.rejects(client.permit(['10.0.0.1']), { message: /403/ })
  const pid = () => coturnOf(boson.cwd)
  const first = await pid()
  process.kill(first, 'SIGKILL')
  await until('another one serves', async () => (await pid()) !== first && (await isUp(server.port)))
  t.match(server.said(), 'coturn ended with null')
  const second = await pid()
  await endCoturn(t, boson.cwd)
  t.equal(await server.end('SIGTERM'), 0)
  t.throws(() => process.kill(second, 0), { code: 'ESRCH' }, 'and it is not left behind')
})

t.test('B-033: another server is handed out, and its silence is noticed', async t => {
  const away = await freePort()
  const env = { BOSON_TURN_MODE: 'external', BOSON_TURN_URLS: `turn:127.0.0.1:${away}?transport=udp` }
  const server = await startServer(t, { env: { ...env, BOSON_TURN_OTHER_PORT: '0' } })
  t.match(await health(server.port), { status: 'degraded', services: { turn: { status: 'unhealthy' } } })
  t.match(server.said(), `turn:127.0.0.1:${away}?transport=udp`)
})

for (const mode of ['embedded', 'coturn'])
  t.test(`coturn’s client relays without loss with the credentials of a session: ${mode}`, async t => {
    if (coturnMissing('turnserver', 'turnutils_uclient', 'turnutils_peer') !== false)
      return t.pass('', { skip: 'coturn not installed' })
    const [boson, port, peerPort] = [commandIn(t), await freePort(), await freePort()]
    const env = {
      BOSON_TURN_MODE: mode,
      TURN_LISTENING_PORT: String(port),
      BOSON_TURN_OTHER_PORT: '0',
      BOSON_TURN_PORTS: '43000-43999',
      BOSON_TURN_EXCEPTED: '127.0.0.0/8',
      TURN_STATIC_SECRET: SECRET,
    }
    const server = await startServer(t, { cwd: boson.cwd, env })
    if (mode === 'coturn') await endCoturn(t, boson.cwd)
    const credential = (await boson('enrol', '--port', String(server.port))).stdout.trim()
    const url = `ws://127.0.0.1:${server.port}/mesh`
    const node = new RawAgent({ dial: dialWs(), url, role: 'node', id: 'fra-1' }).connect()
    t.teardown(() => node.hangUp())
    await until('the welcome', () => node.names().includes('welcome'))
    node.say(node.hello({ credential }))
    await until('the answer', () => node.names().includes('registered'))
    const relay = node.last('registered').iceServers?.find(([uri]) => uri.startsWith('turn:')) ?? []
    const [, username, password] = relay
    background(t, 'turnutils_peer', ['-L', '127.0.0.2', '-p', String(peerPort)])
    const peer = ['-e', '127.0.0.2', '-r', String(peerPort), '-n', '10', '-m', '1', '-l', '1200', '-c']
    const as = ['-u', username ?? '', '-w', password ?? '', '-p', String(port)]
    await Promise.all(
      [[], ['-s'], ['-t'], ['-y']].map(async way => {
        const printed = await output('turnutils_uclient', [...way, ...as, ...peer, '127.0.0.1'])
        t.match(printed, /Total lost packets 0 \(0\.0+%\)/, way.join(' '))
      }),
    )
  })

t.test('with a second address coturn’s discovery classifies what is in front of it', async t => {
  if (coturnMissing('turnutils_natdiscovery') !== false) return t.pass('', { skip: 'coturn not installed' })
  const port = await freePort()
  const env = {
    TURN_LISTENING_PORT: String(port),
    BOSON_TURN_OTHER_PORT: String(await freePort()),
    BOSON_TURN_OTHER_ADDRESS: '127.0.0.2',
  }
  await startServer(t, { env })
  const printed = await output(
    'turnutils_natdiscovery',
    ['-m', '-f', '-p', String(port), '127.0.0.1'],
    10_000,
  )
  t.match(printed, /Endpoint Independent Mapping/)
  t.match(printed, /Endpoint Independent Filtering/)
})

t.test('with a certificate TURN is served over TLS, and a new certificate is taken up', async t => {
  const dir = t.testdir()
  for (const name of ['one', 'two']) makeCertificate(dir, name)
  const [cert, key] = [join(dir, 'one.crt'), join(dir, 'one.key')]
  const server = await startServer(t, { cwd: dir, env: { BOSON_TLS_CERT: cert, BOSON_TLS_KEY: key } })
  const port = Number(/turns:127\.0\.0\.1:(\d+)\?transport=tcp/.exec(server.said())?.[1])
  t.equal(await subject(port), 'one')
  await Promise.all([copyFile(join(dir, 'two.crt'), cert), copyFile(join(dir, 'two.key'), key)])
  server.signal('SIGHUP')
  await until('the new one is shown', async () => (await subject(port)) === 'two')
})

t.test('relays of IPv6 are opened beside those of IPv4', async t => {
  const env = { BOSON_TURN_ADDRESS6: '::1', TURN_STATIC_SECRET: SECRET }
  const boson = commandIn(t)
  const server = await startServer(t, { cwd: boson.cwd, env })
  const credential = (await boson('enrol', '--port', String(server.port))).stdout.trim()
  const url = `ws://127.0.0.1:${server.port}`
  const node = new MeshNode({ url, id: 'fra-1', privateKey: randomBytes(32), credential })
  t.teardown(() => node.stop())
  await node.start()
  const port = Number(/turn:127\.0\.0\.1:(\d+)\?transport=udp/.exec(server.said())?.[1])
  const client = await turnClient(t, port, 'fra-1')
  t.match(await client.allocate(6), { relayed: { address: '::1' } })
  t.match(server.said(), 'turn:[::1]:')
})

const coturnOf = async (cwd: string): Promise<number> =>
  Number(await readFile(join(cwd, '.boson/coturn/turnserver.pid'), 'utf8'))

/** A server that a failed test kills cannot end its coturn. */
async function endCoturn(t: Test, cwd: string): Promise<void> {
  const pid = await coturnOf(cwd)
  t.teardown(() => {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It is gone, as it should be.
    }
  })
}

const isUp = async (port: number): Promise<boolean> =>
  JSON.stringify(await health(port)).includes('"turn":{"status":"healthy","state":"up"}')

const health = async (port: number): Promise<unknown> =>
  (await fetch(`http://127.0.0.1:${port}/health`)).json()

async function turnClient(
  t: Test,
  port: number,
  id: string,
  credentials: { username: string; password: string } = issueCredentials(
    SECRET,
    id,
    600,
    systemClock.wallMs(),
  ),
): Promise<TurnClient> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const client = new TurnClient({
    clock: systemClock,
    random: systemRandom,
    send: bytes => socket.send(bytes, port, '127.0.0.1'),
    ...credentials,
  })
  socket.on('message', bytes => client.received(bytes))
  t.teardown(() => {
    client.close()
    socket.close()
  })
  return client
}
