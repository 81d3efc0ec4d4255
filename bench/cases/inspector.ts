/**
 * What sessions notice of an operator who looks: how long they wait for the answer to a heartbeat while the page is open, and
 * while it is closed, in turns with the same coordinator, sessions and connections.
 *
 *   window   0       1     2     3       4       5     …
 *   page     closed  open  open  closed  closed  open      so that what drifts meets both alike
 */
import { fileURLToPath } from 'node:url'
import { encode } from '../../src/protocol/codec.js'
import { EXAMPLES } from '../../src/protocol/examples.js'
import type { Bench, Result, Settings } from '../bench.js'
import { AS_AGENT, middle, withServer } from '../contest.js'
import { type Load, loadThrough } from '../load/generator.js'
import type { Attached, Seen } from '../load/operator.js'
import { CLIENT_CORE, type Server, startOn } from '../processes.js'
import type { InspectedFigures } from '../servers/inspected.js'

/** A process may hold 20,000 files here: some clients are away, as some always are. */
const SESSIONS = {
  full: { nodes: 2_000, clients: 18_000, away: 500 },
  quick: { nodes: 200, clients: 1_800, away: 50 },
}
/** Each session beats so often, s: twice as often as agents are asked to. */
const BEAT_EVERY_S = 5
const SOURCES = 60
/**
 * Windows of a round, how long each lasts, and how long page and sessions settle before it, ms. Many short ones, so that what
 * others on the machine do falls into some, and the median is of the others.
 */
const WINDOWS = {
  full: { count: 20, ms: 2_000, warm: 1_000 },
  quick: { count: 4, ms: 1_500, warm: 1_000 },
}
/** p99 may grow by less than a tenth. */
const TARGET = 0.91

/** The session whose node is looked at; it comes by a connection of its own. */
const BUSY = { session: 0, id: 'node/agent-0', reportsPerSecond: 20 }
const FIRST = 1

const BUSY_NODE = new URL('../load/busy-node.js', import.meta.url)
const OPERATOR = new URL('../load/operator.js', import.meta.url)

/** The page on one actor with the first four neighbours ticked: src/inspector/page/pages/actor.tsx. */
const actorPage = ({ nodes }: Population): Attached => ({
  watches: [
    { path: `/api/v1/actors/${encodeURIComponent(BUSY.id)}`, everyMs: 2_000 },
    { path: '/api/v1/statecharts', everyMs: 60_000 },
  ],
  follows: [BUSY.id, 'coordinator', 'path/65536', `client/agent-${nodes}`, `path/${65_536 + nodes}`],
})

/** The list of actors, sorted, in one tab and the overview in another: pages/actors.tsx and overview.tsx. */
const listPage = (): Attached => ({
  watches: [
    { path: '/api/v1/actors?limit=50&sort=-about', everyMs: 1_000 },
    { path: '/api/v1/status', everyMs: 1_000 },
    { path: '/health', everyMs: 5_000 },
  ],
  follows: [],
})

type Population = (typeof SESSIONS)['full']
/** A window with the page open, or closed. */
type Window = Load & Omit<InspectedFigures, 'looked' | 'lookMs'>
type Open = Window &
  Record<'looksPerSecond' | 'lookMs' | 'viewsPerSecond' | 'eventsPerSecond' | 'bytesPerSecond', number>

async function beside(page: (population: Population) => Attached, settings: Settings): Promise<Result> {
  const population = settings.quick ? SESSIONS.quick : SESSIONS.full
  const closed: Window[] = []
  const open: Open[] = []
  for (let round = 1; round <= settings.rounds; round++) {
    settings.say(`round ${round}/${settings.rounds}`)
    const args = ['--nodes', String(population.nodes), '--clients', String(population.clients)]
    await withServer(['inspected', ...args], server =>
      windows(server, { population, attached: page(population), closed, open, settings }),
    )
  }
  const [value, least] = [middle(open, 'p99') / 1e3, middle(closed, 'p99') / 1e3]
  return {
    value,
    unit: 'ms p99 of a heartbeat, page open',
    limit: { name: 'page closed', value: least },
    ratio: least / value,
    target: TARGET,
    saturated: 'client',
    rounds: settings.rounds,
    detail: {
      sessions: population.nodes + population.clients,
      connections: population.nodes + population.clients - population.away,
      heartbeatsPerSecond: middle(open, 'perSecond'),
      windows: open.length,
      ...figures(open, ''),
      ...figures(closed, 'limit'),
      looksPerSecond: middle(open, 'looksPerSecond'),
      lookMs: middle(open, 'lookMs'),
      viewsPerSecond: middle(open, 'viewsPerSecond'),
      eventsPerSecond: middle(open, 'eventsPerSecond'),
      bytesPerSecond: middle(open, 'bytesPerSecond'),
      foreignBusy: middle(open, 'foreignBusy'),
      limitForeignBusy: middle(closed, 'foreignBusy'),
    },
  }
}

/** Returns what there is of both states, named after the one. */
function figures(windows: readonly Window[], state: '' | 'limit'): Record<string, number> {
  const named = (name: string) => (state === '' ? name : `${state}${name[0]?.toUpperCase()}${name.slice(1)}`)
  return Object.fromEntries([
    [named('p50Ms'), middle(windows, 'p50') / 1e3],
    [named('p90Ms'), middle(windows, 'p90') / 1e3],
    [named('p999Ms'), middle(windows, 'p999') / 1e3],
    [named('maxMs'), middle(windows, 'max') / 1e3],
    [named('p99Ms least'), Math.min(...windows.map(({ p99 }) => p99)) / 1e3],
    [named('p99Ms most'), Math.max(...windows.map(({ p99 }) => p99)) / 1e3],
    [named('serverBusy'), middle(windows, 'serverBusy')],
    [named('loopP99Ms'), middle(windows, 'loopP99Ms')],
    [named('loopMaxMs'), middle(windows, 'loopMaxMs')],
  ])
}

interface Run {
  readonly population: Population
  readonly attached: Attached
  readonly settings: Settings
  /** What was measured is added to these. */
  readonly closed: Window[]
  readonly open: Open[]
}

/** Measures the windows of one round. */
async function windows(server: Server, run: Run): Promise<void> {
  const { nodes, clients, away } = run.population
  const { count, ms, warm } = run.settings.quick ? WINDOWS.quick : WINDOWS.full
  const conns = nodes + clients - away - FIRST
  const isOpen = (i: number) => i % 4 === 1 || i % 4 === 2
  const busy = start(BUSY_NODE, server.port, BUSY.session, BUSY.reportsPerSecond)
  const operator = start(OPERATOR, server.port, await server.ask<string>('token'))
  const asked = async (what: string) => {
    operator.say(what)
    return JSON.parse(await operator.line()) as Seen // as operator.ts writes it
  }
  const look = async () => ({ ...(await server.ask<InspectedFigures>('figures')), ...(await asked('count')) })
  try {
    await busy.line()
    let before = await look()
    await loadThrough(
      {
        ...AS_AGENT,
        mode: 'reply',
        value: BEAT,
        seqAt: 5,
        port: server.port,
        pid: server.pid,
        first: FIRST,
        conns,
        sources: SOURCES,
        window: 4,
        rate: conns / BEAT_EVERY_S,
        ms,
        warm,
      },
      {
        count,
        async before(i) {
          if (isOpen(i)) await asked(`open ${JSON.stringify(run.attached)}`)
        },
        async measuring() {
          await server.ask('window')
          before = await look()
        },
        async measured(i, load) {
          const after = await look()
          if (!isOpen(i)) return void run.closed.push({ ...load, ...after })
          await asked('close')
          const perSecond = (figure: keyof typeof after) => (after[figure] - before[figure]) / load.seconds
          run.open.push({
            ...load,
            ...after,
            looksPerSecond: perSecond('looked'),
            lookMs: (after.lookMs - before.lookMs) / (after.looked - before.looked),
            viewsPerSecond: perSecond('views'),
            eventsPerSecond: perSecond('events'),
            bytesPerSecond: perSecond('bytes'),
          })
        },
      },
    )
  } finally {
    await Promise.all([busy.end(), operator.end()])
  }
}

/** A heartbeat whose sequence number takes four bytes, at the fifth. */
const BEAT = Buffer.from(encode({ ...EXAMPLES.heartbeat, seq: 0x1_0000 })).toString('hex')

/**
 * Starts a program that in truth runs on a machine of its own: here it takes what the load generator leaves of its core, and
 * gives way at once. Otherwise what it takes would be waited for by heartbeats.
 */
const start = (program: URL, ...args: readonly (string | number)[]) =>
  startOn(CLIENT_CORE, 'chrt', ['--idle', '0', process.execPath, fileURLToPath(program), ...args.map(String)])

export const inspector: Bench = {
  name: 'inspector',
  about: 'What 20,000 sessions notice of an operator who looks: heartbeats with the page open, and closed.',
  cases: [
    {
      name: 'actor',
      about: 'the page attached to one busy node and four of its neighbours',
      measure: settings => beside(actorPage, settings),
    },
    {
      name: 'list',
      about: 'the list of all actors, sorted, and the overview',
      measure: settings => beside(listPage, settings),
    },
  ],
}
