/**
 * The whole coordinator with its plug-ins over the embedded database, asked over HTTP: nodes that are heard, and clients
 * that ask for a route. What it is asked is made here, since it takes tokens: `heartbeats` and `routes` return it.
 *
 *   --nodes N    nodes that have registered over HTTP
 *   --clients N  clients that have a route
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect, parseArgs } from 'node:util'
import { readConfig } from '../../src/app/config.js'
import { startCoordinator } from '../../src/app/coordinator.js'
import { PLUGINS } from '../../src/app/plugins.js'
import { systemClock } from '../../src/kit/clock.js'
import { systemRandom } from '../../src/kit/random.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { openJournal, openStore } from '../../src/store/index.js'
import { post } from '../load/http-generator.js'
import { attend } from './control.js'

const { values } = parseArgs({
  options: { nodes: { type: 'string', default: '100' }, clients: { type: 'string', default: '0' } },
})
const dataDir = mkdtempSync(join(tmpdir(), 'boson-bench-'))
process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }))

/** Far above what one host's load reaches, so that every limit is counted and none is hit. */
const NEVER = '1000000'
const complain = (fields: object, message: string) => process.stderr.write(`${message} ${inspect(fields)}\n`)
const log = { level: 'info', debug() {}, info() {}, warn: complain, error: complain }
const store = await openStore({ dataDir, overlay4: '10.77.0.0/16', overlay6: 'fd77:b050::/64', log })
const { mesh, port } = await startCoordinator({
  config: readConfig({
    flags: {},
    env: {
      PORT: '0',
      NODE_ENV: 'test',
      BOSON_HTTP_PER_MINUTE: NEVER,
      BOSON_HTTP_PER_MINUTE_PER_IDENTITY: NEVER,
      BOSON_SESSIONS_PER_ADDRESS: NEVER,
      BOSON_GREETING_PER_ADDRESS: NEVER,
      BOSON_HELLOS_PER_SECOND: NEVER,
      BOSON_HELLO_BURST: NEVER,
      BOSON_ADMISSIONS_PER_SECOND: NEVER,
      BOSON_ADMISSION_BURST: NEVER,
      BOSON_CONTROL_PER_SECOND: NEVER,
      BOSON_CONTROL_BURST: NEVER,
    },
  }),
  clock: systemClock,
  random: systemRandom,
  serverId: 'bench',
  token: 'a-token-that-is-known-to-this-bench-only',
  jwtSecret: 'a-secret-that-is-known-to-this-bench-only',
  vaultKey: 'a-key-that-is-known-to-this-bench-only',
  plugins: { list: PLUGINS, room: store.room },
  store,
  storeKind: store.kind,
  journal: openJournal(join(dataDir, 'journal'), { log }),
  redis: null,
  log,
})
const url = `http://127.0.0.1:${port}`
const { secret } = await mesh.createEnrolmentKey({
  role: null,
  uses: null,
  ttlMs: null,
  note: 'bench',
  actor: 'bench',
})

async function ask<T>(path: string, body: object): Promise<T> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}` },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`)
  return (await response.json()) as T // the caller knows the endpoint
}

const METRICS = {
  latency: 25.5,
  jitter: 2.1,
  packetLoss: 0.1,
  cpuUsage: 45.2,
  memoryUsage: 60.1,
  activeConnections: 25,
  bandwidth: { up: 50, down: 80 },
}
const heartbeats: string[] = []
for (let i = 0; i < Number(values.nodes); i++) {
  const nodeId = `node-${i}`
  const { sessionToken } = await ask<{ sessionToken: string }>('/api/v1/nodes/register', {
    nodeId,
    publicKey: Buffer.from(newKeyPair().publicKey).toString('base64'),
    networkInfo: { ipv4: '192.168.1.1', natType: 'FullCone', localPort: 51_820 },
    capabilities: { maxConnections: 10_000, bandwidth: { up: 1_000, down: 1_000 } },
    location: { country: 'DE', region: 'eu-central' },
  })
  heartbeats.push(
    post(`/api/v1/nodes/${nodeId}/heartbeat`, sessionToken, { metrics: METRICS, status: 'online' }),
  )
}
const routes: string[] = []
for (let i = 0; i < Number(values.clients); i++) {
  const body = {
    clientId: `client-${i}`,
    requirements: { preferredCountry: 'DE', minBandwidth: 10 },
    clientNetworkInfo: { ipv4: '192.168.1.2', natType: 'Symmetric' },
  }
  const { selectedRoute } = await ask<{ selectedRoute: { sessionToken: string } }>(
    '/api/v1/routing/request',
    body,
  )
  routes.push(post('/api/v1/routing/request', selectedRoute.sessionToken, body))
}

attend(port, { heartbeats: () => heartbeats, routes: () => routes })
