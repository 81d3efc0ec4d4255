/**
 * How fast sessions are let in. When all agents return at once, a burst of them gets in and each of the others a slot
 * of its own; who comes back in their slot is let in without being asked again. Three lines, each with a bucket of its
 * own, so that none waits for another:
 *
 *   nodes that resume ────→  clients need them
 *   clients that resume ──→
 *   whoever registers ────→  nothing is proven yet: strangers hold up nobody who has a ticket
 *
 * Slots are held in memory, one for each who was told to wait, and only for so long.
 */
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import { Schedule } from '../../kit/schedule.js'

export interface PacingOptions {
  readonly clock: Clock
  readonly random: Random
  readonly rate: AdmissionRate
}

export interface AdmissionRate {
  /** Resumptions of clients let in a second, in the long run; the other lines have their share of it. */
  readonly perSecond: number
  /** Those let in at once, after a quiet time. */
  readonly burst: number
}

/**
 * A quarter to a half of a core, by how warm the process is (`npm run bench -- storm`): the relay has the rest. The
 * burst keeps the event loop for 10 to 20 ms.
 */
export const DEFAULT_ADMISSION: AdmissionRate = { perSecond: 2_000, burst: 64 }

/** What letting one in costs, in resumptions: CPU time measured from the connection to the answer. */
export const COST = { resume: 1, register: 2, firstContact: 3 }

/** Each line's share of the rate. Even with all three full, some of the core is left. */
const SHARES = { node: 0.5, client: 1, register: 0.5 }
export type PacedLine = keyof typeof SHARES

/** The farthest slot that is given, ms; whoever comes after it is told to try again about then, and has none. */
const FARTHEST_MS = 30_000
/** Slots are blurred by so much, ms, so that several coordinators do not march in step. */
const BLUR_MS = 20
/** Who comes this much before their slot is in it, ms: timers and networks are not exact. */
const EARLY_MS = 50
/** A slot is good for so long, ms: an agent may have to dial more than once. */
const KEPT_MS = 30_000

interface Queue {
  readonly schedule: Schedule
  /** When each who waits may come, monotonic ms; nearly in this order. */
  readonly slots: Map<string, number>
}

export class Pacing {
  readonly #clock: Clock
  readonly #random: Random
  readonly #queues: Readonly<Record<PacedLine, Queue>>

  constructor({ clock, random, rate: { perSecond, burst } }: PacingOptions) {
    this.#clock = clock
    this.#random = random
    const queue = (line: PacedLine): Queue => ({
      schedule: new Schedule({ perSecond: perSecond * SHARES[line], burst: burst * SHARES[line] }),
      slots: new Map(),
    })
    this.#queues = { node: queue('node'), client: queue('client'), register: queue('register') }
  }

  /** Returns 0 when `who` may come in now, or how long until it may, ms. Asking again changes nothing. */
  ask(line: PacedLine, who: string, units: number): number {
    const { schedule, slots } = this.#queues[line]
    const now = this.#clock.now()
    forgetOld(slots, now)
    const slotMs = slots.get(who)
    if (slotMs !== undefined) {
      if (now < slotMs - EARLY_MS) return Math.ceil(slotMs - now)
      slots.delete(who)
      return 0
    }
    if (schedule.waitMs(now) > FARTHEST_MS) return Math.round(FARTHEST_MS * (1 + this.#random.float()))
    const waitMs = schedule.book(units, now)
    if (waitMs === 0) return 0
    const blurredMs = Math.ceil(waitMs + this.#random.float() * BLUR_MS)
    slots.set(who, now + blurredMs)
    return blurredMs
  }

  /** Books more for one who has been let in and turned out dearer. */
  charge(line: PacedLine, units: number): void {
    this.#queues[line].schedule.book(units, this.#clock.now())
  }

  /** Lets nobody in who has no slot yet, for this long, ms. */
  hold(line: PacedLine, ms: number): void {
    this.#queues[line].schedule.hold(this.#clock.now() + ms)
  }

  /** Returns how many have a slot and have not come yet. */
  waiting(): Readonly<Record<PacedLine, number>> {
    const { node, client, register } = this.#queues
    const now = this.#clock.now()
    for (const { slots } of [node, client, register]) forgetOld(slots, now)
    return { node: node.slots.size, client: client.slots.size, register: register.slots.size }
  }
}

/** Slots are given in the order of their time, so the oldest are the first. */
function forgetOld(slots: Map<string, number>, now: number): void {
  for (const [who, slotMs] of slots) {
    if (slotMs + KEPT_MS > now) return
    slots.delete(who)
  }
}
