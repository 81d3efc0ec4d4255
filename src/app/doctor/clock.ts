/**
 * Whether the clocks agree. Tokens and TURN credentials end by the wall clock of whoever reads them, and rows carry
 * times of ours and of the database.
 */
import { failed, type Finding, ok, warning } from './check.js'

export interface ClockPorts {
  /** How far others' wall clocks are ahead of ours, ms; null when they could not be asked. */
  readonly ahead: readonly {
    readonly who: string
    readonly ms: number | null
    readonly roundTripMs: number
  }[]
  /** What wall and monotonic clock have both counted during a while, ms. */
  readonly counted: { readonly wallMs: number; readonly monotonicMs: number }
  /** Whether this machine's clock is kept by NTP; null where that cannot be told. */
  readonly synchronised: boolean | null
}

/** Clocks that differ by less are as good as equal to people who read logs, ms. */
const SKEW_GOOD_MS = 1_000
/** From here on what is just issued may count as run out, ms. */
const SKEW_MOST_MS = 60_000
/** A wall clock that is not set anew drifts by less than this while a check runs, ms. */
const STEP_MS = 100

export function clock({ ahead, counted, synchronised }: ClockPorts): readonly Finding[] {
  return [
    ...ahead.flatMap(({ who, ms, roundTripMs }) => (ms === null ? [] : [skew(who, ms, roundTripMs)])),
    steady(counted),
    ntp(synchronised),
  ]
}

function skew(who: string, ms: number, roundTripMs: number): Finding {
  const name = 'clock'
  // What the way there and back took cannot be told from a difference.
  const sure = Math.max(0, Math.abs(ms) - roundTripMs / 2)
  const found = `${who} is ${shown(Math.abs(ms))} ${ms < 0 ? 'behind' : 'ahead of'} this machine`
  if (sure < SKEW_GOOD_MS)
    return ok(name, `as that of ${who}${sure < 50 ? '' : `, give or take ${shown(Math.abs(ms))}`}`)
  const advice = 'keep both clocks by NTP'
  return sure < SKEW_MOST_MS
    ? warning(name, found, advice)
    : failed(name, found, `${advice}: credentials run out too early or too late`)
}

function steady({ wallMs, monotonicMs }: ClockPorts['counted']): Finding {
  const name = 'clock steps'
  if (monotonicMs <= 0) return failed(name, 'the monotonic clock stands still', 'restart this machine')
  const stepMs = wallMs - monotonicMs
  if (Math.abs(stepMs) < STEP_MS) return ok(name, 'none while it was looked at')
  return warning(
    name,
    `the wall clock was set by ${shown(stepMs)} while it was looked at`,
    'let one program keep the clock, and let it slew',
  )
}

function ntp(synchronised: boolean | null): Finding {
  const name = 'clock source'
  if (synchronised === null) return ok(name, 'this machine does not tell whether NTP keeps it')
  if (synchronised) return ok(name, 'kept by NTP')
  return warning(name, 'not kept by NTP', 'timedatectl set-ntp true, or install chrony')
}

const shown = (ms: number): string =>
  Math.abs(ms) < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
