/** Watches what the relay lane drops and lets the relay's statechart say so. */
import { type Actor, createActor } from 'xstate'
import { type Clock, every } from '../../kit/clock.js'
import { relayMachine } from './relay.machine.js'

export interface RelayWatchOptions {
  readonly clock: Clock
  readonly lane: {
    readonly packets: number
    readonly drops: Readonly<Record<'queue_full' | 'queue_age', number>>
  }
  /** It drops packets for want of room, so many in the last second; or no more, after so many in all. */
  readonly told?: (what: 'saturated' | 'relieved', dropped: number) => void
  readonly log: { warn(fields: object, message: string): void; info(fields: object, message: string): void }
}

/** How often drops are looked at, ms. */
const LOOK_MS = 1_000
/** Share of packets dropped for want of room at which the relay counts as saturated, and below which it is calm. */
const HIGH = 0.01
const LOW = 0.001
/** Calm looks in a row before it counts as open again. */
const CALM_LOOKS = 5

export function watchRelay({ clock, lane, log, told = () => {} }: RelayWatchOptions): {
  readonly actor: Actor<typeof relayMachine>
  state(): string
  start(): void
  stop(): void
} {
  const actor = createActor(
    relayMachine.provide({
      actions: {
        tellSaturated: () => {
          log.warn({ ...lane.drops }, 'the relay drops packets for want of room')
          told('saturated', fresh)
          saturatedAt = dropped() - fresh
        },
        tellOpen: () => {
          log.info({}, 'the relay carries everything again')
          told('relieved', dropped() - saturatedAt)
        },
      },
    }),
  )
  const dropped = () => lane.drops.queue_full + lane.drops.queue_age
  let before = { packets: 0, dropped: 0 }
  let calm = 0
  /** Packets dropped since the last look, and all that were when the relay became saturated. */
  let fresh = 0
  let saturatedAt = 0
  let stopLooking: (() => void) | null = null

  const look = () => {
    const now = { packets: lane.packets, dropped: dropped() }
    fresh = now.dropped - before.dropped
    const share = fresh / Math.max(1, now.packets - before.packets)
    before = now
    calm = share < LOW ? calm + 1 : 0
    if (share > HIGH) actor.send({ type: 'drops.high' })
    else if (calm >= CALM_LOOKS) actor.send({ type: 'drops.low' })
  }
  return {
    actor,
    state: () => actor.getSnapshot().value,
    start: () => {
      actor.start()
      stopLooking = every(clock, LOOK_MS, look)
    },
    stop: () => {
      stopLooking?.()
      actor.send({ type: 'shut' })
    },
  }
}
