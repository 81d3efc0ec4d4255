/** A coordinator with every plug-in that has something to tell on each of its pages. */
import type { Test } from 'tap'
import type { MeshClient } from '../../src/agent/index.js'
import type { Endpoint } from '../../src/http/endpoint.js'
import { online } from './coordinator.js'
import { type RestServer, restServer, type Wishes } from './rest-server.js'
import { until } from './until.js'

export interface SmallMesh extends RestServer {
  /** Returns the path of an endpoint with each of the things that its braces may stand for here. */
  pathsOf(endpoint: Pick<Endpoint, 'path'>): readonly string[]
}

/** Resolves with a mesh of two nodes, one of which is drained, and a client with a route to the other. */
export async function smallMesh(t: Test, wishes: Wishes = {}): Promise<SmallMesh> {
  const server = await restServer(t, wishes)
  const key = await server.enrolmentKey()
  const url = `ws://127.0.0.1:${server.port}`
  for (const id of ['fra-1', 'ams-1']) await online(t, url, id, key)
  const client = (await online(t, url, 'alice', key, 'client')) as MeshClient // asked for as one
  const { routeId } = await client.route({ exclude: ['ams-1'] })
  await until('the path stands', () => server.mesh.paths().paths.some(({ tier }) => tier === 'relayed'))

  const told = (path: string, body: object) => server.ask('POST', path, { body })
  await told('/api/v1/nodes/ams-1/drain', {})
  await told('/api/v1/metrics', SAMPLE)
  await told('/api/v1/users/first', { name: 'ada' })
  const { id: tariff } = (await told('/tariffs/', { name: 'Basic', price: '9.90' })).body
  const { id: subscription } = (await told('/auth/assign_tariff?user_id=1', { tariff_id: tariff })).body
  const { id: payment } = (await told('/payments/create', { user_id: 1, tariff_id: tariff })).body
  await told('/heartbeat', { server_id: 'server-001', generated_at: '2026-01-15T10:30:00Z' })
  const { id: job } = (await told('/api/v1/nodes/fra-1/jobs', { type: 'custom' })).body
  const { webhook } = (await told('/api/v1/webhooks', { url: 'https://example.org/boson', active: false }))
    .body

  const { id: peer } = (await told('/vpn_peers/', { user_id: 1 })).body
  const sshKeyWish = { name: 'databases', key_type: 'ed25519' }
  const { id: sshKey } = (await told('/pgmon/ssh-keys/generate', sshKeyWish)).body

  const known: Readonly<Record<string, readonly string[]>> = {
    id: [
      'alice',
      'fra-1',
      String(webhook?.id),
      String(tariff),
      String(subscription),
      String(peer),
      String(sshKey),
    ],
    user_id: ['1'],
    payment_id: [String(payment)],
    actor: ['node%2Ffra-1'],
    name: ['ada', 'coordinator'],
    db: ['postgres'],
    login: ['ada'],
    job: [String(job)],
    nodeId: ['fra-1'],
    clientId: ['alice'],
    server_id: ['server-001'],
    routeId: [routeId],
    link: server.mesh.paths().paths.map(({ link }) => String(link)),
    part: ['page.css'],
    file: ['index.html'],
    delivery: ['dlv_0000000042'],
  }
  return {
    ...server,
    pathsOf: ({ path }) =>
      [...path.matchAll(/\{(\w+)\}/g)].reduce<readonly string[]>(
        (paths, [braces, name = '']) =>
          paths.flatMap(one => (known[name] ?? ['unknown']).map(value => one.replace(braces, value))),
        [path],
      ),
  }
}

const SAMPLE = {
  nodeId: 'fra-1',
  metrics: {
    network: { latency: 12, jitter: 1, packetLoss: 0, bandwidth: { up: 40, down: 90 } },
    system: { cpuUsage: 20, memoryUsage: 30, diskUsage: 40, loadAverage: [0.5, 0.4, 0.3] },
    wireguard: { packets: { sent: 1, received: 2, errors: 0 }, bytes: { sent: 10, received: 20 } },
    connections: { active: 1, total: 2, failed: 0 },
  },
}
