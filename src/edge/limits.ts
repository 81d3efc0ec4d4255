/** What one address and one connection may do before and after it has registered. */
import type { Clock } from '../kit/clock.js'
import { TokenBucket } from '../kit/token-bucket.js'
import { allowanceKey } from '../http/allowance-key.js'

export interface EdgeLimits {
  /** Sockets that have not registered, from one address and in all. */
  readonly greetingPerAddress: number
  readonly greetingTotal: number
  /** Sessions from one address. */
  readonly sessionsPerAddress: number
  /** `register` and `resume` messages from one address, 1/s, and how many at once. */
  readonly hellosPerSecond: number
  readonly helloBurst: number
  /** Misshapen or misplaced messages before a socket is closed, within a minute. */
  readonly strikesPerMinute: number
  readonly pingsPerSecond: number
  /** Control messages of one session, heartbeats included, 1/s, and how many at once; each of its links adds some. */
  readonly controlPerSecond: number
  readonly controlBurst: number
}

interface Address {
  greeting: number
  sessions: number
  hellos: TokenBucket
}

/**
 * What is held of each address with a connection, or of each /64 of IPv6, which one subscriber has. One without a
 * connection is forgotten once its bucket would be full.
 */
export class Addresses {
  greeting = 0
  readonly #clock: Clock
  readonly #limits: EdgeLimits
  readonly #addresses = new Map<string, Address>()

  constructor(clock: Clock, limits: EdgeLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  get open(): number {
    let open = 0
    for (const { greeting, sessions } of this.#addresses.values()) open += greeting + sessions
    return open
  }

  /** Returns why the address may not connect now, or null. */
  barred(remote: string): 'too_many_greetings' | 'too_many_sessions' | null {
    const address = this.#addresses.get(allowanceKey(remote))
    if (this.greeting >= this.#limits.greetingTotal) return 'too_many_greetings'
    if (address === undefined) return null
    if (address.greeting >= this.#limits.greetingPerAddress) return 'too_many_greetings'
    if (address.sessions >= this.#limits.sessionsPerAddress) return 'too_many_sessions'
    return null
  }

  opened(remote: string): void {
    this.#of(remote).greeting++
    this.greeting++
  }

  /** The connection became a session. */
  established(remote: string): void {
    const address = this.#of(remote)
    address.greeting--
    address.sessions++
    this.greeting--
  }

  closed(remote: string, wasSession: boolean): void {
    const address = this.#of(remote)
    if (wasSession) address.sessions--
    else {
      address.greeting--
      this.greeting--
    }
    const { helloBurst } = this.#limits
    if (
      address.greeting + address.sessions === 0 &&
      address.hellos.waitMs(helloBurst, this.#clock.now()) === 0
    ) {
      this.#addresses.delete(allowanceKey(remote))
    }
  }

  /** Takes one hello from the address's allowance; false when it is used up. */
  hello(remote: string): boolean {
    return this.#of(remote).hellos.take(1, this.#clock.now())
  }

  /** Forgets addresses that have nothing open and a full allowance. Called now and then. */
  sweep(): void {
    const now = this.#clock.now()
    for (const [remote, { greeting, sessions, hellos }] of this.#addresses) {
      if (greeting + sessions === 0 && hellos.waitMs(this.#limits.helloBurst, now) === 0)
        this.#addresses.delete(remote)
    }
  }

  #of(remote: string): Address {
    const key = allowanceKey(remote)
    let address = this.#addresses.get(key)
    if (address === undefined) {
      const { hellosPerSecond, helloBurst } = this.#limits
      address = {
        greeting: 0,
        sessions: 0,
        hellos: new TokenBucket(hellosPerSecond, helloBurst, this.#clock.now()),
      }
      this.#addresses.set(key, address)
    }
    return address
  }
}
