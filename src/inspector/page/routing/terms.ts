/** The terms of a cost: what each is, and what it was measured as. One point is what a half-full node costs. */
import type { CostTerm } from '../../../actors/ports.js'
import { AVERAGE, OUTLOOK, REPORTED_MAX, SCALE, USUAL_PRICE } from '../../../mesh/cost.js'
import { ms, percent, short } from '../ui/format.js'

export interface Term {
  readonly term: CostTerm
  readonly label: string
  readonly about: string
  /** Returns what the term was made of, with its unit; `points` are without weights. */
  readonly measured: (points: number) => string
}

const OUTLOOK_LABELS: readonly (readonly [points: number, label: string])[] = [
  [OUTLOOK.direct, 'direct'],
  [OUTLOOK.turned, 'TURN'],
  [OUTLOOK.relayed, 'relay'],
  [OUTLOOK.none, 'none'],
]

export const TERMS: readonly Term[] = [
  {
    term: 'load',
    label: 'Load',
    about: 'places taken, or the uplink’s use where that is more',
    measured: points => percent(points * 50),
  },
  {
    term: 'rtt',
    label: 'RTT',
    about: 'from the coordinator to the node',
    measured: points => ms(points * SCALE.rttMs),
  },
  {
    term: 'loss',
    label: 'Loss',
    about: 'between clients and the node, as clients measure it',
    measured: points => percent(points * SCALE.lossPct),
  },
  {
    term: 'reported',
    label: 'Reported',
    about: 'what the node says of its CPU, loss and latency; 100 % is the worst',
    measured: points => percent((points / REPORTED_MAX) * 100),
  },
  {
    term: 'price',
    label: 'Price',
    about: 'how dear its owner or the operator says it is; 1 is usual',
    measured: points => `× ${short(points / USUAL_PRICE)}`,
  },
  {
    term: 'distance',
    label: 'Distance',
    about: 'between client and node',
    measured: points => `${short(points * SCALE.distanceKm)} km`,
  },
  {
    term: 'flaps',
    label: 'Flaps',
    about: 'sessions that it lost lately, old ones counting less',
    measured: points => short(points * SCALE.flaps),
  },
  {
    term: 'tier',
    label: 'Tier',
    about: 'how packets will travel, as far as the two NATs tell',
    measured: points => OUTLOOK_LABELS.find(([at]) => Math.abs(at - points) < 0.01)?.[1] ?? short(points),
  },
]

/** Returns what a term counts as where nobody knows it, without weights. */
export const averageOf = (term: CostTerm): number => AVERAGE[term]
