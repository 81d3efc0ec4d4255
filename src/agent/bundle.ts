/**
 * Gathers the packets of one turn of the event loop, of whatever links, into WebSocket messages of at most
 * 64 KiB: one system call carries them all. Packets are datagrams: when the socket is behind they are
 * dropped here, early, because a queue would only make them late.
 */
import type { Clock } from '../kit/clock.js'
import { RELAY_PAYLOAD_MAX, relaySize, writeRelay } from '../protocol/relay-frame.js'
import { MESSAGE_MAX } from '../protocol/timing.js'
import type { Counters } from './counters.js'
import type { AgentSocket } from './ports.js'

/** More bytes than this waiting in the socket and packets are dropped: 20 ms at 100 Mbit/s. */
export const BACKLOG_MAX = 262_144

export class Bundle {
  readonly #clock: Clock
  readonly #socket: AgentSocket
  readonly #counters: Counters
  readonly #bytes = new Uint8Array(MESSAGE_MAX)
  #size = 0
  #packets = 0
  #due = false
  #closed = false

  constructor(clock: Clock, socket: AgentSocket, counters: Counters) {
    this.#clock = clock
    this.#socket = socket
    this.#counters = counters
  }

  /** Takes a packet for `link`, whose bytes are copied; returns false when it was dropped. */
  add(link: number, packet: Uint8Array): boolean {
    if (packet.length > RELAY_PAYLOAD_MAX) {
      this.#counters.dropped.oversize++
      return false
    }
    if (this.#size + relaySize(packet.length) > MESSAGE_MAX) this.#flush()
    if (this.#size === 0 && this.#socket.buffered() > BACKLOG_MAX) {
      this.#counters.dropped.backlog++
      return false
    }
    this.#size = writeRelay(this.#bytes, this.#size, link, packet)
    this.#packets++
    if (!this.#due) {
      this.#due = true
      this.#clock.soon(this.#turnOver)
    }
    return true
  }

  /** Drops what was gathered; the socket is gone. */
  close(): void {
    this.#closed = true
  }

  readonly #turnOver = (): void => {
    this.#due = false
    this.#flush()
  }

  #flush(): void {
    if (this.#size === 0) return
    if (this.#closed) {
      this.#counters.dropped.offline += this.#packets
    } else {
      this.#socket.send(this.#bytes.subarray(0, this.#size))
      this.#counters.sent.messages++
      this.#counters.sent.packets += this.#packets
      this.#counters.sent.bytes += this.#size
    }
    this.#size = 0
    this.#packets = 0
  }
}
