/**
 * The whole coordinator with the inspector, over a store that holds the sessions which the bench resumes.
 *
 *   --nodes N    nodes
 *   --clients N  clients, each with a route to one of these nodes
 *
 * Answers `window` (a new one begins), `figures` (those of the event loop in it, and of all looks so far) and `token` (the
 * operator's).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect, parseArgs } from 'node:util'
import { readConfig } from '../../src/app/config.js'
import { startCoordinator } from '../../src/app/coordinator.js'
import type { Plugin, RunningPlugin } from '../../src/app/plugin.js'
import { inspector } from '../../src/inspector/plugin.js'
import { systemClock } from '../../src/kit/clock.js'
import { systemRandom } from '../../src/kit/random.js'
import { openJournal } from '../../src/store/index.js'
import { LoopDelay } from '../../src/telemetry/loop-delay.js'
import { attend } from './control.js'
import { populationOf, PopulationStore } from './population.js'

export interface InspectedFigures {
  readonly looked: number
  /** How long looks kept the event loop busy, ms. */
  readonly lookMs: number
  readonly loopP99Ms: number
  readonly loopMaxMs: number
}

const { values } = parseArgs({
  options: { nodes: { type: 'string', default: '0' }, clients: { type: 'string', default: '0' } },
})
const nodes = Number(values.nodes)
const dataDir = mkdtempSync(join(tmpdir(), 'boson-bench-'))
process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }))

/** Far above what one host's load reaches, so that every limit is counted and none is hit. */
const NEVER = '1000000'
const TOKEN = 'a-token-that-is-known-to-this-bench-only'
const complain = (fields: object, message: string) => process.stderr.write(`${message} ${inspect(fields)}\n`)

let figures: NonNullable<RunningPlugin['figures']> = []
const inspected: Plugin = {
  ...inspector,
  async start(mesh, host) {
    const running = await inspector.start(mesh, host)
    figures = running.figures ?? []
    return running
  },
}
const loop = new LoopDelay()
loop.start()
const { port } = await startCoordinator({
  config: readConfig({
    flags: {},
    env: {
      PORT: '0',
      NODE_ENV: 'test',
      BOSON_SESSIONS_PER_ADDRESS: NEVER,
      BOSON_GREETING_PER_ADDRESS: NEVER,
      BOSON_GREETING_TOTAL: NEVER,
      BOSON_HELLOS_PER_SECOND: NEVER,
      BOSON_HELLO_BURST: NEVER,
      BOSON_ADMISSIONS_PER_SECOND: NEVER,
      BOSON_ADMISSION_BURST: NEVER,
      // Nobody beats before all of them are connected, which takes a while.
      BOSON_BEAT_EVERY_MS: '60000',
      // Those that are away stay so.
      BOSON_RESUME_WINDOW_MS: '3600000',
    },
  }),
  clock: systemClock,
  random: systemRandom,
  serverId: 'bench',
  token: TOKEN,
  jwtSecret: 'a-secret-that-is-known-to-this-bench-only',
  vaultKey: 'a-key-that-is-known-to-this-bench-only',
  plugins: { list: [inspected], room: () => Promise.reject(new Error('the inspector keeps nothing')) },
  store: new PopulationStore(populationOf({ nodes, clients: Number(values.clients) })),
  storeKind: 'memory',
  journal: openJournal(dataDir),
  redis: null,
  log: { level: 'info', debug() {}, info() {}, warn: complain, error: complain },
})

const read = (name: string) => Number(figures.find(figure => figure.name === name)?.read())
attend(port, {
  token: () => TOKEN,
  window: () => loop.read(),
  figures: (): InspectedFigures => {
    const { p99Ms, maxMs } = loop.peek()
    return {
      looked: read('boson_operator_looks_total'),
      lookMs: read('boson_operator_look_seconds_total') * 1e3,
      loopP99Ms: p99Ms,
      loopMaxMs: maxMs,
    }
  },
})
