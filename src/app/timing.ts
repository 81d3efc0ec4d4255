/** The times that hold in this coordinator, as its configuration says and as its interface tells. */
import { TIMING } from '../protocol/timing.js'
import type { Config } from './config.js'

/** Everything in ms; the interface describes each. */
export interface Timing {
  readonly beatEveryMs: number
  readonly lapseAfterMs: number
  readonly silenceMs: number
  readonly failoverAfterMs: number
  readonly resumeWindowMs: number
  readonly tokenLifeMs: number
}

type Times = Pick<Config, 'beatEveryMs' | 'failoverAfterMs' | 'resumeWindowMs' | 'jwtLifeMs'>

export const timingOf = ({ beatEveryMs, failoverAfterMs, resumeWindowMs, jwtLifeMs }: Times): Timing => ({
  beatEveryMs,
  lapseAfterMs: beatEveryMs * TIMING.lapseBeats,
  silenceMs: beatEveryMs * TIMING.silenceBeats,
  failoverAfterMs,
  resumeWindowMs,
  tokenLifeMs: jwtLifeMs,
})
