/**
 * Whose turn it is to be probed: when all agents come at once, the STUN servers hear them one after another. They
 * answer a network only so often, so agents of one network have longer to wait.
 */
import type { Clock } from '../../kit/clock.js'

/** Turns are this far apart, ms. */
const EVERY_MS = 5
/** Those of one network, ms: a probe draws 13 answers, and a network may draw 50 a second. */
const NETWORK_EVERY_MS = 300
/** Networks whose turns are remembered before those that are over are forgotten. */
const REMEMBERED = 1_024

export class Turns {
  readonly #clock: Clock
  readonly #networks = new Map<string, number>()
  #lastMs = Number.NEGATIVE_INFINITY
  #tidyAt = REMEMBERED

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes the next turn for an agent that comes from this address; returns how far away it is, ms. */
  take(address: string): number {
    const now = this.#clock.now()
    const network = networkOf(address)
    const next = Math.max(now, this.#lastMs + EVERY_MS)
    const own = (this.#networks.get(network) ?? Number.NEGATIVE_INFINITY) + NETWORK_EVERY_MS
    const atMs = Math.max(next, own)
    // A crowded network waits by itself, and pushes nobody else back.
    if (atMs === next) this.#lastMs = next
    this.#networks.set(network, atMs)
    this.#tidy(now)
    return atMs - now
  }

  #tidy(now: number): void {
    if (this.#networks.size < this.#tidyAt) return
    for (const [network, lastMs] of this.#networks)
      if (lastMs + NETWORK_EVERY_MS <= now) this.#networks.delete(network)
    this.#tidyAt = Math.max(REMEMBERED, 2 * this.#networks.size)
  }
}

/** The part of an address that one customer has, as the STUN servers see it: a /24, or about a /56. */
function networkOf(address: string): string {
  const isV6 = address.includes(':')
  return address
    .split(isV6 ? ':' : '.')
    .slice(0, 3)
    .join(isV6 ? ':' : '.')
}
