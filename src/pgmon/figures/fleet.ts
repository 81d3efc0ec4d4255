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
  readonly servers: Pick<Servers, 'all' | 'byId' | 'onChange'>
  readonly looks: ServerLooks
}

/** Between two looks at a server that nobody asks for, ms. */
const EVERY_MS = 60_000
/** Whoever has just started has better things to do, ms. */
const FIRST_MS = 2_000
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
    this.#spread(() => FIRST_MS)
  }

  /** Somebody looks at all of them: each is looked at again, in the background, as soon as it is not fresh. */
  refresh(): void {
    this.#spread(serverId => this.#options.looks.freshForMs(serverId))
  }

  stop(): void {
    this.#isOver = true
    this.#endHearing()
    this.#due.stop()
  }

  /** Looks at every server, in so many ms at the earliest. Whatever falls due sooner stays as it is. */
  #spread(inMsAtLeast: (serverId: number) => number): void {
    const { clock, servers } = this.#options
    const nowMs = clock.now()
    const enabled = servers.all().filter(({ isEnabled }) => isEnabled)
    for (const [place, { serverId }] of enabled.entries()) {
      if (this.#underway.has(serverId)) continue
      const inMs = inMsAtLeast(serverId) + place * APART_MS
      if ((this.#due.dueMs(serverId) ?? Number.POSITIVE_INFINITY) > nowMs + inMs)
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
