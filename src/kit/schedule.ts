/**
 * A token bucket that says when instead of no: once it is empty, each who asks is booked at a moment of their own,
 * and the moments are as far apart as the rate wants (the generic cell rate algorithm of ITU-T I.371).
 *
 *   asks    ││││││││││││││
 *   booked  ││││··│·│·│·│·│·│·│·│·│·│
 *           burst   at the rate
 */
export interface ScheduleOptions {
  /** What flows in, units a second. */
  readonly perSecond: number
  /** What is kept while nobody asks, units. */
  readonly burst: number
}

export class Schedule {
  readonly #msPerUnit: number
  readonly #burstMs: number
  /** All that flows in before is booked. */
  #bookedMs = Number.NEGATIVE_INFINITY

  constructor({ perSecond, burst }: ScheduleOptions) {
    this.#msPerUnit = 1_000 / perSecond
    this.#burstMs = burst * this.#msPerUnit
  }

  /** Returns how long whoever asks now would wait, ms. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#bookedMs - nowMs - this.#burstMs)
  }

  /** Books `units`; returns how long until they may be used, ms. */
  book(units: number, nowMs: number): number {
    const waitMs = this.waitMs(nowMs)
    this.#bookedMs = Math.max(this.#bookedMs, nowMs) + units * this.#msPerUnit
    return waitMs
  }

  /** Nothing more is booked before `untilMs`; what was is kept. */
  hold(untilMs: number): void {
    this.#bookedMs = Math.max(this.#bookedMs, untilMs + this.#burstMs)
  }
}
