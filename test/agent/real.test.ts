import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { dialWs } from '../../src/agent/dial-ws.js'
import { MeshClient } from '../../src/agent/mesh-client.js'
import { MeshNode } from '../../src/agent/mesh-node.js'
import { UdpTunnel } from '../../src/agent/udp-tunnel.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { servedMesh } from './support/served-mesh.js'

t.test('UDP of an application crosses two agents and a coordinator, and comes back', async t => {
  const { address, credential } = await servedMesh(t)
  const agent = (id: string) => ({ url: address, id, privateKey: newKeyPair().privateKey, credential })
  const node = new MeshNode(agent('fra-1'))
  t.teardown(() => node.stop())
  node.on('packet', ({ link, packet }) => node.send(link, packet))
  const tunnel = new UdpTunnel()
  const client = new MeshClient({ ...agent('alice'), tunnel })
  t.teardown(() => client.stop())
  await Promise.all([node.start(), client.start()])
  const { link } = await client.route()

  const application = createSocket('udp4')
  t.teardown(() => application.close())
  const answered = once(application, 'message')
  application.send('ping', tunnel.portOf(link) as number, '127.0.0.1') // the route is there
  t.equal(String((await answered)[0]), 'ping')
})

t.test('a certificate is checked, against the authority that was given', async t => {
  const dir = t.testdir()
  const tls = { cert: join(dir, 'crt'), key: join(dir, 'key') }
  makeCertificate(tls)
  const { address, credential } = await servedMesh(t, tls)
  const agent = (id: string, dial: ReturnType<typeof dialWs>) => {
    const node = new MeshNode({
      url: `https://${address}`,
      id,
      privateKey: newKeyPair().privateKey,
      credential,
      dial,
    })
    t.teardown(() => node.stop())
    return node
  }
  const trusting = agent('fra-1', dialWs({ ca: readFileSync(tls.cert) }))
  t.match(await trusting.start(), { generation: 1 })

  const wary = agent('ams-2', dialWs())
  const refused = new Promise<string>(resolve => wary.on('offline', ({ reason }) => resolve(reason)))
  wary.start()
  t.match(await refused, /self-signed certificate/)

  const careless = agent('par-3', dialWs({ insecure: true }))
  t.match(await careless.start(), { generation: 1 })
})

function makeCertificate({ cert, key }: { cert: string; key: string }): void {
  const subject = ['-subj', '/CN=mesh', '-addext', 'subjectAltName=IP:127.0.0.1']
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
  execFileSync(
    'openssl',
    ['req', '-x509', '-nodes', '-days', '2', ...curve, ...subject, '-keyout', key, '-out', cert],
    { stdio: 'ignore' },
  )
}
