/**
 * Packets from agent to agent through the coordinator: a hundred links, beside forwarders that check nothing.
 * Ours looks up the link, checks both ends and the WireGuard header, meters the sender and bounds the queue.
 */
import type { Bench, Case, Result, Settings } from '../bench.js'
import {
  byCost,
  circumstances,
  type Contestant,
  middle,
  saturatedIn,
  underLoad,
  undisturbed,
} from '../contest.js'
import type { Load } from '../load/generator.js'
import { interleave } from '../rounds.js'

const PAIRS = 100
const OURS: Contestant = ['ours', '--pairs', String(PAIRS)]
const BUNDLING: Contestant = ['bare', 'bundle']
const EACH: Contestant = ['bare', 'each']
const PLAIN: Contestant = ['plain-ws']

/** 32 packets a write, each a message of its own, two writes under way: what a busy agent without bundling sends. */
const BURSTS = { mode: 'relay', conns: 2 * PAIRS, burst: 32, window: 64 }
/** Bursts as short as a few TCP segments' worth of tunnel traffic. */
const SHORT_BURSTS = { ...BURSTS, burst: 8, window: 16 }
/** The same packets in bundles of eight, as our agent sends them. */
const BUNDLES = { ...BURSTS, bundle: 8 }
const ONE_PACKET = { mode: 'relay', conns: 2, burst: 1, window: 1 }
/** 200 packets/s on each link: far from what the server can carry, so that only waiting for others shows. */
const CALM = {
  mode: 'relay',
  conns: 2 * PAIRS,
  burst: 1,
  window: 1,
  rate: 20_000,
  apart: 1,
  apartRate: 5_000,
}

type Sending = Readonly<Record<string, string | number>>

const gbits = (runs: readonly Load[], size: number): number => (middle(runs, 'perSecond') * size * 8) / 1e9

/** Packets per second of ours beside another server's, under the same load. */
function carried(
  name: string,
  about: string,
  size: number,
  sending: Sending,
  limit: { readonly name: string; readonly server: Contestant; readonly target?: number },
): Case {
  return {
    name,
    about,
    async measure(settings) {
      const options = { ...sending, size }
      const runs = await interleave(
        settings.rounds,
        { ours: underLoad(OURS, options, settings), limit: underLoad(limit.server, options, settings) },
        settings.say,
      )
      return {
        value: middle(runs.ours, 'perSecond'),
        unit: 'packets/s',
        limit: { name: limit.name, value: middle(runs.limit, 'perSecond') },
        ratio: byCost(runs.ours, runs.limit),
        saturated: saturatedIn(runs.ours),
        rounds: settings.rounds,
        ...(limit.target === undefined ? {} : { target: limit.target }),
        detail: {
          gbitPerSecond: gbits(runs.ours, size),
          limitGbitPerSecond: gbits(runs.limit, size),
          ...circumstances(runs.ours, runs.limit),
          lost: middle(runs.ours, 'lost'),
          packetsPerMessage: middle(runs.ours, 'count') / middle(runs.ours, 'frames'),
        },
      }
    },
  }
}

/** A run for latencies: a long one, on a machine as quiet as it gets. */
const calm = (server: Contestant, sending: Sending, settings: Settings): (() => Promise<Load>) =>
  undisturbed(underLoad(server, { ...sending, ...(settings.quick ? {} : { ms: 5_000 }) }, settings), settings)

async function single(settings: Settings): Promise<Result> {
  const runs = await interleave(
    settings.rounds,
    { ours: calm(OURS, ONE_PACKET, settings), limit: calm(EACH, ONE_PACKET, settings) },
    settings.say,
  )
  const value = middle(runs.ours, 'p50')
  const least = middle(runs.limit, 'p50')
  return {
    value,
    unit: 'µs p50',
    limit: { name: 'bare uWebSockets, sent on at once', value: least },
    ratio: least / value,
    saturated: saturatedIn(runs.ours),
    rounds: settings.rounds,
    target: 0.8,
    detail: {
      p99: middle(runs.ours, 'p99'),
      limitP99: middle(runs.limit, 'p99'),
      ...circumstances(runs.ours, runs.limit),
    },
  }
}

async function slowReceiver(settings: Settings): Promise<Result> {
  const runs = await interleave(
    settings.rounds,
    {
      stalled: calm(OURS, { ...CALM, stalled: 1 }, settings),
      healthy: calm(OURS, CALM, settings),
    },
    settings.say,
  )
  const value = middle(runs.stalled, 'p99')
  const least = middle(runs.healthy, 'p99')
  return {
    value,
    unit: 'µs p99',
    limit: { name: 'the same links, everyone reading', value: least },
    ratio: least / value,
    saturated: saturatedIn(runs.stalled),
    rounds: settings.rounds,
    target: 0.9,
    detail: {
      p50: middle(runs.stalled, 'p50'),
      limitP50: middle(runs.healthy, 'p50'),
      lost: middle(runs.stalled, 'lost'),
      foreignBusy: middle(runs.stalled, 'foreignBusy'),
    },
  }
}

export const relay: Bench = {
  name: 'relay',
  about: 'Packets per second and their latency from agent to agent, beside forwarders that check nothing.',
  cases: [
    carried('1300B-bundled', `${PAIRS} links, bursts of 32 packets`, 1_300, BURSTS, {
      name: 'bare uWebSockets, same bundling',
      server: BUNDLING,
      target: 0.85,
    }),
    carried('120B-bundled', `${PAIRS} links, bursts of 32 packets`, 120, BURSTS, {
      name: 'bare uWebSockets, same bundling',
      server: BUNDLING,
      target: 0.8,
    }),
    carried('1300B-agent-bundles', `${PAIRS} links, messages of 8 packets`, 1_300, BUNDLES, {
      name: 'bare uWebSockets, same bundling',
      server: BUNDLING,
    }),
    carried('over-naive', `${PAIRS} links, bursts of 8 packets`, 1_300, SHORT_BURSTS, {
      name: 'uWebSockets, each sent in the handler',
      server: EACH,
      target: 3,
    }),
    carried('over-plain-ws', `${PAIRS} links, bursts of 8 packets`, 1_300, SHORT_BURSTS, {
      name: 'the ws package, each sent on at once',
      server: PLAIN,
    }),
    { name: '1300B-single', about: 'one packet at a time on one link: latency', measure: single },
    { name: 'slow-receiver', about: 'latency of 99 links while a receiver stalls', measure: slowReceiver },
  ],
}
