/**
 * How often may be tried to sign in. Three bounds, so that guessing is slow and nobody can keep an operator out:
 *
 *   an address            whoever it tries: a few at once, then one every ten seconds
 *   a name, an address    longer and longer waits after each failure in a row
 *   a name                from all addresses together that never signed in by it: strangers use this up among themselves
 *
 * An attempt counts as failed from when it begins, so that many at once are no way around.
 */
import type { Clock } from '../kit/clock.js'
import { TokenBucket } from '../kit/token-bucket.js'

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
/** Of each kind; the one not seen for longest goes first. */
const REMEMBERED_MAX = 10_000

interface Row {
  failures: number
  /** Not before this, of the clock. */
  fromMs: number
  lastMs: number
}

export class Attempts {
  readonly #clock: Clock
  readonly #addresses = new Map<string, TokenBucket>()
  readonly #names = new Map<string, TokenBucket>()
  readonly #rows = new Map<string, Row>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Returns how long the address has to wait before it may try anyone, ms. */
  addressWaitMs(address: string): number {
    return this.#addresses.get(address)?.waitMs(1, this.#clock.now()) ?? 0
  }

  /** Begins an attempt and returns 0, or returns how long to wait, ms. `isStrange`: nobody ever signed in by this name from there. */
  begin(name: string, address: string, isStrange: boolean): number {
    const now = this.#clock.now()
    const key = `${name}\n${address}`
    const row = this.#rows.get(key)
    const ofAddress = recent(
      this.#addresses,
      address,
      () => new TokenBucket(ADDRESS_PER_S, ADDRESS_BURST, now),
    )
    const ofName = isStrange
      ? recent(this.#names, name, () => new TokenBucket(NAME_PER_S, NAME_BURST, now))
      : null
    const waitMs = Math.max(
      ofAddress.waitMs(1, now),
      ofName?.waitMs(1, now) ?? 0,
      row === undefined ? 0 : row.fromMs - now,
    )
    if (waitMs > 0) return waitMs
    ofAddress.take(1, now)
    ofName?.take(1, now)
    const failures = row === undefined || now - row.lastMs > FORGOTTEN_MS ? 1 : row.failures + 1
    const rest = failures <= FREE ? 0 : Math.min(WAIT_MAX_MS, WAIT_FROM_MS * 2 ** (failures - FREE - 1))
    remember(this.#rows, key, { failures, fromMs: now + rest, lastMs: now })
    return 0
  }

  /** The attempt was good: what it had counted for is given back. */
  succeeded(name: string, address: string, isStrange: boolean): void {
    const now = this.#clock.now()
    this.#rows.delete(`${name}\n${address}`)
    this.#addresses.get(address)?.take(-1, now)
    if (isStrange) this.#names.get(name)?.take(-1, now)
  }
}

function recent<V>(map: Map<string, V>, key: string, make: () => V): V {
  const value = map.get(key) ?? make()
  remember(map, key, value)
  return value
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > REMEMBERED_MAX) map.delete(map.keys().next().value ?? '')
}
