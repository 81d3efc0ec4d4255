/** `boson server` under live agents: how it ends, and what its next start finds. */
import { randomBytes } from 'node:crypto'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { MeshClient, MeshNode } from '../../src/agent/index.js'
import { commandIn, freePort, startServer } from '../support/boson.js'
import { makeCertificate, subject } from '../support/certificate.js'
import { until } from '../support/until.js'

const FAST = { BOSON_RESTART_SPREAD_MS: '200' }

for (const [how, signal, exitCode] of [
  ['asked to stop', 'SIGTERM', 0],
  ['killed', 'SIGKILL', null],
] as const) {
  t.test(`a server that is ${how} finds its agents again, with their route`, async t => {
    const boson = commandIn(t)
    const env = { ...FAST, PORT: String(await freePort()) }
    const first = await startServer(t, { cwd: boson.cwd, env })
    const { stdout } = await boson('enrol', '--uses', 'any', '--port', env.PORT)
    const { node, client, packets } = await pair(t, first.port, stdout.trim())
    const before = client.current
    const address = client.status().session?.overlay4
    t.equal(await first.end(signal), exitCode)

    await startServer(t, { cwd: boson.cwd, env })
    client.nudge()
    node.nudge()
    await until('both are back', () => [node, client].every(agent => agent.status().state === 'online'))
    t.equal(client.current?.routeId, before?.routeId, 'the route stands')
    t.equal(client.status().session?.overlay4, address)
    const received = packets.length
    await until('packets travel again', () => {
      client.send(WIREGUARD_LIKE)
      return packets.length > received
    })
  })
}

t.test('agents are told when to come back before the server stops', async t => {
  const boson = commandIn(t)
  const server = await startServer(t, { cwd: boson.cwd, env: FAST })
  const { stdout } = await boson('enrol', '--uses', 'any', '--port', String(server.port))
  const { node } = await pair(t, server.port, stdout.trim())
  const heard = new Promise<{ reason: string; retryInMs: number }>(resolve => node.on('offline', resolve))
  t.equal(await server.end('SIGTERM'), 0)
  const { retryInMs } = await heard
  t.ok(retryInMs <= 200 + 1_000, `it returns in ${retryInMs} ms`)
})

t.test('a certificate is read again at SIGHUP; one that cannot be used changes nothing', async t => {
  const dir = t.testdir()
  for (const name of ['one', 'two']) makeCertificate(dir, name)
  const [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')]
  const use = (from: string, keyFrom = from) => {
    copyFileSync(join(dir, `${from}.crt`), cert)
    copyFileSync(join(dir, `${keyFrom}.key`), key)
  }
  use('one')
  const env = { ...FAST, BOSON_TLS_CERT: cert, BOSON_TLS_KEY: key }
  const server = await startServer(t, { cwd: dir, env })
  t.equal(await subject(server.port), 'one')
  use('two')
  server.signal('SIGHUP')
  await until('the certificate was read', () => server.said().includes('the certificate was read again'))
  t.equal(await subject(server.port), 'two')
  use('one', 'two')
  server.signal('SIGHUP')
  await until('the certificate was refused', () => server.said().includes('the old one stays'))
  t.equal(await subject(server.port), 'two')
  t.equal(await server.end('SIGINT'), 0)
})

t.test('a certificate that cannot be used keeps the server from starting', async t => {
  const env = { BOSON_TLS_CERT: 'no.crt', BOSON_TLS_KEY: 'no.key' }
  const { code, stderr } = await commandIn(t, { env })('server', '--port', '0')
  t.equal(code, 2)
  t.match(stderr, 'boson: wanted a certificate (no.crt) and its private key (no.key), both PEM and readable')
})

/** The smallest thing that the relay takes for WireGuard: an empty transport message. */
const WIREGUARD_LIKE = Uint8Array.of(4, ...Array.from({ length: 31 }, () => 0))

async function pair(t: Test, port: number, credential: string) {
  const url = `ws://127.0.0.1:${port}`
  const node = new MeshNode({ url, id: 'fra-1', privateKey: randomBytes(32), credential })
  const client = new MeshClient({ url, id: 'alice', privateKey: randomBytes(32), credential })
  t.teardown(() => Promise.all([node.stop(), client.stop()]))
  const packets: number[] = []
  node.on('packet', ({ packet }) => packets.push(packet.length))
  await node.start()
  await client.start()
  await client.route()
  await until('packets travel', () => {
    client.send(WIREGUARD_LIKE)
    return packets.length > 0
  })
  return { node, client, packets }
}
