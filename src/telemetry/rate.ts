/** How fast a total grows, looked at in steady intervals: nobody who asks changes the answer. */
import { type Clock, every } from '../kit/clock.js'

/** How often it looks, ms; a rate is over one such interval. */
const LOOK_EVERY_MS = 5_000

export class Rate {
  /** Growth per second over the last interval; 0 before there is one. */
  perSecond = 0
  readonly #stop: () => void

  constructor(clock: Clock, total: () => number) {
    let last = total()
    let lastMs = clock.now()
    this.#stop = every(clock, LOOK_EVERY_MS, () => {
      const [now, nowMs] = [total(), clock.now()]
      this.perSecond = ((now - last) * 1000) / (nowMs - lastMs)
      last = now
      lastMs = nowMs
    })
  }

  stop(): void {
    this.#stop()
  }
}
