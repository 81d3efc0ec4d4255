/**
 * The relay's hot path. No await, no msgpack, no log line, no event: a run of `relay.data` values on the
 * same link costs one look-up and one copy into the destination's bundle; the bundle leaves as one message
 * when it is full, when much has been gathered in all, or when the turn of the event loop is over.
 *
 *   message of A ─ run ─→ RelayTable ─→ Outbox of B ─ end of turn ─→ socket of B
 *                                          └─ socket full ─→ 32 packets wait, oldest dropped first
 *
 * Sending inside another socket's handler would cost a system call per packet; gathering makes it one
 * per destination and turn.
 */
import type { Slot, Socket } from '../actors/ports.js'
import type { Clock, Timer } from '../kit/clock.js'
import { Histogram } from '../kit/histogram.js'
import { TokenBucket } from '../kit/token-bucket.js'
import { RELAY_PAYLOAD_MAX, relayEnd, relayLink, relayPayload } from '../protocol/relay-frame.js'
import { SENT } from '../protocol/sent.js'
import { DROP_REASONS, type DropReason } from './drop-reasons.js'
import { BUNDLE_MAX, Outbox } from './outbox.js'
import type { RelayTable } from './relay-table.js'
import { ShortQueue } from './short-queue.js'
import { mayPass, newThrottle, type Throttle } from './throttle.js'
import { type RelayNotices, Troubles } from './troubles.js'

export interface RelayLaneOptions {
  /** What one session may send, Mbit/s; 0 is no limit. */
  readonly mbpsPerIdentity: number
  readonly payload: 'wireguard' | 'any'
  /** Packets that wait for a socket that takes no more. */
  readonly queuePackets: number
  /** How long a packet may wait, ms. */
  readonly queueMs: number
}

/** Data stops at this many bytes in the socket's own buffer, far below where it would refuse control messages. */
const SOFT_LIMIT = 64 * 1024
/**
 * What one turn gathers for all destinations before it leaves, bytes: no more than a core's own cache holds,
 * since writing to a socket reads it all again.
 */
const GATHER_MAX = 256 * 1024
/** How long a packet may wait for others while a turn drags on, ms: several times what a turn usually takes. */
const GATHER_MS = 1
/** A reader that takes nothing for this long is closed, ms. */
const STUCK_MS = 30_000
/** How often sockets that take no more are looked at, ms. */
const STALL_CHECK_MS = 50
/** Short queues whose memory is kept for the next reader that falls behind. */
const SPARE_QUEUES = 64
/** A burst may be this many milliseconds of the rate. */
const BURST_MS = 250
/** WireGuard's smallest message is an empty transport packet, bytes. */
const WIREGUARD_MIN = 32

export class RelayLane {
  readonly drops: Record<DropReason, number> = Object.fromEntries(DROP_REASONS.map(r => [r, 0])) as Record<
    DropReason,
    number
  > // one per reason
  readonly queueMs = new Histogram([0.1, 0.5, 1, 2, 5, 10, 20, 50, 100, 200])
  packets = 0
  bytes = 0

  readonly #clock: Clock
  readonly #table: RelayTable
  readonly #options: RelayLaneOptions
  readonly #notices: RelayNotices
  readonly #outboxes: (Outbox | undefined)[] = []
  readonly #buckets: (TokenBucket | undefined)[] = []
  /** Of the few sessions that are held to a rate of their own, by slot, and how many these are. */
  readonly #throttles: (Throttle | undefined)[] = []
  #throttled = 0
  #gathered: Outbox[] = []
  #flushing: Outbox[] = []
  #gatheredBytes = 0
  #scheduled = false
  /** The time in this turn, while a flush is scheduled; before, when it was last asked for. */
  #turnMs = 0
  readonly #stalled = new Map<Slot, Outbox>()
  #stallTimer: Timer | undefined
  readonly #spareQueues: ShortQueue[] = []
  readonly #troubles: Troubles

  constructor(clock: Clock, table: RelayTable, options: RelayLaneOptions, notices: RelayNotices) {
    this.#clock = clock
    this.#table = table
    this.#options = options
    this.#notices = notices
    this.#troubles = new Troubles(clock, notices)
  }

  /** Gives the session a socket; whatever waited for an older one is gone. */
  attach(slot: Slot, socket: Socket): void {
    this.detach(slot)
    this.#outboxes[slot] = new Outbox(slot, socket)
  }

  /** Takes the session's socket away. */
  detach(slot: Slot): void {
    const outbox = this.#outboxes[slot]
    if (outbox === undefined) return
    this.#outboxes[slot] = undefined
    this.#stalled.delete(slot)
    this.drops.peer_away += outbox.waiting?.length ?? 0
    this.#giveBack(outbox)
    const bundle = outbox.take()
    if (bundle === null) return
    this.drops.peer_away += bundle.packets
    Outbox.release(bundle)
  }

  /** Forgets the session altogether. */
  forget(slot: Slot): void {
    this.detach(slot)
    this.#buckets[slot] = undefined
    this.throttle(slot, null)
  }

  /** Holds what the session sends, and what it is sent, to so many bytes a second each; null: to no rate of its own. */
  throttle(slot: Slot, bytesPerSecond: number | null): void {
    const throttles = this.#throttles
    if (throttles[slot] !== undefined) this.#throttled--
    if (slot < throttles.length) throttles[slot] = undefined
    if (bytesPerSecond === null) return
    // Without a hole the array stays one, and each look-up a read.
    while (throttles.length <= slot) throttles.push(undefined)
    throttles[slot] = newThrottle(bytesPerSecond, this.#clock.now())
    this.#throttled++
  }

  /** Sockets that take no more at the moment. */
  get stalledCount(): number {
    return this.#stalled.size
  }

  /** Returns the time, monotonic ms, as of the first packet of this turn: reading a clock costs half a packet. */
  now(): number {
    if (!this.#scheduled) this.#turnMs = this.#clock.now()
    return this.#turnMs
  }

  /**
   * Forwards the `relay.data` values that begin at `at` in a message of `from`. Returns where they end: at
   * the end of the message, or at a value that is something else; -1 when a value has not the lane's shape.
   */
  forward(from: Slot, message: Uint8Array, at: number): number {
    const length = message.length
    let start = at
    while (start < length) {
      let end = relayEnd(message, start)
      if (end < 0) return start > at && message[start + 1] !== 0x40 ? start : -1
      const link = relayLink(message, start)
      if (!this.#acceptable(message, start, end)) {
        this.#refuse(from, link, 'not_wireguard', 1)
        start = end
        continue
      }
      let packets = 1
      // The run: as many values as follow for the same link.
      while (end < length) {
        const next = relayEnd(message, end)
        if (next < 0 || relayLink(message, end) !== link || !this.#acceptable(message, end, next)) break
        end = next
        packets++
      }
      this.#run(from, link, message, start, end, packets)
      start = end
    }
    return start
  }

  /**
   * What was gathered leaves now if it has waited for long. To be called between events that cost much more than a
   * packet: thousands of them may come in one turn.
   */
  hasten(): void {
    if (this.#gathered.length === 0) return
    const now = this.#clock.now()
    if (now - this.#turnMs < GATHER_MS) return
    this.#turnMs = now
    this.#flush()
  }

  /** The socket of this session takes bytes again. */
  drained(slot: Slot): void {
    const outbox = this.#outboxes[slot]
    if (outbox !== undefined && outbox.stalledMs !== null) this.#retry(outbox)
  }

  /** Ends the lane's timers. */
  stop(): void {
    this.#clock.clearTimeout(this.#stallTimer)
    this.#stallTimer = undefined
    this.#troubles.stop()
  }

  #acceptable(message: Uint8Array, start: number, end: number): boolean {
    const payload = relayPayload(message, start)
    const size = end - payload
    if (size > RELAY_PAYLOAD_MAX) return false
    if (this.#options.payload === 'any') return true
    // Message types 1 to 4, three reserved zero bytes (WireGuard whitepaper §5.4).
    const type = message[payload] as number // size is checked below
    return (
      size >= WIREGUARD_MIN &&
      type >= 1 &&
      type <= 4 &&
      message[payload + 1] === 0 &&
      message[payload + 2] === 0 &&
      message[payload + 3] === 0
    )
  }

  #run(from: Slot, link: number, message: Uint8Array, start: number, end: number, packets: number): void {
    const index = this.#table.indexOf(link)
    if (index < 0) return this.#refuse(from, link, 'no_such_link', packets)
    const to = this.#table.otherEnd(index, from)
    if (to < 0) return this.#refuse(from, link, 'not_your_link', packets)
    if (!this.#table.carries(index)) return this.#refuse(from, link, 'not_open', packets)
    const size = end - start
    const bucket = this.#buckets[from] ?? this.#newBucket(from)
    if (bucket !== null && !bucket.take(size, this.now()))
      return this.#press(from, link, 'over_rate', packets, 0)
    if (this.#throttled > 0 && (this.#throttles[from] ?? this.#throttles[to]) !== undefined)
      return this.#trickle(from, to, index, message, start, end)
    this.#carry(from, to, index, message, start, end, packets)
  }

  /** One of the ends is held to a rate: what fits goes on, packet by packet. */
  #trickle(from: Slot, to: Slot, index: number, message: Uint8Array, start: number, end: number): void {
    const buckets = [this.#throttles[from]?.sends, this.#throttles[to]?.receives]
    const now = this.now()
    let dropped = 0
    for (let at = start; at < end; ) {
      const next = relayEnd(message, at)
      if (mayPass(buckets, message, at, next, now)) this.#carry(from, to, index, message, at, next, 1)
      else dropped++
      at = next
    }
    if (dropped > 0) this.#press(from, relayLink(message, start), 'throttled', dropped, 0)
  }

  #carry(
    from: Slot,
    to: Slot,
    index: number,
    message: Uint8Array,
    start: number,
    end: number,
    packets: number,
  ): void {
    const size = end - start
    const outbox = this.#outboxes[to]
    if (outbox === undefined) return this.#refuse(from, relayLink(message, start), 'peer_away', packets)
    if (!outbox.fits(size)) this.#send(outbox, this.now())
    if (outbox.stalledMs !== null) return this.#wait(outbox, relayLink(message, start), message, start, end)
    if (outbox.bundle === null) this.#enlist(outbox)
    outbox.gather(message, start, end, packets)
    this.packets += packets
    this.bytes += size
    this.#table.count(index, from, packets, size)
    this.#gatheredBytes += size
    if (this.#gatheredBytes >= GATHER_MAX) this.#flush()
  }

  /** The destination gets its first packet of this turn, or of a new bundle. */
  #enlist(outbox: Outbox): void {
    if (!this.#scheduled) {
      this.#turnMs = this.#clock.now()
      this.#scheduled = true
      this.#clock.soon(this.#endTurn)
    }
    outbox.sinceMs = this.#turnMs
    this.#gathered.push(outbox)
  }

  readonly #endTurn = (): void => {
    this.#scheduled = false
    this.#flush()
  }

  /** Each destination's bundle leaves, as far as its socket takes it. */
  #flush(): void {
    const now = this.#clock.now()
    const flushing = this.#gathered
    this.#gathered = this.#flushing
    this.#flushing = flushing
    this.#gatheredBytes = 0
    for (const outbox of flushing) this.#send(outbox, now)
    flushing.length = 0
  }

  /** A socket that throws or refuses loses its packets; the next one in the turn gets its own. */
  #send(outbox: Outbox, now: number): void {
    const bundle = outbox.take()
    if (bundle === null) return
    this.queueMs.observe(now - outbox.sinceMs)
    const bytes = bundle.bytes.subarray(0, bundle.size)
    try {
      if (outbox.socket.buffered() > SOFT_LIMIT) this.#stall(outbox, bytes, now)
      else if (outbox.socket.send(bytes) === SENT.dropped) this.drops.socket_refused += bundle.packets
    } catch {
      this.drops.socket_refused += bundle.packets
    }
    Outbox.release(bundle)
  }

  /** The socket takes no more: the newest of what was gathered becomes the short queue. */
  #stall(outbox: Outbox, bytes: Uint8Array, now: number): void {
    this.#markStalled(outbox, now)
    this.#wait(outbox, -1, bytes, 0, bytes.length)
  }

  #markStalled(outbox: Outbox, now: number): void {
    outbox.stalledMs = now
    this.#stalled.set(outbox.slot, outbox)
    this.#stallTimer ??= this.#clock.setTimeout(this.#checkStalls, STALL_CHECK_MS)
  }

  #wait(outbox: Outbox, only: number, message: Uint8Array, start: number, end: number): void {
    const sinceMs = this.#clock.now()
    const waiting = (outbox.waiting ??= this.#spareQueues.pop() ?? new ShortQueue(this.#options.queuePackets))
    for (let at = start; at < end; ) {
      const next = relayEnd(message, at)
      if (waiting.full) this.#dropOldest(outbox, waiting, 'queue_full', sinceMs)
      waiting.push(only >= 0 ? only : relayLink(message, at), message, at, next, sinceMs)
      at = next
    }
  }

  #dropOldest(outbox: Outbox, waiting: ShortQueue, reason: 'queue_full' | 'queue_age', now: number): void {
    const oldest = waiting.shift()
    if (oldest === null) return
    const index = this.#table.indexOf(oldest.link)
    const sender = index < 0 ? -1 : this.#table.otherEnd(index, outbox.slot)
    this.#press(sender, oldest.link, reason, 1, now - oldest.sinceMs)
  }

  /** The outbox needs its short queue no more; another may have its memory. */
  #giveBack(outbox: Outbox): void {
    const { waiting } = outbox
    if (waiting === null) return
    outbox.waiting = null
    waiting.clear()
    if (this.#spareQueues.length < SPARE_QUEUES) this.#spareQueues.push(waiting)
  }

  readonly #checkStalls = (): void => {
    this.#stallTimer = undefined
    const now = this.#clock.now()
    for (const [slot, outbox] of this.#stalled) {
      const { waiting } = outbox
      while (waiting !== null && now - (waiting.oldest()?.sinceMs ?? now) > this.#options.queueMs) {
        this.#dropOldest(outbox, waiting, 'queue_age', now)
      }
      if (outbox.stalledMs !== null && now - outbox.stalledMs > STUCK_MS) {
        this.#stalled.delete(slot)
        this.#notices.stuck(slot)
      } else if (outbox.socket.buffered() <= SOFT_LIMIT) this.#retry(outbox)
    }
    if (this.#stalled.size > 0) this.#stallTimer = this.#clock.setTimeout(this.#checkStalls, STALL_CHECK_MS)
  }

  /** The socket takes bytes again: what waited leaves, until the socket has enough once more. */
  #retry(outbox: Outbox): void {
    if (outbox.socket.buffered() > SOFT_LIMIT) return
    const now = this.#clock.now()
    outbox.stalledMs = null
    outbox.sinceMs = now
    this.#stalled.delete(outbox.slot)
    const { waiting } = outbox
    for (let oldest = waiting?.oldest() ?? null; oldest !== null; oldest = waiting?.oldest() ?? null) {
      if (!outbox.fits(oldest.size)) {
        this.#send(outbox, now)
        if (outbox.socket.buffered() > SOFT_LIMIT) return this.#markStalled(outbox, now)
      }
      this.queueMs.observe(now - oldest.sinceMs)
      outbox.gather(oldest.bytes, 0, oldest.size, 1)
      waiting?.shift()
    }
    this.#giveBack(outbox)
    this.#send(outbox, now)
  }

  /** Returns what limits the session from now on; null: nothing does. */
  #newBucket(slot: Slot): TokenBucket | null {
    const bytesPerSecond = this.#options.mbpsPerIdentity * 125_000
    if (bytesPerSecond === 0) return null
    const burst = Math.max(BUNDLE_MAX, (bytesPerSecond * BURST_MS) / 1_000)
    return (this.#buckets[slot] = new TokenBucket(bytesPerSecond, burst, this.#clock.now()))
  }

  #refuse(slot: Slot, link: number, reason: DropReason, packets: number): void {
    this.drops[reason] += packets
    if (reason !== 'no_such_link' && reason !== 'peer_away' && reason !== 'not_wireguard') return
    this.#troubles.gone(slot, link, reason)
  }

  #press(slot: Slot, link: number, reason: DropReason, packets: number, queueMs: number): void {
    this.drops[reason] += packets
    if (slot >= 0) this.#troubles.dropped(slot, link, packets, queueMs)
  }
}
