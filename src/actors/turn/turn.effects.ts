/** Opens STUN and TURN, looks whether they answer, and opens them again when they are gone. */
import { createActor } from 'xstate'
import { backoffMs } from '../../kit/backoff.js'
import type { Clock, Timer } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import { turnMachine } from './turn.machine.js'

/** What is kept going; TurnService fits. */
interface Service {
  health(): Promise<{ readonly status: string }>
  stop(): Promise<void>
}

export interface KeepTurnOptions<S extends Service> {
  readonly clock: Clock
  readonly random: Random
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void }
  /** Starts it; `ended` is to be called when it ends by itself. */
  readonly open: (ended: (reason: string) => void) => Promise<S>
  /** What a log says of one that serves. */
  readonly described: (service: S) => object
}

export interface KeptTurn<S extends Service> {
  /** The one that is open now. */
  readonly service: S | null
  state(): 'off' | 'starting' | 'up' | 'degraded'
  /** Resolves when it serves or, for now, cannot; or was stopped. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** How often it is asked for an answer, ms. */
const LOOK_MS = 5_000
/** First and longest ceiling of the pause before it is started again, ms. */
const REST = { firstMs: 1_000, maxMs: 60_000 }

/** Returns STUN and TURN that are kept going from `start` to `stop`. */
export function keepTurn<S extends Service>(options: KeepTurnOptions<S>): KeptTurn<S> {
  const { clock, random, log } = options
  let service: S | null = null
  /** Counts the openings: what an older one still says is not heard. */
  let opening = 0
  let closing: Promise<unknown> = Promise.resolve()
  let timer: Timer | undefined
  let told = ''

  const wake = (ms: number) => {
    clock.clearTimeout(timer)
    timer = clock.setTimeout(() => actor.send({ type: 'due' }), ms)
  }
  const open = async (): Promise<void> => {
    const mine = ++opening
    await closing
    try {
      const opened = await options.open(reason => {
        if (mine === opening) actor.send({ type: 'ended', reason })
      })
      if (mine !== opening) return await opened.stop()
      service = opened
      actor.send({ type: 'opened' })
    } catch (error) {
      if (mine === opening) actor.send({ type: 'failed', reason: (error as Error).message })
    }
  }
  const look = async (): Promise<void> => {
    const mine = opening
    const health = await service?.health().catch(() => null)
    if (mine === opening) actor.send({ type: health?.status === 'healthy' ? 'answered' : 'unanswered' })
  }

  const actor = createActor(
    turnMachine.provide({
      actions: {
        open: () => void open(),
        look: () => void look(),
        close: () => {
          opening++
          clock.clearTimeout(timer)
          closing = service?.stop().catch(() => undefined) ?? closing
          service = null
        },
        pause: () => wake(LOOK_MS),
        rest: (_, { failures }) => wake(backoffMs(failures, random, REST)),
        tellUp: () => {
          told = ''
          log.info(service === null ? {} : options.described(service), 'STUN and TURN serve')
        },
        tellDegraded: (_, { reason }) => {
          // It is tried again and again: once is enough for each reason.
          if (reason !== told) log.warn({ reason }, 'STUN and TURN do not serve')
          told = reason
        },
      },
    }),
  )
  return {
    get service() {
      return service
    },
    state: () => {
      const { value } = actor.getSnapshot()
      return typeof value === 'string' ? value : 'degraded'
    },
    start: () =>
      new Promise(resolve => {
        actor.start()
        actor.send({ type: 'start' })
        const watch = actor.subscribe(snapshot => {
          if (snapshot.matches('starting')) return
          watch.unsubscribe()
          resolve()
        })
      }),
    stop: async () => {
      actor.send({ type: 'stop' })
      await closing
    },
  }
}
