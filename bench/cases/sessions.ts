/**
 * Sessions: what one costs in memory, a heartbeat in CPU time, a coming and a going. Beside bare uWebSockets
 * connections, which know nothing of who is at the other end.
 */
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { EXAMPLES } from '../../src/protocol/examples.js'
import { encode } from '../../src/protocol/codec.js'
import type { Bench, Result, Settings } from '../bench.js'
import {
  byCost,
  circumstances,
  type Contestant,
  loadOn,
  middle,
  saturatedIn,
  underLoad,
  withServer,
} from '../contest.js'
import { CLIENT_CORE, startOn } from '../processes.js'
import { interleave, median } from '../rounds.js'
import type { Usage } from '../servers/control.js'

/** A process may hold 20,000 files here; the generator and the server each stay below. */
const CONNECTIONS = { full: 15_000, quick: 3_000 }
/** Loopback addresses that the connections come from. */
const SOURCES = 60
/** Actors in the heap beside the connected ones make it a hundred thousand. */
const OTHERS = { full: 85_000, quick: 5_000 }
const BEATS_PER_SECOND = 10_000
/** A collection that lasts longer is felt by the sessions, ms. */
const LONGEST_GC_MS = 25

const ECHO: Contestant = ['bare', 'echo']
/** A heartbeat whose sequence number takes four bytes, at the fifth. */
const beat = Buffer.from(encode({ ...EXAMPLES.heartbeat, seq: 0x1_0000 })).toString('hex')
const BEATS = { mode: 'reply', value: beat, seqAt: 5, sources: SOURCES }

const nodes = (count: number, ...more: string[]): Contestant => ['ours', '--nodes', String(count), ...more]
const size = <N>(of: { readonly full: N; readonly quick: N }, { quick }: Settings): N =>
  quick ? of.quick : of.full

async function heartbeats(settings: Settings): Promise<Result> {
  const conns = size(CONNECTIONS, settings)
  const options = { ...BEATS, conns }
  const runs = await interleave(
    settings.rounds,
    { ours: underLoad(nodes(conns), options, settings), limit: underLoad(ECHO, options, settings) },
    settings.say,
  )
  return {
    value: middle(runs.ours, 'perSecond'),
    unit: 'heartbeats/s',
    limit: { name: 'bare uWebSockets echo', value: middle(runs.limit, 'perSecond') },
    ratio: byCost(runs.ours, runs.limit),
    saturated: saturatedIn(runs.ours),
    rounds: settings.rounds,
    target: 0.8,
    detail: { connections: conns, ...circumstances(runs.ours, runs.limit) },
  }
}

async function paced(settings: Settings): Promise<Result> {
  const conns = size(CONNECTIONS, settings)
  const others = size(OTHERS, settings)
  const options = { ...BEATS, conns, rate: BEATS_PER_SECOND, window: 4, ms: settings.quick ? 2_000 : 8_000 }
  const pauses: number[] = []
  const server = nodes(conns + others, '--in-memory', String(others))
  const ours = () =>
    withServer(server, running => {
      const held = async () => pauses.push((await running.ask<Usage>('usage')).longestGcMs)
      return loadOn(server, running, options, { measuring: () => running.ask('reset'), held })
    })
  const runs = await interleave(
    settings.rounds,
    { ours, limit: underLoad(ECHO, options, settings) },
    settings.say,
  )
  const longestGcMs = median(pauses)
  return {
    value: middle(runs.ours, 'serverMicros'),
    unit: 'CPU µs/heartbeat',
    limit: { name: 'bare uWebSockets echo', value: middle(runs.limit, 'serverMicros') },
    ratio: byCost(runs.ours, runs.limit),
    saturated: saturatedIn(runs.ours),
    rounds: settings.rounds,
    target: 0.5,
    met: longestGcMs <= LONGEST_GC_MS,
    detail: {
      actors: conns + others,
      heartbeatsPerSecond: middle(runs.ours, 'perSecond'),
      longestGcMs,
      p50: middle(runs.ours, 'p50'),
      p99: middle(runs.ours, 'p99'),
      limitP99: middle(runs.limit, 'p99'),
      ...circumstances(runs.ours, runs.limit),
      rssMb: middle(runs.ours, 'rssBytes') / 2 ** 20,
    },
  }
}

/**
 * Memory with many connections less memory with a third of them, per connection; each after a full collection.
 * With fewer still, the young generation would not have grown to its full size and would count as the sessions'.
 */
async function bytes(settings: Settings): Promise<Result> {
  const many = size(CONNECTIONS, settings)
  const few = many / 3
  const rss = (server: Contestant, conns: number) =>
    withServer(server, async running => {
      let bytes = 0
      const held = async () => (bytes = (await running.ask<Usage>('collect')).rssBytes)
      const options = { ...BEATS, conns, rate: Math.max(many / 10, 1_000), window: 4, warm: 500, ms: 2_000 }
      await loadOn(server, running, options, { held })
      return bytes
    })
  const each = (server: (conns: number) => Contestant) => async () =>
    ((await rss(server(many), many)) - (await rss(server(few), few))) / (many - few)
  const runs = await interleave(
    settings.rounds,
    { ours: each(conns => nodes(conns)), limit: each(() => ECHO) },
    settings.say,
  )
  const value = median(runs.ours)
  const least = median(runs.limit)
  return {
    value,
    unit: 'B RSS/session',
    limit: { name: 'bare uWebSockets connection', value: least },
    ratio: least / value,
    saturated: 'server',
    rounds: settings.rounds,
    target: 0.15,
    detail: { sessions: many },
  }
}

/** Registrations before the measured ones: with 1,000, a fifth of what is measured is the compiler. And those measured. */
const REGISTRATIONS = { full: { before: 5_000, measured: 5_000 }, quick: { before: 200, measured: 500 } }

/** CPU of the server from the connection to `registered`, and away again: key proof, enrolment, actor and all. */
async function register(settings: Settings): Promise<Result> {
  const { before: warm, measured } = size(REGISTRATIONS, settings)
  const cost = (server: Contestant) => () =>
    withServer(server, async running => {
      const credential = await running.ask<string | null>('credential')
      await visits(running.port, warm, credential)
      const before = await running.ask<Usage>('usage')
      await visits(running.port, measured, credential)
      return ((await running.ask<Usage>('usage')).cpuMicros - before.cpuMicros) / measured
    })
  const runs = await interleave(settings.rounds, { ours: cost(nodes(0)), limit: cost(ECHO) }, settings.say)
  const value = median(runs.ours)
  const least = median(runs.limit)
  return {
    value,
    unit: 'CPU µs/registration',
    limit: { name: 'bare uWebSockets connection', value: least },
    ratio: least / value,
    saturated: 'client',
    rounds: settings.rounds,
    target: 0.17,
    detail: { registrations: measured },
  }
}

let visitors = 0
async function visits(port: number, count: number, credential: string | null): Promise<void> {
  const program = fileURLToPath(new URL('../load/registrar.js', import.meta.url))
  const first = visitors
  visitors += count
  const args = [
    program,
    String(port),
    String(first),
    String(count),
    ...(credential === null ? [] : [credential]),
  ]
  const child = startOn(CLIENT_CORE, process.execPath, args)
  await child.line()
  await child.end()
}

/** CPU of the server from the connection to `resumed`, and away again. */
async function resume(settings: Settings): Promise<Result> {
  const identities = 4_096
  const options = {
    mode: 'cycle',
    conns: 64,
    sources: SOURCES,
    cycles: settings.quick ? 2_000 : 15_000,
    warmCycles: settings.quick ? 1_000 : 5_000,
    identities,
  }
  const runs = await interleave(
    settings.rounds,
    {
      ours: underLoad(nodes(identities), options, settings),
      limit: underLoad(ECHO, options, settings),
    },
    settings.say,
  )
  return {
    value: middle(runs.ours, 'serverMicros'),
    unit: 'CPU µs/resume',
    limit: { name: 'bare uWebSockets connection', value: middle(runs.limit, 'serverMicros') },
    ratio: byCost(runs.ours, runs.limit),
    saturated: saturatedIn(runs.ours),
    rounds: settings.rounds,
    target: 0.17,
    detail: { resumesPerSecond: middle(runs.ours, 'perSecond'), ...circumstances(runs.ours, runs.limit) },
  }
}

/** Asks a server with many sessions, and one with few, the same. */
async function beside(question: string, unit: string, settings: Settings): Promise<Result> {
  const asked = (sessions: number) => () =>
    withServer(nodes(sessions, '--in-memory', String(sessions)), running => running.ask<number>(question))
  const many = settings.quick ? 10_000 : 100_000
  const runs = await interleave(settings.rounds, { many: asked(many), few: asked(1_000) }, settings.say)
  const value = median(runs.many)
  const least = median(runs.few)
  return {
    value,
    unit,
    limit: { name: 'with 1,000 sessions', value: least },
    ratio: least / value,
    saturated: 'server',
    rounds: settings.rounds,
    detail: { sessions: many },
  }
}

/** Stopping a session must cost the same however many others there are. */
const stop = async (settings: Settings): Promise<Result> => ({
  ...(await beside('goodbyes', 'CPU µs/stop', settings)),
  target: 0.33,
})

/** A page of metrics must not stop the mesh for long, however many sessions there are. */
const scrape = (settings: Settings): Promise<Result> => beside('scrapes', 'CPU ms/page', settings)

/** Sessions that come and go must leave nothing behind. */
async function heap(settings: Settings): Promise<Result> {
  const cycles = settings.quick ? 5_000 : 50_000
  const identities = 1_024
  const options = { mode: 'cycle', conns: 64, sources: SOURCES, identities }
  const growth = (server: Contestant) => () =>
    withServer(server, async running => {
      const heapAfter = async (cycling: { first: number; cycles: number }) => {
        await loadOn(server, running, { ...options, ...cycling })
        await setTimeout(SETTLE_MS)
        return (await running.ask<Usage>('collect')).heapBytes
      }
      const before = await heapAfter({ first: 0, cycles: 5_000 })
      // Other sessions: nobody knows the new tickets of the first ones any more.
      return ((await heapAfter({ first: identities, cycles })) - before) / cycles
    })
  const runs = await interleave(
    settings.rounds,
    { ours: growth(nodes(2 * identities)), limit: growth(ECHO) },
    settings.say,
  )
  const value = median(runs.ours)
  return {
    value,
    unit: 'B heap/cycle',
    limit: { name: 'allowed', value: HEAP_PER_CYCLE },
    ratio: HEAP_PER_CYCLE / Math.max(value, HEAP_PER_CYCLE / 100),
    saturated: 'client',
    rounds: settings.rounds,
    target: 1,
    detail: { cycles, bareConnection: median(runs.limit) },
  }
}
/** Until the last sockets are closed and the snapshot is written, ms. */
const SETTLE_MS = 2_000
/** What a connection may leave in the heap; a leak of one small object each would be more, bytes. */
const HEAP_PER_CYCLE = 16

export const sessions: Bench = {
  name: 'sessions',
  about: 'What a session costs: memory, heartbeats, coming and going; beside bare connections.',
  cases: [
    { name: 'bytes', about: 'memory of a live session', measure: bytes },
    {
      name: 'heartbeats',
      about: 'heartbeats a second, one outstanding on each connection',
      measure: heartbeats,
    },
    { name: 'paced', about: 'CPU at 10,000 heartbeats/s with 100,000 actors in the heap', measure: paced },
    { name: 'lifecycle-register', about: 'connect to `registered` and away: CPU', measure: register },
    { name: 'lifecycle-resume', about: 'connect to `resumed` and away: CPU', measure: resume },
    { name: 'lifecycle-stop', about: 'stopping a session among 100,000', measure: stop },
    { name: 'scrape', about: 'a page of metrics with 100,000 sessions: CPU', measure: scrape },
    { name: 'lifecycle-heap', about: 'what 50,000 comings and goings leave in the heap', measure: heap },
  ],
}
