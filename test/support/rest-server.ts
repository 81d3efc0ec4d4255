/**
 * The whole coordinator with its plug-ins on a free port, over a database of its own, asked over HTTP.
 *
 *   onEachDatabase(t, async (t, start) => {
 *     const server = await start()
 *     t.match(await server.ask('GET', '/servers'), { status: 200 })
 *   })
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import type { Test } from 'tap'
import { agentTokens } from '../../src/app/agent-tokens.js'
import { readConfig } from '../../src/app/config.js'
import { type Coordinator, startCoordinator } from '../../src/app/coordinator.js'
import type { Mesh } from '../../src/app/mesh.js'
import type { Plugin } from '../../src/app/plugin.js'
import { PLUGINS } from '../../src/app/plugins.js'
import { Turn } from '../../src/app/turn.js'
import { type Clock, systemClock } from '../../src/kit/clock.js'
import { systemRandom } from '../../src/kit/random.js'
import { openJournal, openStore } from '../../src/store/index.js'
import { startPostgres } from '../parts/postgres.js'
import { shortFolder } from './short-folder.js'

const JWT_SECRET = 'a-secret-that-is-known-to-this-test-only'
export const OPERATOR = 'a-token-that-is-known-to-this-test-only'

/** Signs TURN credentials of these servers. */
export const TURN_SECRET = 'a-turn-secret-that-is-known-to-this-test-only'

export interface Wishes {
  readonly clock?: Clock
  readonly env?: Readonly<Record<string, string>>
  readonly plugins?: readonly Plugin[]
  /** PostgreSQL; the embedded database when absent. */
  readonly databaseUrl?: string
  /** Whether it serves STUN and TURN, on a free port. */
  readonly turn?: boolean
  /** Where what is kept is found again by the next start; a folder of its own when absent. */
  readonly dataDir?: string
  /** What is logged is added here, as text. */
  readonly lines?: string[]
}

export interface RestServer {
  readonly mesh: Mesh
  readonly url: string
  readonly port: number
  readonly endpoints: Coordinator['endpoints']
  /** Sends JSON, or text as it stands, and resolves with the answer. As the operator, unless `token` says otherwise; null: as nobody. */
  readonly ask: (method: string, path: string, wish?: Wish) => Promise<Answer>
  /** Resolves with the secret of a new enrolment key, good for any number of agents. */
  readonly enrolmentKey: (role?: 'node' | 'client') => Promise<string>
  /** Resolves with the token of an agent that has enrolled. */
  token(id: string, role?: 'node' | 'client'): Promise<string>
  readonly stop: () => Promise<void>
}
export interface Wish {
  readonly body?: unknown
  readonly token?: string | null
  readonly headers?: Readonly<Record<string, string>>
}
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Parsed where it is JSON; null when there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of an answer by asserting it
  readonly body: any
}

/** Resolves with a server; it is stopped when the test ends. */
export async function restServer(t: Test, wishes: Wishes = {}): Promise<RestServer> {
  const { clock = systemClock, databaseUrl, dataDir = ownFolder(t) } = wishes
  const write = (fields: object, message: string) =>
    void wishes.lines?.push(inspect({ message, fields }, { depth: 8 }))
  const log = {
    level: 'info',
    debug: write,
    info: write,
    warn: write,
    error: (fields: object, message: string) => t.fail(message, fields),
  }
  const store = await openStore({
    dataDir,
    databaseUrl,
    overlay4: '10.77.0.0/16',
    overlay6: 'fd77:b050::/64',
  })
  const journal = openJournal(join(dataDir, 'journal'))
  const config = readConfig({
    flags: {},
    env: {
      PORT: '0',
      BOSON_HTTP_PER_MINUTE: '60000',
      NODE_ENV: 'test',
      TURN_LISTENING_PORT: '0',
      BOSON_DATA_DIR: dataDir,
      ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
      ...wishes.env,
    },
  })
  const started = await startCoordinator({
    config,
    ...(wishes.turn === true && {
      turn: mesh => new Turn({ config, mode: 'embedded', secret: TURN_SECRET, mesh, log }),
    }),
    clock,
    random: systemRandom,
    serverId: 'test',
    token: OPERATOR,
    jwtSecret: JWT_SECRET,
    vaultKey: 'a-key-that-is-known-to-this-test-only',
    plugins: { list: wishes.plugins ?? PLUGINS, room: store.room },
    backUp: store.backUp,
    store,
    storeKind: store.kind,
    journal,
    redis: null,
    log,
  })
  const { mesh, port, endpoints } = started
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= started.stop(0).then(async () => {
      await store.close()
      journal.close()
    })
    return stopped
  }
  t.teardown(stop)
  const url = `http://127.0.0.1:${port}`
  const tokens = agentTokens({ clock, mesh, serverId: 'test', secret: JWT_SECRET, lifeMs: 3_600_000 })
  return {
    mesh,
    url,
    port,
    endpoints,
    stop,
    token: async (id, role = 'node') => (await tokens.issue({ id, role })).token,
    async ask(method, path, { body, token = OPERATOR, headers = {} } = {}) {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { ...(token !== null && { authorization: `Bearer ${token}` }), ...headers },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const isJson = /json/.test(response.headers.get('content-type') ?? '')
      const text = await response.text()
      return {
        status: response.status,
        headers: response.headers,
        body: text === '' ? null : isJson ? JSON.parse(text) : text,
      }
    },
    async enrolmentKey(role) {
      const wish = { role: role ?? null, uses: null, ttlMs: null, note: '', actor: 'test' }
      return (await mesh.createEnrolmentKey(wish)).secret
    },
  }
}

export type Start = (wishes?: Omit<Wishes, 'databaseUrl'>) => Promise<RestServer>

/** Runs `body` over the embedded database and over PostgreSQL, which is skipped, saying why, where there is none. */
export async function onEachDatabase(t: Test, body: (t: Test, start: Start) => Promise<void>): Promise<void> {
  await t.test('PGlite', t => body(t, wishes => restServer(t, wishes)))
  const postgres = await startPostgres(t)
  if ('missing' in postgres) {
    await t.test(`PostgreSQL: ${postgres.missing}`, { skip: true }, async () => {})
    return
  }
  await t.test('PostgreSQL', async t => {
    const databaseUrl = await postgres.schema()
    await body(t, wishes => restServer(t, { ...wishes, databaseUrl }))
  })
}

/** Registered first, so that it runs last. */
function ownFolder(t: Test): string {
  const folder = shortFolder()
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
