/** Commands that show something: once, or with `--watch` again and again, also while the coordinator restarts. */
import type { Command } from 'commander'
import { heldClock } from '../agent/held-clock.js'
import type { Clock, Timer } from '../kit/clock.js'
import { asDuration } from './columns.js'
import { readDuration } from './duration.js'
import { CommandError, EXIT } from './exit-codes.js'
import { LivePage, type LivePageOptions } from './live-page.js'

export interface Shown<T> {
  /** Asks; rejects with a CommandError. */
  readonly look: () => Promise<T>
  /** What a person sees. */
  readonly page: (found: T) => string
}

export interface ShowOptions {
  readonly watch: boolean
  readonly everyMs: number
  readonly json: boolean
  readonly clock?: Clock
  readonly output?: Pick<LivePageOptions, 'out' | 'err'>
  /** Settles when it is to end; absent: at Ctrl-C. */
  readonly over?: Promise<void>
}

/** How often one looks when nobody says. */
const EVERY = '2s'

/** Adds `--watch`, `--every` and `--json`; returns the command. */
export const addWatchOptions = (command: Command): Command =>
  command
    .option('--watch', 'look again and again, until Ctrl-C')
    .option('--every <time>', 'with --watch: how often, such as 2s or 1m', EVERY)
    .option('--json', 'print JSON; with --watch a line for each change')

/** Returns what was asked for; throws a CommandError when a time is not one. */
export function showOptions(options: Readonly<Record<string, unknown>>): ShowOptions {
  const every = typeof options['every'] === 'string' ? options['every'] : EVERY
  const everyMs = readDuration(every)
  if (everyMs === null)
    throw new CommandError(
      'USAGE',
      `--every: wanted a time such as 2s or 1m, got ${JSON.stringify(every)}`,
      EXIT.usage,
    )
  return { watch: options['watch'] === true, everyMs, json: options['json'] === true }
}

/** Shows what `look` finds; with `watch`, until Ctrl-C. Rejects when the first look does, or when the coordinator refuses. */
export async function show<T>(
  { look, page }: Shown<T>,
  { watch, everyMs, json, clock = heldClock, output = {}, over }: ShowOptions,
): Promise<void> {
  const first = await look()
  if (!watch) {
    const { out = process.stdout } = output
    out.write(`${json ? JSON.stringify(first) : page(first)}\n`)
    return
  }
  const live = new LivePage({ json, hint: `every ${asDuration(everyMs / 1_000)}, Ctrl-C ends`, ...output })
  const end = (over ?? interrupted()).then((): typeof OVER => OVER)
  try {
    live.show(page(first), first)
    for (;;) {
      if ((await soonest(clock, everyMs, end)) === OVER) break
      const found = await Promise.race([patiently(look, live), end])
      if (found === OVER) break
      if (found !== null) live.show(page(found.value), found.value)
    }
  } finally {
    live.end()
  }
  // Nobody waits for an answer that is under way.
  if (over === undefined) process.exit(EXIT.ok)
}

/** What is found when nobody looks any more. */
const OVER: unique symbol = Symbol('over')

/** Resolves with what was found, or with null while the coordinator is away: it may be restarting. */
async function patiently<T>(look: () => Promise<T>, live: LivePage): Promise<{ readonly value: T } | null> {
  try {
    return { value: await look() }
  } catch (error) {
    if (!(error instanceof CommandError) || error.exitCode !== EXIT.unreachable) throw error
    live.note('the coordinator does not answer: this is how it was last; waiting for it')
    return null
  }
}

/** Resolves at the first Ctrl-C; a second one ends the process as usual. */
const interrupted = (): Promise<void> =>
  new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })

/** Resolves after `ms`, or with what `end` does when that is sooner. */
async function soonest<T>(clock: Clock, ms: number, end: Promise<T>): Promise<T | null> {
  let timer: Timer | undefined
  const waited = new Promise<null>(resolve => {
    timer = clock.setTimeout(() => resolve(null), ms)
  })
  try {
    return await Promise.race([waited, end])
  } finally {
    clock.clearTimeout(timer)
  }
}
