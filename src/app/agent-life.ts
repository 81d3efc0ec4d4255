/**
 * The life of `boson node` and `boson client`: it ends cleanly, whatever ends it.
 *
 *   ground ── before ── agent ──┬── signal: farewell, goodbye, everything given back, exit 0
 *                               ├── refused for good, or an error: the same, and its exit code
 *                               └── kill -9: the next start gives everything back
 */
import { heldClock } from '../agent/held-clock.js'
import { procGauges } from '../agent/gauges/proc.js'
import { RttWindow } from '../agent/gauges/rtt-window.js'
import { RefusedError, watchNetwork, type MeshAgentEvents } from '../agent/index.js'
import type { Gauges } from '../agent/ports.js'
import { every, systemClock } from '../kit/clock.js'
import { asCommandError, messageOf } from './agent-errors.js'
import { CommandError, EXIT } from './exit-codes.js'
import type { LiveLine, Moment } from './live-line.js'

/** Figures on a terminal move this often, ms. */
const SHOW_EVERY_MS = 1_000
/** What the last messages get to leave, ms. */
const PARTING_MS = 200
/** Patience for a clean end, ms. The next start gives back what is left. */
const END_MS = 8_000

/** The parts of an agent that its life needs. */
export interface Living {
  start(): Promise<unknown>
  stop(options?: { readonly leave?: boolean; readonly keepTunnel?: boolean }): Promise<void>
  nudge(): void
  on<K extends keyof MeshAgentEvents>(type: K, listener: (event: MeshAgentEvents[K]) => void): () => void
  status(): { readonly reason: string; readonly session: object | null }
}

export interface LifeOptions<A extends Living> {
  /** What is given back at the end; a tunnel by itself only when there is no agent to stop it. */
  readonly ground: { readonly tunnel: { stop(): Promise<void> }; release(): void }
  readonly line: LiveLine
  readonly make: () => A
  readonly moment: (agent: A) => Moment
  /** The first connection must stand within this long, s; 0 waits for ever. */
  readonly giveUpAfterS: number
  /** Runs before the agent dials. */
  readonly before?: () => Promise<unknown>
  /** Runs when the session stands for the first time. */
  readonly begin?: (agent: A) => Promise<unknown>
  /** Calls `show` whenever what only this role knows has changed. */
  readonly watch?: (agent: A, show: () => void) => void
  /** Runs at the first signal, while the agent goes on; a second signal does not wait for it. */
  readonly farewell?: (agent: A) => Promise<unknown>
  /** Resolves when the process is to be started again: then nothing is given back, and it ends with EXIT.restart. */
  readonly again?: Promise<void>
}

/** Runs the agent until something ends it; then everything is given back. Rejects with a CommandError. */
export async function runAgent<A extends Living>(options: LifeOptions<A>): Promise<void> {
  const { ground, line, make, before } = options
  let agent: A | null = null
  let isAgain = false
  try {
    await before?.()
    agent = make()
    isAgain = (await liveUntilEnded(agent, options)) === 'again'
    if (isAgain) await agent.stop({ leave: false, keepTunnel: true })
  } catch (error) {
    throw asCommandError(error)
  } finally {
    if (!isAgain) await giveBack(agent ?? ground.tunnel, line)
    ground.release()
    line.end()
  }
  if (isAgain) await exitSoon()
}

/** What was said last leaves; the tunnel, which stays, would keep the process alive. */
async function exitSoon(): Promise<never> {
  await new Promise<void>(resolve => void heldClock.setTimeout(resolve, PARTING_MS))
  process.exit(EXIT.restart)
}

async function liveUntilEnded<A extends Living>(
  agent: A,
  { line, moment, begin, watch, farewell, giveUpAfterS, again }: LifeOptions<A>,
): Promise<'ended' | 'again'> {
  const over = new AbortController()
  // After the event is dealt with: what is told during it may be half of the change.
  const show = () => queueMicrotask(() => over.signal.aborted || line.show(moment(agent)))
  const stopShowing = every(systemClock, SHOW_EVERY_MS, show)
  const stopWatching = watchNetwork({ changed: () => agent.nudge() })
  for (const type of ['online', 'offline', 'path', 'link', 'linkClosed'] as const) agent.on(type, show)
  watch?.(agent, show)
  agent.on('fault', ({ what, error }) => line.note(`${what}: ${messageOf(error)}`))
  try {
    return await new Promise((resolve, reject) => {
      onSignals(
        () => farewell?.(agent) ?? Promise.resolve(),
        () => resolve('ended'),
      )
      again?.then(() => resolve('again'), reject)
      onUncaught(reject, over.signal)
      agent.on('refused', ({ code, reason }) => reject(new RefusedError(code, reason)))
      if (giveUpAfterS > 0) giveUpLater(agent, giveUpAfterS, reject)
      agent
        .start()
        .then(() => begin?.(agent))
        .then(show)
        .catch(reject)
      show()
    })
  } finally {
    stopShowing()
    stopWatching()
    over.abort()
  }
}

/**
 * The first signal lets `farewell` run, and then ends the life; one that comes meanwhile ends it at once. The next
 * one ends the process, and the next start gives everything back.
 */
function onSignals(farewell: () => Promise<unknown>, end: () => void): void {
  let state: 'living' | 'leaving' | 'ending' = 'living'
  const finish = () => {
    state = 'ending'
    end()
  }
  const hear = () => {
    if (state === 'ending') process.exit(130)
    if (state === 'leaving') return finish()
    state = 'leaving'
    void farewell().then(finish, finish)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, hear)
}

/** Our own fault still gives everything back. */
function onUncaught(reject: (error: Error) => void, over: AbortSignal): void {
  process.on('uncaughtException', reject)
  over.addEventListener('abort', () => process.off('uncaughtException', reject))
}

function giveUpLater(agent: Living, afterS: number, reject: (error: Error) => void): void {
  const timer = systemClock.setTimeout(() => {
    const { session, reason } = agent.status()
    if (session !== null) return
    reject(
      new CommandError(
        'UNREACHABLE',
        `the coordinator did not answer within ${afterS} s: ${reason}`,
        EXIT.unreachable,
      ),
    )
  }, afterS * 1_000)
  agent.on('online', () => systemClock.clearTimeout(timer))
}

/** Says goodbye and gives everything back, within a bounded time. */
async function giveBack(what: { stop(): Promise<void> }, line: LiveLine): Promise<void> {
  let timer
  const tooLong = new Promise<string>(resolve => {
    timer = systemClock.setTimeout(() => resolve(`not finished within ${END_MS / 1_000} s`), END_MS)
  })
  const stopped = what.stop().then(() => null, messageOf)
  const problem = await Promise.race([stopped, tooLong])
  systemClock.clearTimeout(timer)
  if (problem !== null) line.note(`not everything could be given back, the next start will: ${problem}`)
}

/** Returns the gauges of a heartbeat, with the round trips to the coordinator among them. */
export function gaugesOf(url: string, rttMs: () => number | null): Gauges {
  const window = new RttWindow()
  const target = new URL(url).hostname
  return procGauges({
    latency: () => {
      const ms = rttMs()
      if (ms !== null) window.add(ms)
      return window.to(target)
    },
  })
}
