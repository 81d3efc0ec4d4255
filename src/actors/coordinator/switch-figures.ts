/** What is counted of routes that move, and of those that could have moved and stayed. */
import { Histogram } from '../../kit/histogram.js'
import { SWITCH_CAUSES, type WireOf } from '../../protocol/messages.js'

export type SwitchCause = WireOf<'route.switched'>['cause']

/**
 * Why a route that had a reason to move has stayed: no other node qualifies, none is clearly better, it has moved a
 * moment ago, its client is away, or the node that it would go to does not stay up.
 */
export type Suppression = 'no_candidate' | 'no_clear_gain' | 'too_soon' | 'client_away' | 'flapping'

const BOUNDS_MS = [50, 100, 250, 500, 750, 1_000, 1_500, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000]

export class SwitchFigures {
  /** From the reason to move to the new route, by the reason. */
  readonly tookMs = Object.fromEntries(
    SWITCH_CAUSES.map(cause => [cause, new Histogram(BOUNDS_MS)]),
  ) as Readonly<Record<SwitchCause, Histogram>> // one for each
  readonly suppressed: Record<Suppression, number> = {
    no_candidate: 0,
    no_clear_gain: 0,
    too_soon: 0,
    client_away: 0,
    flapping: 0,
  }

  get total(): number {
    return SWITCH_CAUSES.reduce((sum, cause) => sum + this.tookMs[cause].count, 0)
  }
}
