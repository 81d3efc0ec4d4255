/**
 * A storm: all sessions of a coordinator come back at the same moment. How long until each is back, and what those notice
 * who never left. Beside as many bare WebSockets that are opened and echo one message.
 */
import type { Bench, Result, Settings } from '../bench.js'
import { type Contestant, loadOn, middle, saturatedIn, withServer } from '../contest.js'
import type { Load, Storm } from '../load/generator.js'
import { interleave } from '../rounds.js'

/** Those who return, of whom a hundredth are nodes and the others have routes to them. */
const RETURNING = { full: 10_000, quick: 2_000 }
const NODES = 100
/** They gather within this time, ms; their sockets break when a coordinator that has just started moves routes again. */
const GATHER_MS = 8_000
const SETTLED_MS = 12_000
/** Agents dial within this time after their sockets broke, ms. */
const WITHIN_MS = 500
/** Pairs that stay. */
const STAYING = 1
const FIRST = 2 * STAYING
/** An address for each, as in the field; loopback has as many. */
const SOURCES = 60_000
/** What travels between two that stay: a packet at a time, 500 a second. */
const RELAYED = { mode: 'relay', conns: 2, size: 1_300, burst: 1, window: 64, rate: 500, warm: 500 }
/** So long they are watched from the moment when the sockets break, ms: longer than production takes to let all in. */
const WATCHED_MS = 6_000
/** Others may notice twice as much of our storm as of bare handshakes. */
const BYSTANDERS_TARGET = 0.5

const ECHO: Contestant = ['bare', 'echo']
const returning = ({ quick }: Settings) => (quick ? RETURNING.quick : RETURNING.full)
const ours = (settings: Settings, ...more: string[]): Contestant => {
  const population = {
    '--pairs': STAYING,
    '--nodes': NODES,
    '--clients': returning(settings) - NODES,
    '--carriers': NODES,
  }
  return ['ours', ...Object.entries(population).flat().map(String), '--mute', ...more]
}
const arrivals = (settings: Settings) => ({
  mode: 'storm',
  gather: GATHER_MS,
  conns: returning(settings),
  first: FIRST,
  sources: SOURCES,
  within: WITHIN_MS,
})

const storms = (contestant: Contestant, settings: Settings) => () =>
  withServer(contestant, server =>
    loadOn<Storm>(contestant, server, { hello: 'echo', ...arrivals(settings) }),
  )

/** Returns what a storm looks like; `server` says how they are let in. */
async function measured(server: Contestant, settings: Settings): Promise<Result> {
  const runs = await interleave(
    settings.rounds,
    { ours: storms(server, settings), limit: storms(ECHO, settings) },
    settings.say,
  )
  const [value, least] = [middle(runs.ours, 'p99') / 1e3, middle(runs.limit, 'p99') / 1e3]
  return {
    value,
    unit: 'ms p99 until back',
    limit: { name: 'bare handshakes with one echo', value: least },
    ratio: least / value,
    saturated: saturatedIn(runs.ours),
    rounds: settings.rounds,
    detail: {
      returning: returning(settings),
      p50Ms: middle(runs.ours, 'p50') / 1e3,
      maxMs: middle(runs.ours, 'max') / 1e3,
      limitP50Ms: middle(runs.limit, 'p50') / 1e3,
      limitMaxMs: middle(runs.limit, 'max') / 1e3,
      toldOnce: middle(runs.ours, 'refusedOnce'),
      toldAgain: middle(runs.ours, 'refusedMore'),
      turnedAway: middle(runs.ours, 'turnedAway'),
      broken: middle(runs.ours, 'broken'),
      serverMicros: middle(runs.ours, 'serverMicros'),
      limitServerMicros: middle(runs.limit, 'serverMicros'),
      serverBusy: middle(runs.ours, 'serverBusy'),
      foreignBusy: middle(runs.ours, 'foreignBusy'),
    },
  }
}

/** Runs a storm, and returns what the packets of a pair that stays have met since it broke loose. */
const stays =
  (contestant: Contestant, settings: Settings, hello: object = {}) =>
  () =>
    withServer(contestant, async server => {
      let relayed: Promise<Load> | undefined
      const isWatched = new Promise<void>((resolve, reject) => {
        const window = { warm: SETTLED_MS, ms: WATCHED_MS }
        relayed = loadOn(contestant, server, { ...RELAYED, ...window }, { measuring: resolve })
        relayed.catch(reject)
      })
      const returning = { ...hello, ...arrivals(settings), untilTold: 1 }
      await loadOn<Storm>(contestant, server, returning, { during: () => isWatched })
      return relayed as Promise<Load> // begun above
    })

/** Latency of a pair that stays: while our storm lasts, while bare sockets are dialled, and alone. */
async function bystanders(settings: Settings): Promise<Result> {
  const server = ours(settings, '--paced')
  const alone = () => withServer(server, running => loadOn(server, running, { ...RELAYED, ms: 2_000 }))
  const { stormy, bare, calm } = await interleave(
    settings.rounds,
    {
      stormy: stays(server, settings),
      bare: stays(['bare', 'storm'], settings, { hello: 'echo' }),
      calm: alone,
    },
    settings.say,
  )
  const [value, least] = [middle(stormy, 'p99') / 1e3, middle(bare, 'p99') / 1e3]
  return {
    value,
    unit: 'ms p99 during a storm',
    limit: { name: 'a bare forwarder amid bare handshakes', value: least },
    ratio: least / value,
    target: BYSTANDERS_TARGET,
    saturated: 'server',
    rounds: settings.rounds,
    detail: {
      p50Ms: middle(stormy, 'p50') / 1e3,
      p999Ms: middle(stormy, 'p999') / 1e3,
      maxMs: middle(stormy, 'max') / 1e3,
      limitP50Ms: middle(bare, 'p50') / 1e3,
      limitP999Ms: middle(bare, 'p999') / 1e3,
      limitMaxMs: middle(bare, 'max') / 1e3,
      calmP50Ms: middle(calm, 'p50') / 1e3,
      calmP99Ms: middle(calm, 'p99') / 1e3,
      lost: middle(stormy, 'lost'),
      limitLost: middle(bare, 'lost'),
      serverBusy: middle(stormy, 'serverBusy'),
      foreignBusy: middle(stormy, 'foreignBusy'),
      limitServerBusy: middle(bare, 'serverBusy'),
    },
  }
}

export const storm: Bench = {
  name: 'storm',
  about: 'All sessions return at once: until each is back, and what the others notice.',
  cases: [
    {
      name: 'paced',
      about: '10,000 resumes as production lets them in',
      measure: settings => measured(ours(settings, '--paced'), settings),
    },
    {
      name: 'unpaced',
      about: 'the same with nobody told to wait: what the core can do',
      measure: settings => measured(ours(settings), settings),
    },
    { name: 'bystanders', about: 'latency of a pair that stays', measure: bystanders },
  ],
}
