/**
 * What operators have laid down, by identity. It is read at each decision and few have anything laid down for
 * them, so all of it is in memory. A change is stored before anyone is told of it.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../kit/clock.js'
import { NO_STEERING } from '../../mesh/steering.js'
import type { IdentityId, Steering, StoredSteering } from '../ports.js'

export interface SteeringsOptions {
  readonly clock: Pick<Clock, 'wallMs'>
  /** Makes a record durable. */
  readonly keep: (record: StoredSteering) => void
}

/** Hears what holds for an identity from now on, and what held before. */
export type HearSteering = (id: IdentityId, now: Steering, before: Steering) => void

export class Steerings {
  readonly #options: SteeringsOptions
  readonly #byId = new Map<IdentityId, Steering>()
  readonly #listeners = new Set<HearSteering>()

  constructor(options: SteeringsOptions) {
    this.#options = options
  }

  /** Returns what holds for the identity; `NO_STEERING` when nothing was ever laid down. */
  of(id: IdentityId): Steering {
    return this.#byId.get(id) ?? NO_STEERING
  }

  /** Everyone for whom something is laid down. */
  [Symbol.iterator](): Iterator<readonly [IdentityId, Steering]> {
    return this.#byId.entries()
  }

  /** Changes the fields given and leaves the others; returns what holds now. */
  set(id: IdentityId, change: Partial<Steering>): Steering {
    const before = this.of(id)
    const now = { ...before, ...change }
    if (isDeepStrictEqual(now, before)) return before
    this.#byId.set(id, now)
    this.#options.keep({ identityId: id, steering: now, changedAtMs: this.#options.clock.wallMs() })
    for (const hear of this.#listeners) hear(id, now, before)
    return now
  }

  /** Calls `hear` after each change; returns what ends it. */
  onChange(hear: HearSteering): () => void {
    this.#listeners.add(hear)
    return () => void this.#listeners.delete(hear)
  }

  /** Takes in what an earlier process kept, perhaps before some of the fields were there. Nobody is told. */
  restore(records: Iterable<StoredSteering>): void {
    for (const { identityId, steering } of records)
      this.#byId.set(identityId, { ...NO_STEERING, ...steering })
  }
}
