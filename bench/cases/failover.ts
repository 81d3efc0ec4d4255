/**
 * A node dies that carries ten thousand clients: how long until each client holds its new route. Beside a bare server that
 * sends a message of the same size to as many sockets.
 */
import { encode } from '../../src/protocol/codec.js'
import { EXAMPLES } from '../../src/protocol/examples.js'
import { TIMING } from '../../src/protocol/timing.js'
import type { Bench, Result, Settings } from '../bench.js'
import { type Contestant, loadOn, middle, saturatedIn, withServer } from '../contest.js'
import type { Crowd } from '../load/generator.js'
import { interleave } from '../rounds.js'

const CLIENTS = { full: 10_000, quick: 2_000 }
const DYING = 1
/** They take the clients of the one. */
const SURVIVING = 30
/** Routes are not moved while sessions of the process before come back, which takes ten seconds, ms. */
const WARM_MS = 11_000
const SOURCES = 60

const switched = Buffer.from(encode(EXAMPLES['route.switched'])).toString('hex')
const ALL: Contestant = ['bare', 'all']

async function lostNode(settings: Settings): Promise<Result> {
  const clients = settings.quick ? CLIENTS.quick : CLIENTS.full
  const server: Contestant = [
    'ours',
    ...['--nodes', DYING + SURVIVING, '--clients', clients, '--carriers', DYING].map(String),
    '--mute',
  ]
  const nodes = DYING + SURVIVING
  const options = { mode: 'lost', conns: nodes + clients, skip: nodes, dying: DYING, sources: SOURCES }
  const cut = (contestant: Contestant, more: object) => () =>
    withServer(contestant, running => loadOn<Crowd>(contestant, running, { ...options, ...more }))
  const runs = await interleave(
    settings.rounds,
    { ours: cut(server, { warm: WARM_MS }), limit: cut(ALL, { value: switched, warm: 500 }) },
    settings.say,
  )
  const afterMs = (runs: readonly Crowd[], figure: 'p50' | 'p99' | 'max') =>
    middle(runs, figure) / 1e3 - TIMING.failoverAfterMs
  const value = afterMs(runs.ours, 'p99')
  const least = middle(runs.limit, 'p99') / 1e3
  return {
    value,
    unit: 'ms p99 until moved',
    limit: { name: 'bare messages of the same size', value: least },
    ratio: least / value,
    saturated: saturatedIn(runs.ours),
    rounds: settings.rounds,
    detail: {
      clients,
      patienceMs: TIMING.failoverAfterMs,
      p50Ms: afterMs(runs.ours, 'p50'),
      maxMs: afterMs(runs.ours, 'max'),
      limitP50Ms: middle(runs.limit, 'p50') / 1e3,
      limitMaxMs: middle(runs.limit, 'max') / 1e3,
      serverMicros: middle(runs.ours, 'serverMicros'),
      limitServerMicros: middle(runs.limit, 'serverMicros'),
      foreignBusy: middle(runs.ours, 'foreignBusy'),
    },
  }
}

export const failover: Bench = {
  name: 'failover',
  about: 'A node that carries 10,000 clients dies: until each client holds its new route.',
  cases: [
    {
      name: 'lost-node',
      about: 'from the moment failover begins, which is after the patience with a lost socket',
      measure: lostNode,
    },
  ],
}
