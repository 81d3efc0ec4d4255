/**
 * A storm: all sessions of a coordinator come back at the same moment. How long until each is back, and what those notice
 * who never left. Beside as many bare WebSockets that are opened and echo one message.
 */
import type { Bench, Result, Settings } from '../bench.js'
import { type Contestant, loadOn, middle, saturatedIn, withServer } from '../contest.js'
import type { Storm } from '../load/generator.js'
import { interleave } from '../rounds.js'

/** Those who return, of whom a hundredth are nodes and the others have routes to them. */
const RETURNING = { full: 10_000, quick: 2_000 }
const NODES = 100
/** Agents dial within this time after their sockets broke, ms. */
const WITHIN_MS = 500
/** Pairs that stay. */
const STAYING = 1
const FIRST = 2 * STAYING
/** An address for each, as in the field; loopback has as many. */
const SOURCES = 60_000
/** What travels between two that stay: a packet at a time, 500 a second. */
const RELAYED = { mode: 'relay', conns: 2, size: 1_300, burst: 1, window: 64, rate: 500, warm: 500 }

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

/** Latency of a pair that stays, while the others gather and while their storm lasts; beside a pair that is alone. */
async function bystanders(settings: Settings): Promise<Result> {
  const server = ours(settings, '--paced')
  const alone = () => withServer(server, running => loadOn(server, running, { ...RELAYED, ms: 2_000 }))
  const amidst = () =>
    withServer(server, running => {
      const during = () => loadOn<Storm>(server, running, arrivals(settings))
      return loadOn(server, running, { ...RELAYED, untilTold: 1 }, { during })
    })
  const { calm, stormy } = await interleave(settings.rounds, { calm: alone, stormy: amidst }, settings.say)
  const [value, least] = [middle(stormy, 'p99'), middle(calm, 'p99')]
  return {
    value,
    unit: 'µs p99 during a storm',
    limit: { name: 'the same pair alone', value: least },
    ratio: least / value,
    saturated: 'server',
    rounds: settings.rounds,
    detail: {
      p50: middle(stormy, 'p50'),
      calmP50: middle(calm, 'p50'),
      p999: middle(stormy, 'p999'),
      lost: middle(stormy, 'lost'),
      seconds: middle(stormy, 'seconds'),
      foreignBusy: middle(stormy, 'foreignBusy'),
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
