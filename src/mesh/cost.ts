/**
 * What carrying one more client on a node costs. Lower is better; a half-full node costs 1. Every term is kept for
 * the explanation; unknown counts as average, never as good.
 *
 *   load      places taken, or the uplink's use where that is more
 *   rtt       coordinator to node, as the coordinator measured it
 *   loss      client to node, as the node's clients measured it
 *   reported  what the node says of itself, how it does and what is nearly full: never more than 30 % of the whole, so
 *             that it cannot talk itself up
 *   price     the cost weight that its owner or the operator set
 *   distance  between client and node
 *   flaps     sessions it lost lately
 *   tier      how packets will travel, as far as the two NATs tell
 */
import type { CostTerm } from '../actors/ports.js'
import type { ClientFacts } from './client-facts.js'
import { ASSUMED_PLACES, fullness, type NodeFacts } from './node-facts.js'
import { type Outlook, outlookOf } from './outlook.js'
import { distanceKm } from './position.js'

/** What costs as much as a half-full node, of each figure: ms, %, km; and lost sessions of a moment ago. */
export const SCALE = { rttMs: 200, lossPct: 5, distanceKm: 10_000, flaps: 4 }
/** A price of 1 is usual, and costs this much. */
export const USUAL_PRICE = 0.25
/** Self-reported figures that are as bad as they count: %, %, ms. */
const WORST = { cpuPct: 100, lossPct: 10, latencyMs: 400 }
/** What they cost together at their worst. */
export const REPORTED_MAX = 0.5
/** Self-reported figures are 30 % of the whole at most beside measured ones: this much of the other terms. */
const REPORTED_MOST = 0.3 / 0.7
/** A way that carries nothing is worse than any that does. */
export const OUTLOOK: Readonly<Record<NonNullable<Outlook>, number>> = {
  direct: 0,
  turned: 0.25,
  relayed: 0.4,
  none: 4,
}

type Weights = Readonly<Partial<Record<CostTerm, number>>>
const NO_WEIGHTS: Weights = {}

/** What an unknown term counts as: 50 ms, 0.5 %, a quarter of the worst, the usual price, 5,000 km, a perhaps direct way. */
export const AVERAGE: Readonly<Record<CostTerm, number>> = {
  load: 1,
  rtt: 50 / SCALE.rttMs,
  loss: 0.5 / SCALE.lossPct,
  reported: REPORTED_MAX / 4,
  price: USUAL_PRICE,
  distance: 5_000 / SCALE.distanceKm,
  flaps: 0,
  tier: 0.2,
}

export interface Cost {
  readonly cost: number
  /** Each term as it enters the cost, weighted; null is unknown and enters as `AVERAGE`, weighted. */
  readonly terms: Readonly<Record<CostTerm, number | null>>
}

/** Returns the cost of the node for this client; terms without a weight count 1. */
export function costOf(node: NodeFacts, client: ClientFacts, weights: Weights = NO_WEIGHTS): Cost {
  const load = loadOf(node) * (weights.load ?? 1)
  const rtt = weighted(scaled(node.rttMs, SCALE.rttMs), weights.rtt)
  const loss = weighted(scaled(node.lossPct, SCALE.lossPct), weights.loss)
  const price = weighted(scaled(node.costWeight, 1 / USUAL_PRICE), weights.price)
  const distance = weighted(distanceTerm(node, client), weights.distance)
  const flaps = weighted(scaled(node.flaps, SCALE.flaps), weights.flaps)
  const tier = weighted(tierTerm(node, client), weights.tier)
  const others =
    load +
    (rtt ?? averageOf('rtt', weights.rtt)) +
    (loss ?? averageOf('loss', weights.loss)) +
    (price ?? averageOf('price', weights.price)) +
    (distance ?? averageOf('distance', weights.distance)) +
    (flaps ?? averageOf('flaps', weights.flaps)) +
    (tier ?? averageOf('tier', weights.tier))
  const said = weighted(reportedTerm(node), weights.reported)
  const isMeasured = rtt !== null || loss !== null
  const reported = said !== null && isMeasured ? Math.min(said, others * REPORTED_MOST) : said
  return {
    cost: others + (reported ?? averageOf('reported', weights.reported)),
    terms: { load, rtt, loss, reported, price, distance, flaps, tier },
  }
}

const averageOf = (term: CostTerm, weight = 1): number => AVERAGE[term] * weight
const weighted = (term: number | null, weight = 1): number | null => (term === null ? null : term * weight)
const scaled = (figure: number | null, scale: number): number | null =>
  figure === null ? null : figure / scale

/** What goes through the uplink is the node's word: it can only make the node dearer than its places do. */
function loadOf(node: NodeFacts): number {
  const places = fullness(node) ?? node.reserved / ASSUMED_PLACES
  if (node.bandwidthMbps === null || node.bwTotalMbps === null || node.bandwidthMbps === 0) return 2 * places
  return 2 * Math.max(places, Math.min(1, node.bwTotalMbps / node.bandwidthMbps))
}

/** By the mean of how it does, or by what is nearest to its end where that is worse; null when it says nothing. */
function reportedTerm(node: NodeFacts): number | null {
  let total = 0
  let said = 0
  const hear = (figure: number | null, worst: number) => {
    if (figure === null) return
    total += Math.min(1, figure / worst)
    said++
  }
  hear(node.cpuTotalPct, WORST.cpuPct)
  hear(node.packetLossPct, WORST.lossPct)
  hear(node.latencyP50Ms, WORST.latencyMs)
  const { pressurePct } = node
  if (said === 0) return pressurePct === null ? null : (REPORTED_MAX * pressurePct) / 100
  return REPORTED_MAX * Math.max(total / said, (pressurePct ?? 0) / 100)
}

const distanceTerm = (node: NodeFacts, client: ClientFacts): number | null =>
  node.position === null || client.position === null
    ? null
    : distanceKm(node.position, client.position) / SCALE.distanceKm

function tierTerm(node: NodeFacts, client: ClientFacts): number | null {
  const outlook = outlookOf(client, node)
  return outlook === null ? null : OUTLOOK[outlook]
}
