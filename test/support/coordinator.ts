/** A coordinator of its own on a free port, with a store in memory, asked over HTTP as the operator asks it. */
import { generateKeyPairSync } from 'node:crypto'
import type { Test } from 'tap'
import type { Store } from '../../src/actors/ports.js'
import { MeshClient, MeshNode } from '../../src/agent/index.js'
import { readConfig } from '../../src/app/config.js'
import { startCoordinator } from '../../src/app/coordinator.js'
import type { Plugin } from '../../src/app/plugin.js'
import { systemClock } from '../../src/kit/clock.js'
import { systemRandom } from '../../src/kit/random.js'
import { MemoryJournal, MemoryStore, type OpenRoom } from '../../src/store/index.js'
import type { Ping } from '../../src/telemetry/health.js'
import { LogTail } from '../../src/telemetry/log-tail.js'
import { until } from './until.js'

export const OPERATOR_TOKEN = 'a-token-that-is-known-to-this-test-only'

interface Wishes {
  readonly redis?: Ping
  readonly database?: Ping
  readonly store?: Store
  readonly env?: Readonly<Record<string, string>>
  /** Plug-ins that keep nothing. */
  readonly plugins?: readonly Plugin[]
  /** The last lines of a log that the test writes. */
  readonly tail?: LogTail
}

export async function coordinator(
  t: Test,
  { redis, database, store = memoryStore(), env, plugins, tail = new LogTail() }: Wishes = {},
) {
  const clock = systemClock
  const started = await startCoordinator({
    config: readConfig({
      flags: {},
      env: { PORT: '0', BOSON_HTTP_PER_MINUTE: '6000', NODE_ENV: 'test', ...env },
    }),
    clock,
    random: systemRandom,
    serverId: 'test',
    token: OPERATOR_TOKEN,
    jwtSecret: 'a-secret-that-is-known-to-this-test-only',
    vaultKey: 'a-key-that-is-known-to-this-test-only',
    store: database === undefined ? store : Object.assign(store, { ping: database }),
    storeKind: 'memory',
    journal: new MemoryJournal(),
    redis: redis ?? null,
    tail,
    ...(plugins && { plugins: { list: plugins, room: noTables } }),
    log: {
      level: 'info',
      debug() {},
      info() {},
      warn() {},
      error: (fields, message) => t.fail(message, fields),
    },
  })
  const { mesh, port } = started
  t.teardown(() => started.stop(0))

  const ask = async (
    method: string,
    path: string,
    wish?: unknown,
    headers: Record<string, string> = { authorization: `Bearer ${OPERATOR_TOKEN}` },
  ) => {
    const body = wish === undefined ? {} : { body: JSON.stringify(wish) }
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, ...body })
    return { status: response.status, body: (await response.json()) as unknown }
  }
  const get = (path: string) => ask('GET', path, undefined, {})
  const secretOf = async () => {
    const wish = { role: null, uses: null, ttlMs: null, note: '', actor: 'test' }
    return (await mesh.createEnrolmentKey(wish)).secret
  }
  return { mesh, get, ask, secretOf, port, url: `ws://127.0.0.1:${port}`, stop: () => started.stop(0) }
}

const noTables: OpenRoom = () => Promise.reject(new Error('these plug-ins keep nothing'))

/** Resolves with an agent that has its session; it is stopped when the test ends. */
export async function online(
  t: Test,
  url: string,
  id: string,
  credential: string,
  role: 'node' | 'client' = 'node',
): Promise<MeshNode | MeshClient> {
  const { privateKey } = generateKeyPairSync('x25519')
  const jwk = privateKey.export({ format: 'jwk' })
  const options = { url, id, privateKey: Buffer.from(jwk.d ?? '', 'base64url'), credential }
  const agent = role === 'node' ? new MeshNode(options) : new MeshClient(options)
  t.teardown(() => agent.stop())
  await agent.start()
  await until(`${id} stands`, () => agent.status().state === 'online')
  return agent
}

export function memoryStore(): Store {
  return new MemoryStore({ overlay4: '10.77.0.0/16', overlay6: 'fd77:b050::/64' })
}
