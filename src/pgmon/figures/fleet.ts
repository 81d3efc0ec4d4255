/**
 * Looks at every server once a minute, so that what was last seen is never old, and every few seconds while somebody looks
 * at all of them. Nobody waits for it.
 */
import type { Clock } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import type { Random } from '../../kit/random.js'
import type { Servers } from '../ports.js'
import type { ServerLooks } from './looks.js'

export interface FleetOptions {
  readonly clock: Clock
  readonly random: Random
  readonly servers: Servers
  readonly looks: ServerLooks
}

/** Between two looks at a server that nobody asks for, ms. */
const EVERY_MS = 60_000
/** Servers that fall due at once are looked at one after the other, so far apart, ms: two hundred take two seconds. */
const APART_MS = 10
/** A part of the time between two looks is left to chance: servers that began together do not stay together. */
const CHANCE = 0.1

export class Fleet {
  readonly #options: FleetOptions
  readonly #due: Deadlines<number>
  /** Servers that are looked at now. */
  readonly #underway = new Set<number>()
  readonly #endHearing: () => void
  #isOver = false

  constructor(options: FleetOptions) {
    const { clock, servers, looks } = options
    this.#options = options
    this.#due = new Deadlines(clock, serverId => this.#look(serverId))
    this.#endHearing = servers.onChange(serverId => {
      looks.forget(serverId)
      if (servers.byId(serverId)?.isEnabled === true) this.#due.set(serverId, 0)
      else this.#due.clear(serverId)
    })
    this.#spread(this.#enabled())
  }

  /** Somebody looks at all of them: what is not fresh is looked at again, in the background. */
  refresh(): void {
    this.#spread(this.#enabled().filter(serverId => !this.#options.looks.isFresh(serverId)))
  }

  stop(): void {
    this.#isOver = true
    this.#endHearing()
    this.#due.stop()
  }

  #enabled(): readonly number[] {
    const enabled = this.#options.servers.all().filter(({ isEnabled }) => isEnabled)
    return enabled.map(({ serverId }) => serverId)
  }

  /** Whatever falls due sooner stays as it is. */
  #spread(serverIds: readonly number[]): void {
    const nowMs = this.#options.clock.now()
    for (const [place, serverId] of serverIds.entries()) {
      const inMs = place * APART_MS
      const dueMs = this.#due.dueMs(serverId)
      if (!this.#underway.has(serverId) && (dueMs === null || dueMs > nowMs + inMs))
        this.#due.set(serverId, inMs)
    }
  }

  #look(serverId: number): void {
    const { servers, looks, random } = this.#options
    const server = servers.byId(serverId)
    if (server === null || !server.isEnabled) return
    this.#underway.add(serverId)
    void looks.stats(server).then(() => {
      this.#underway.delete(serverId)
      if (this.#isOver || this.#due.has(serverId)) return
      this.#due.set(serverId, EVERY_MS * (1 - CHANCE * random.float()))
    })
  }
}
