/** The load generator for WebSockets: run with options, answering with what it measured. */
import { type Child, CLIENT_CORE, startOn } from '../processes.js'
import { compiled } from './compiled.js'

/** Options of `wsload.cpp` by their names there. */
export type LoadOptions = Readonly<Record<string, string | number>> & { readonly port: number }

/** What the generator measured in its window. A share of 1 is one core. */
export interface Load {
  readonly count: number
  readonly seconds: number
  readonly perSecond: number
  readonly frames: number
  readonly lost: number
  /** Messages that a paced run could not send in time. */
  readonly skipped: number
  readonly serverBusy: number
  readonly clientBusy: number
  /** What others on this machine used. */
  readonly foreignBusy: number
  readonly serverMicros: number
  /** Latency, µs. */
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  readonly rssBytes: number
  readonly openSeconds: number
  /** Server CPU per connection while they were opened, µs. */
  readonly openServerMicros: number
}

export interface Watch {
  /** The window begins. */
  readonly measuring?: () => unknown
  /** With `untilTold`: the sockets break when it resolves. */
  readonly during?: () => Promise<unknown>
  /** The window is over and the connections are still there. */
  readonly held?: () => unknown
}

/** What came of a crowd: until each was where it wanted to be, µs. */
export interface Crowd extends Pick<Load, 'count' | 'seconds' | 'p50' | 'p99'> {
  readonly max: number
  readonly serverMicros: number
  readonly serverBusy: number
  readonly clientBusy: number
  readonly foreignBusy: number
}

/** A crowd that returned: how many were told to come later once, and more often; and those the edge sent away. */
export interface Storm extends Crowd {
  readonly refusedOnce: number
  readonly refusedMore: number
  readonly turnedAway: number
  /** Connections that broke without a word, and were dialled again. */
  readonly broken: number
}

/** Runs the generator to its end. */
export async function load<L extends Crowd | Load = Load>(
  options: LoadOptions,
  watch: Watch = {},
): Promise<L> {
  const child = start({ ...options, hold: watch.held === undefined ? 0 : 1 })
  try {
    await child.line()
    await watch.measuring?.()
    if (watch.during !== undefined) {
      await watch.during()
      child.hush()
    }
    const result = JSON.parse(await child.line()) as L // wsload prints these fields
    await watch.held?.()
    return result
  } finally {
    await child.end()
  }
}

/** What is done around each of several windows of one run. */
export interface Windows {
  /** Their number. */
  readonly count: number
  /** The time before window `i` has begun, in which nothing is measured. */
  before(i: number): Promise<void>
  measuring(i: number): Promise<void>
  measured(i: number, load: Load): Promise<void>
}

/** Runs the generator with the same connections through several windows. */
export async function loadThrough(options: LoadOptions, windows: Windows): Promise<void> {
  const child = start({ ...options, windows: windows.count })
  try {
    for (let i = 0; i < windows.count; i++) {
      await windows.before(i)
      await child.line()
      await windows.measuring(i)
      await windows.measured(i, JSON.parse(await child.line()) as Load) // wsload prints these fields
    }
  } finally {
    await child.end()
  }
}

const start = (options: LoadOptions): Child =>
  startOn(
    CLIENT_CORE,
    compiled('wsload.cpp'),
    Object.entries(options).map(([key, value]) => `${key}=${value}`),
  )
