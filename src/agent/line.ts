/**
 * One connection to the coordinator: bytes to events and back. Packets of the relay lane are recognised by
 * their offsets and never decoded; everything else is scanned, decoded and checked. What the coordinator
 * gets wrong is counted and answered calmly, at most once a second; it never throws.
 *
 * A line lives as long as its socket. Once ended, from either side, nothing more comes out of it: a late
 * word of an old connection cannot touch a newer one.
 */
import type { Clock } from '../kit/clock.js'
import { encode, endOfValue, eventOf, FrameError, unpackList } from '../protocol/codec.js'
import type { Wire } from '../protocol/messages.js'
import { isRelayData, relayEnd, relayLink, relayPayload } from '../protocol/relay-frame.js'
import { Bundle } from './bundle.js'
import type { Counters } from './counters.js'
import { plain } from './plain.js'
import type { AgentSocket, Dial } from './ports.js'

/** Complaints about the coordinator's messages are this far apart, ms. */
const COMPLAINT_EVERY_MS = 1_000
/** Reasons that go out and come in are at most this long, UTF-16 units. */
const REASON_MAX = 256

export interface LineEvents {
  opened(): void
  message(event: Wire): void
  /** The payload is only lent until the call returns. */
  packet(link: number, payload: Uint8Array): void
  closed(code: number, reason: string, retryAfterMs: number | null): void
}

export interface LineOptions {
  readonly url: string
  readonly dial: Dial
  readonly clock: Clock
  readonly counters: Counters
}

export class Line {
  readonly #clock: Clock
  readonly #counters: Counters
  readonly #hear: LineEvents
  readonly #socket: AgentSocket
  readonly #bundle: Bundle
  #ended = false
  #lastValidMs: number
  #lastComplaintMs = Number.NEGATIVE_INFINITY

  /** Dials at once; what becomes of it arrives at `hear`, never before the constructor has returned. */
  constructor({ url, dial, clock, counters }: LineOptions, hear: LineEvents) {
    this.#clock = clock
    this.#counters = counters
    this.#hear = hear
    this.#lastValidMs = clock.now()
    this.#socket = dial(url, {
      opened: () => {
        if (!this.#ended) hear.opened()
      },
      received: message => this.#received(message),
      closed: (code, reason, retryAfterMs) => {
        if (this.#end()) hear.closed(code, plain(reason, REASON_MAX), retryAfterMs ?? null)
      },
    })
    this.#bundle = new Bundle(clock, this.#socket, counters)
  }

  /** When the last complete valid message arrived, or the line was made; monotonic ms. */
  get lastValidMs(): number {
    return this.#lastValidMs
  }

  send(event: Wire): void {
    if (!this.#ended) this.#socket.send(encode(event))
  }

  /** Takes a packet for the other end of `link`; false when it was dropped, which is counted. */
  relay(link: number, packet: Uint8Array): boolean {
    return this.#bundle.add(link, packet)
  }

  /** Closes from this side; `closed` is not called. */
  end(code: number, reason: string): void {
    if (this.#end()) this.#socket.close(code, reason)
  }

  #end(): boolean {
    if (this.#ended) return false
    this.#ended = true
    this.#bundle.close()
    return true
  }

  #received(message: Uint8Array): void {
    if (this.#ended) return
    this.#counters.received.messages++
    this.#counters.received.bytes += message.length
    let understood = message.length > 0
    try {
      // An event may end the line; the rest of its message then concerns nobody.
      for (let at = 0; at < message.length && !this.#ended; ) {
        const end = this.#packetEnd(message, at)
        if (end > 0) {
          this.#counters.received.packets++
          this.#hear.packet(relayLink(message, at), message.subarray(relayPayload(message, at), end))
          at = end
          continue
        }
        const valueEnd = endOfValue(message, at)
        const event = this.#eventIn(message.subarray(at, valueEnd))
        if (event !== null) this.#hear.message(event)
        at = valueEnd
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      understood = false
      this.#complain(error)
    }
    if (understood) this.#lastValidMs = this.#clock.now()
  }

  #packetEnd(message: Uint8Array, at: number): number {
    return isRelayData(message, at) ? relayEnd(message, at) : -1
  }

  /** Returns the event of one value; null for a message that only a newer version knows. */
  #eventIn(value: Uint8Array): Wire | null {
    try {
      return eventOf(unpackList(value))
    } catch (error) {
      if (!(error instanceof FrameError) || error.code !== 'unknown_message') throw error
      this.#counters.faults.unknown_message++
      return null
    }
  }

  #complain(error: FrameError): void {
    this.#counters.faults[error.code]++
    const now = this.#clock.now()
    if (now - this.#lastComplaintMs < COMPLAINT_EVERY_MS) return
    this.#lastComplaintMs = now
    this.send({
      type: 'error',
      code: error.code,
      reason: plain(error.message, REASON_MAX),
      ...(error.about === undefined ? {} : { about: error.about }),
    })
  }
}
