/**
 * The coordinator under load: the real mesh behind the real edge, with production's checks, limits and journal,
 * in this process. Its store holds the sessions that the bench resumes and takes every write at once.
 *
 *   --pairs N       N clients, each with a route to a node of its own
 *   --nodes N       N nodes
 *   --clients N     N clients, with routes to the first of these nodes
 *   --carriers N    so many of them
 *   --in-memory N   the last N of the nodes are attached at once, on sockets without a connection
 *   --paced         sessions are let in as fast as in production, and from each address as many
 *   --mute          nobody is expected to beat
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createMesh } from '../../src/app/mesh.js'
import { meshChannel } from '../../src/edge/mesh-channel.js'
import { Remotes } from '../../src/edge/remote.js'
import { listen } from '../../src/edge/server.js'
import { systemClock } from '../../src/kit/clock.js'
import { systemRandom } from '../../src/kit/random.js'
import { encode } from '../../src/protocol/codec.js'
import { openJournal } from '../../src/store/index.js'
import { LoopDelay } from '../../src/telemetry/loop-delay.js'
import { Metrics } from '../../src/telemetry/metrics.js'
import { attend } from './control.js'
import { resumeInMemory } from './memory-sessions.js'
import { populationOf, PopulationStore } from './population.js'

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '0' },
    nodes: { type: 'string', default: '0' },
    clients: { type: 'string', default: '0' },
    carriers: { type: 'string', default: '1' },
    paced: { type: 'boolean', default: false },
    mute: { type: 'boolean', default: false },
    'in-memory': { type: 'string', default: '0' },
  },
})
const nodeCount = Number(values.nodes)
const inMemory = Number(values['in-memory'])

const dataDir = mkdtempSync(join(tmpdir(), 'boson-bench-'))
process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }))

/** Far above what one host's load reaches, so that every limit is counted and none is hit. */
const NEVER = 1e9
const HOUR_MS = 3_600_000
/** A whole bench comes from one host, and mostly at once. */
const OPEN_DOOR = {
  limits: {
    greetingPerAddress: NEVER,
    greetingTotal: NEVER,
    sessionsPerAddress: NEVER,
    hellosPerSecond: NEVER,
    helloBurst: NEVER,
  },
  admission: { perSecond: NEVER, burst: NEVER },
}

const mesh = createMesh({
  serverId: 'bench',
  clock: systemClock,
  random: systemRandom,
  store: new PopulationStore(
    populationOf({
      pairs: Number(values.pairs),
      nodes: nodeCount,
      clients: Number(values.clients),
      carriers: Number(values.carriers),
    }),
  ),
  journal: openJournal(dataDir),
  log: {
    debug: () => {},
    info: () => {},
    warn: (fields, message) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
    error: (fields, message) =>
      process.stderr.write(`${message} ${String((fields as { err?: unknown }).err)}\n`),
  },
  ...(!values.paced && OPEN_DOOR),
  relay: { mbpsPerIdentity: 100_000 },
  // Sessions without a connection say nothing, and a restored one may wait for its turn.
  timing: { resumeWindowMs: HOUR_MS, ...((inMemory > 0 || values.mute) && { beatEveryMs: HOUR_MS }) },
})
await mesh.start()
const { secret } = await mesh.createEnrolmentKey({
  role: null,
  uses: null,
  ttlMs: null,
  note: 'bench',
  actor: 'bench',
})
const attached = resumeInMemory(mesh.intake, nodeCount - inMemory, inMemory)

/** Sessions that say goodbye before the measured ones, so that the compiler has seen it, and those measured. */
const GOODBYES = { before: 300, measured: 500 }
function goodbyes(): number {
  const goodbye = encode({ type: 'goodbye', reason: 'the bench is over' })
  const leave = (count: number) => {
    for (const connection of attached.splice(-count)) {
      connection.received(goodbye)
      connection.closed(1000)
    }
  }
  leave(GOODBYES.before)
  const before = process.cpuUsage()
  leave(GOODBYES.measured)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / GOODBYES.measured
}

/** Pages of metrics, so that the compiler has seen one, and those measured. */
const PAGES = { before: 5, measured: 10 }
async function scrapes(): Promise<number> {
  const metrics = new Metrics({
    clock: systemClock,
    mesh,
    loop: new LoopDelay(),
    turn: null,
    startedAtMs: systemClock.wallMs(),
  })
  for (let i = 0; i < PAGES.before; i++) await metrics.page()
  const before = process.cpuUsage()
  for (let i = 0; i < PAGES.measured; i++) await metrics.page()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e3 / PAGES.measured
}

const { port } = listen({
  host: '127.0.0.1',
  port: 0,
  tls: null,
  channels: [meshChannel(mesh.intake, [])],
  remotes: new Remotes([]),
  http: res => void res.end(),
  faulted: error => process.stderr.write(`${String(error)}\n`),
})
attend(port, { credential: () => secret, goodbyes, scrapes })
