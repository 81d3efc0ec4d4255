/** Links whose packets are dropped, and when their senders hear of it: at most once a second for a link. */
import type { Slot } from '../actors/ports.js'
import type { Clock, Timer } from '../kit/clock.js'

export type GoneReason = 'no_such_link' | 'peer_away' | 'not_wireguard'

/** What the lane tells the ends. */
export interface RelayNotices {
  gone(slot: Slot, link: number, reason: GoneReason): void
  pressure(slot: Slot, link: number, dropped: number, queueMs: number): void
  /** The session's socket has taken nothing for too long. */
  stuck(slot: Slot): void
}

/** A link's ends hear of trouble at most this often, ms. */
const NOTICE_MS = 1_000
/** Links in trouble that are remembered for a notice; the rest hear of it later. */
const TROUBLES_MAX = 10_000

interface Trouble {
  readonly slot: Slot
  readonly link: number
  dropped: number
  queueMs: number
  gone: GoneReason | null
}

export class Troubles {
  readonly #clock: Clock
  readonly #notices: RelayNotices
  /** By session and link in one number: links take 32 bits, sessions far fewer than the 21 that are left. */
  readonly #troubles = new Map<number, Trouble>()
  #timer: Timer | undefined

  constructor(clock: Clock, notices: RelayNotices) {
    this.#clock = clock
    this.#notices = notices
  }

  /** Packets of this session cannot go where the link led. */
  gone(slot: Slot, link: number, reason: GoneReason): void {
    const trouble = this.#of(slot, link)
    if (trouble !== null) trouble.gone ??= reason
  }

  /** Packets of this session were dropped, the oldest of which had waited for `queueMs`. */
  dropped(slot: Slot, link: number, packets: number, queueMs: number): void {
    const trouble = this.#of(slot, link)
    if (trouble === null) return
    trouble.dropped += packets
    trouble.queueMs = Math.max(trouble.queueMs, queueMs)
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #of(slot: Slot, link: number): Trouble | null {
    const key = slot * 2 ** 32 + link
    const known = this.#troubles.get(key)
    if (known !== undefined) return known
    if (this.#troubles.size >= TROUBLES_MAX) return null
    const trouble: Trouble = { slot, link, dropped: 0, queueMs: 0, gone: null }
    this.#troubles.set(key, trouble)
    this.#timer ??= this.#clock.setTimeout(this.#notify, NOTICE_MS)
    return trouble
  }

  readonly #notify = (): void => {
    this.#timer = undefined
    const troubles = [...this.#troubles.values()]
    this.#troubles.clear()
    for (const { slot, link, dropped, queueMs, gone } of troubles) {
      if (gone !== null) this.#notices.gone(slot, link, gone)
      if (dropped > 0) this.#notices.pressure(slot, link, dropped, queueMs)
    }
  }
}
