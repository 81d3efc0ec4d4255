/**
 * How often may be tried to sign in. Three bounds, so that guessing is slow and nobody can keep an operator out:
 *
 *   an address            whoever it tries: a few at once, then one every ten seconds
 *   a name, an address    longer and longer waits after each failure in a row
 *   a name                from all addresses together that never signed in by it: strangers use this up among themselves
 *
 * An attempt counts as failed from when it begins, so that many at once are no way around.
 */
import type { Clock } from '../../kit/clock.js'
import { Buckets } from './buckets.js'

/** Failures of one address: an office with a wrong password saved in every browser is not locked out. */
const ADDRESS_BURST = 20
const ADDRESS_PER_S = 0.1
/** Failures of one name from addresses that are strange to it. */
const NAME_BURST = 30
const NAME_PER_S = 30 / 3_600
/** Failures in a row that cost nothing: typing errors. */
const FREE = 3
/** The first wait, which doubles each time, and the longest, ms. */
const WAIT_FROM_MS = 1_000
const WAIT_MAX_MS = 15 * 60_000
/** Failures in a row are forgotten after this, ms. */
const FORGOTTEN_MS = 3_600_000
/** Of names and addresses; the one not seen for longest goes first. */
const ROWS_MAX = 10_000

interface Row {
  readonly failures: number
  /** Not before this, of the clock. */
  readonly fromMs: number
  readonly lastMs: number
}

export class Attempts {
  readonly #clock: Clock
  readonly #addresses: Buckets
  readonly #names: Buckets
  readonly #rows = new Map<string, Row>()

  constructor(clock: Clock) {
    this.#clock = clock
    this.#addresses = new Buckets(clock, ADDRESS_PER_S, ADDRESS_BURST)
    this.#names = new Buckets(clock, NAME_PER_S, NAME_BURST)
  }

  /** Returns how long the address has to wait before it may try anyone, ms. */
  addressWaitMs(address: string): number {
    return this.#addresses.waitMs(address)
  }

  /** Begins an attempt and returns 0, or returns how long to wait, ms. `isStrange`: nobody ever signed in by this name from there. */
  begin(name: string, address: string, isStrange: boolean): number {
    const now = this.#clock.now()
    const key = `${name}\n${address}`
    const row = this.#rows.get(key)
    const waitMs = Math.max(
      this.#addresses.waitMs(address),
      isStrange ? this.#names.waitMs(name) : 0,
      row === undefined ? 0 : row.fromMs - now,
    )
    if (waitMs > 0) return waitMs
    this.#addresses.take(address)
    if (isStrange) this.#names.take(name)
    const failures = row === undefined || now - row.lastMs > FORGOTTEN_MS ? 1 : row.failures + 1
    const rest = failures <= FREE ? 0 : Math.min(WAIT_MAX_MS, WAIT_FROM_MS * 2 ** (failures - FREE - 1))
    this.#rows.delete(key)
    this.#rows.set(key, { failures, fromMs: now + rest, lastMs: now })
    if (this.#rows.size > ROWS_MAX) this.#rows.delete(this.#rows.keys().next().value ?? '')
    return 0
  }

  /** The attempt was good: what it had counted for is given back. */
  succeeded(name: string, address: string, isStrange: boolean): void {
    this.#rows.delete(`${name}\n${address}`)
    this.#addresses.giveBack(address)
    if (isStrange) this.#names.giveBack(name)
  }
}
