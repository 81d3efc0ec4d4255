/** Real sockets on loopback and a real coordinator: what programs send leaves the relay and comes back to it. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { DirectSocket } from '../../../src/agent/direct/direct-socket.js'
import { openDatagrams } from '../../../src/agent/direct/open-datagrams.js'
import { UdpWay } from '../../../src/agent/direct/udp-way.js'
import { MeshClient, MeshNode, UdpTunnel } from '../../../src/agent/index.js'
import { newKeyPair } from '../../../src/protocol/proof.js'
import { servedMesh } from '../support/served-mesh.js'
import { until } from '../../support/until.js'

t.test('two agents find each other, and are back on the relay when a socket dies', async t => {
  const { address, credential } = await servedMesh(t)
  const sockets = { node: loopbackSocket(), client: loopbackSocket() }
  const tunnels = {
    node: new UdpTunnel({ applicationPort: await echoing(t), sealed: true }),
    client: new UdpTunnel({ sealed: true }),
  }
  const agent = (role: 'node' | 'client') => ({
    id: role,
    url: address,
    credential,
    privateKey: newKeyPair().privateKey,
    tunnel: tunnels[role],
    ways: [new UdpWay({ socket: sockets[role], reachable: () => true })],
  })
  const node = new MeshNode(agent('node'))
  const client = new MeshClient(agent('client'))
  t.teardown(() => Promise.all([node.stop(), client.stop()]))
  await node.start()
  await client.start()
  const { link } = await client.route()
  const path = () => client.status().links[0]
  await until('the path is settled as direct', () => path()?.state === 'direct')
  t.match(path(), { via: 'udp', tier: 'direct' })
  const program = await Program.start(t, tunnels.client.portOf(link) ?? 0)
  await until('an echo came', () => program.pinged('direct'))
  t.ok((client.linkMetrics(link)?.directReceivedBytes ?? 0) > 0)

  sockets.node.close()
  await until('an echo came by the relay', () => program.pinged('relayed'))
  await until('both ends have left', () => path()?.state === 'relayed')
  // The end whose socket died may have said already that it has none.
  t.match(path(), { reason: /^(?:direct_lost|no_stun)$/, tier: 'relayed' })
})

t.test('the sockets of both IP versions have one port, and say so', async t => {
  const heard: string[] = []
  const open = openDatagrams({ addresses: () => ['127.0.0.1', '::1'] })
  const one = await open(() => {})
  const other = await open((bytes, from) => heard.push(`${Buffer.from(bytes).toString()} ${from.address}`))
  t.teardown(() => [one, other].forEach(each => each.close()))
  const ports = new Set(other.local().map(({ port }) => port))
  t.equal(ports.size, 1)
  for (const to of other.local()) one.send(Buffer.from('hello'), to)
  await until('all have arrived', () => heard.length === other.local().length)
  t.same(
    heard.sort(),
    other
      .local()
      .map(({ address }) => `hello ${address}`)
      .sort(),
  )
})

t.test('a port that is taken is an error that says so', async t => {
  const socket = createSocket('udp4')
  t.teardown(() => socket.close())
  socket.bind(0, '0.0.0.0')
  await once(socket, 'listening')
  const { port } = socket.address()
  await t.rejects(
    openDatagrams({ port })(() => {}),
    { code: 'EADDRINUSE' },
  )
})

function loopbackSocket(): DirectSocket {
  const bind = { 4: '127.0.0.1', 6: null }
  return new DirectSocket(openDatagrams({ bind, addresses: () => ['127.0.0.1'] }))
}

/** A program that sends back what it gets; returns its port. */
async function echoing(t: Test): Promise<number> {
  const socket = createSocket('udp4', (bytes, from) => socket.send(bytes, from.port, from.address))
  t.teardown(() => socket.close())
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket.address().port
}

/** A program that sends to one port and remembers what came back. */
class Program {
  readonly #socket = createSocket('udp4')
  readonly #heard = new Set<string>()
  readonly #port: number

  private constructor(port: number) {
    this.#port = port
    this.#socket.on('message', bytes => this.#heard.add(bytes.toString()))
  }

  static async start(t: Test, port: number): Promise<Program> {
    const program = new Program(port)
    t.teardown(() => program.#socket.close())
    program.#socket.bind(0, '127.0.0.1')
    await once(program.#socket, 'listening')
    return program
  }

  /** Sends it once more; returns whether it has come back. */
  pinged(text: string): boolean {
    this.#socket.send(text, this.#port, '127.0.0.1')
    return this.#heard.has(text)
  }
}
