import t from 'tap'
import { until } from '../support/until.js'
import { makeMesh, online } from './made-mesh.js'
import { cannotRun } from './namespaces.js'
import { INTERNET, NODE } from './star.js'

const skip = cannotRun()
const why = skip === false ? '' : ` (${skip})`

t.test(`a client that sends everything through an exit reaches it directly${why}`, { skip }, async t => {
  const mesh = await makeMesh(t)
  const { lab } = mesh
  // Elsewhere in this lab node and client reach nobody but the coordinator.
  await lab.coordinator.run('nft', 'delete', 'table', 'inet', 'lab')
  await lab.coordinator.run('sysctl', '-w', 'net.ipv4.ip_forward=1')
  await online(mesh.startNode('--exit'))
  const client = mesh.startClient('--all')
  for (const via of ['udp', 'wireguard'])
    await client.says(`the path is direct by ${via}`, line => line.path === 'direct' && line.via === via)
  t.match(await lab.client.run('ip', 'rule'), /ipproto udp sport \d+ lookup main/)
  await until('a ping comes back from the internet', () => lab.client.reaches(INTERNET))
  t.match(
    await lab.client.run('ip', 'route', 'get', NODE),
    /table 25199/,
    'but for the ports, nothing is let out',
  )
})
