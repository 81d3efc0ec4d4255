/**
 * Packets that wait for an agent without a socket to fetch them: the newest few, in the order they came. All inboxes
 * together have one bound, so that agents which never look cannot fill the memory.
 */
import type { LinkId } from '../../actors/ports.js'
import type { Clock } from '../../kit/clock.js'
import { Bell } from '../agents/bell.js'

export interface WaitingPacket {
  readonly link: LinkId
  readonly payload: Uint8Array
  /** ms since 1970 UTC. */
  readonly atMs: number
}

export interface Fetched {
  readonly packets: readonly WaitingPacket[]
  /** Packets that were dropped since the agent last looked: too many, too old, or no room. */
  readonly dropped: number
  /** Whether there are more. */
  readonly more: boolean
}

/** What one inbox holds, bytes: at 50 ms between two looks this is 20 Mbit/s. */
const INBOX_MAX = 128 * 1024
/** What all of them hold, bytes. */
const ALL_MAX = 64 * 1024 * 1024
/** What WireGuard sent longer ago is of no use to it any more, ms. */
const STALE_MS = 5_000
/** Who has not looked for this long does not mean to, ms. */
const ABANDONED_MS = 30_000

/** What all inboxes hold. */
export class Postroom {
  bytes = 0
  dropped = 0
  fetched = 0
}

export class Inbox {
  readonly #clock: Clock
  readonly #room: Postroom
  #packets: WaitingPacket[] = []
  #bytes = 0
  #dropped = 0
  readonly #bell: Bell
  #lookedMs: number
  #hasStale = false

  constructor(clock: Clock, room: Postroom) {
    this.#clock = clock
    this.#room = room
    this.#bell = new Bell(clock)
    this.#lookedMs = clock.now()
  }

  /** Whether packets grow stale here and nobody has looked for long. */
  get isAbandoned(): boolean {
    return this.#hasStale && this.#clock.now() - this.#lookedMs > ABANDONED_MS
  }

  /** Keeps a packet, whose bytes are only lent; the oldest ones make room. */
  put(link: LinkId, lent: Uint8Array): void {
    this.#tidy()
    const payload = lent.slice()
    if (this.#room.bytes + payload.length > ALL_MAX && this.#packets.length === 0) return this.#drop(1)
    this.#packets.push({ link, payload, atMs: this.#clock.wallMs() })
    this.#grow(payload.length)
    while (this.#bytes > INBOX_MAX || this.#room.bytes > ALL_MAX) {
      this.#shift()
      this.#drop(1)
    }
    this.#bell.ring()
  }

  /** Resolves with at most `max` packets, at once or when the first one comes, with none after `waitMs`. */
  async fetch(max: number, waitMs: number): Promise<Fetched> {
    // One looks at a time: whoever looked before goes away with nothing.
    this.#bell.ring()
    this.#tidy()
    if (this.#packets.length === 0 && waitMs > 0) await this.#bell.rung(waitMs)
    this.#tidy()
    this.#lookedMs = this.#clock.now()
    this.#hasStale = false
    const packets: WaitingPacket[] = []
    while (packets.length < max && this.#packets.length > 0) packets.push(this.#shift())
    const dropped = this.#dropped
    this.#dropped = 0
    this.#room.fetched += packets.length
    return { packets, dropped, more: this.#packets.length > 0 }
  }

  /** Nobody will look any more. */
  close(): void {
    this.#bell.ring()
    while (this.#packets.length > 0) this.#shift()
  }

  #tidy(): void {
    const sinceMs = this.#clock.wallMs() - STALE_MS
    while ((this.#packets[0]?.atMs ?? sinceMs) < sinceMs) {
      this.#shift()
      this.#drop(1)
      this.#hasStale = true
    }
  }

  #shift(): WaitingPacket {
    const packet = this.#packets.shift() as WaitingPacket // callers have looked
    this.#grow(-packet.payload.length)
    return packet
  }

  #grow(by: number): void {
    this.#bytes += by
    this.#room.bytes += by
  }

  #drop(count: number): void {
    this.#dropped += count
    this.#room.dropped += count
  }
}
