import t from 'tap'
import { join } from 'node:path'
import { until } from '../support/until.js'
import { connected, makeMesh, online, states } from './made-mesh.js'
import { cannotRun, COORDINATOR } from './namespaces.js'
import { killWireguardGo, SERVER_URL, wireguardGo } from './processes.js'
import { INTERNET } from './star.js'

const skip = cannotRun()
const why = skip === false ? '' : ` (${skip})`

t.test(`a client sends everything through an exit${why}`, { skip }, async t => {
  const mesh = await makeMesh(t)
  const { lab } = mesh
  const before = await states(lab)
  const node = mesh.startNode('--exit')
  await online(node)
  const client = mesh.startClient('--all', '--dns', '192.0.2.80')
  await connected(client)

  await t.test('it reaches the internet, and the coordinator outside the tunnel', async t => {
    t.notOk(await lab.coordinator.reaches(INTERNET), 'which only the node can')
    await until('a ping comes back from the internet', () => lab.client.reaches(INTERNET))
    t.match(await lab.client.run('ip', 'route', 'get', INTERNET), /table 25199/)
    t.match(await lab.client.run('ip', 'route', 'get', COORDINATOR), /dev up0/)
  })

  await t.test('it asks the name servers that were given', async t => {
    t.match(await lab.client.run('cat', '/etc/resolv.conf'), 'nameserver 192.0.2.80')
  })

  await t.test('an exit is no way into its own network', async t => {
    await lab.node.run('ip', 'address', 'add', '192.168.7.1/24', 'dev', 'wan0')
    await lab.internet.run('ip', 'address', 'add', '192.168.7.2/24', 'dev', 'up0')
    t.ok(await lab.node.reaches('192.168.7.2'))
    t.notOk(await lab.client.reaches('192.168.7.2'))
    await lab.node.run('ip', 'address', 'del', '192.168.7.1/24', 'dev', 'wan0')
  })

  await t.test('everything goes through the tunnel again when wireguard-go has died', async () => {
    const { interface: iface } = await client.says('it is online', ({ state }) => state === 'online')
    const killed = killWireguardGo(iface)
    await until('wireguard-go runs again', () => ![null, killed].includes(wireguardGo(iface)))
    await until('a ping comes back from the internet', () => lab.client.reaches(INTERNET))
  })

  await t.test('nothing leaves in clear while the interface is away', async t => {
    await client.end('SIGKILL')
    await lab.client.run('ip', 'link', 'del', 'dev', client.lines.at(-1)?.interface ?? '')
    await t.rejects(lab.client.run('ip', 'route', 'get', INTERNET), /No route to host/)
  })

  await t.test('after kill -9 the next start gives everything back', async t => {
    const next = mesh.startClient('--all', '--dns', '192.0.2.80')
    await connected(next)
    t.match(next.err, /gave back what an earlier process left: interface, (?:rule, )+route/)
    await until('a ping comes back from the internet', () => lab.client.reaches(INTERNET))
    t.equal(await next.end(), 0)
  })

  t.equal(await node.end(), 0)
  t.same(await states(lab), before, 'nothing is left')
})

t.test(`who may not make interfaces is told what is missing${why}`, { skip }, async t => {
  const { lab, root } = await makeMesh(t)
  const state = join(root, 'nobody')
  await lab.node.run('install', '-d', '-o', '65534', state)
  await lab.node.run('chmod', '755', root)
  const nobody = ['--reuid=65534', '--clear-groups', '--inh-caps=-all', process.execPath]
  const boson = new URL('../../../bin/boson', import.meta.url).pathname
  const command = [...nobody, boson, 'node', '--server', SERVER_URL, '--state-dir', state]
  const refused: unknown = await lab.node.run('setpriv', ...command).catch((error: unknown) => error)
  t.match(refused, { exitCode: 6, said: /run as root, or give the process/ })
})
