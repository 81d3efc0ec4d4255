/**
 * What waits for one destination. Two ways of waiting:
 *
 *   gathering  packets of the current turn of the event loop, in bundles that leave when the turn ends
 *   waiting    the socket takes no more: a short queue, oldest first out, nothing older than a moment
 *
 * A bundle is copied once, from the sender's message into it.
 */
import type { Slot, Socket } from '../actors/ports.js'

/** Bytes in one bundle: the largest message of the protocol. */
export const BUNDLE_MAX = 65_536
/** Bundles that one turn may gather for one destination; more is a burst that no socket takes at once. */
const BUNDLES_PER_TURN = 8

export interface Bundle {
  readonly bytes: Uint8Array
  size: number
  packets: number
}

export interface Waiting {
  readonly link: number
  readonly bytes: Uint8Array
  readonly sinceMs: number
}

/** Bundles to use again: as many as one busy turn needs, no more. */
const spare: Bundle[] = []
const SPARE_MAX = 256

export class Outbox {
  readonly slot: Slot
  readonly socket: Socket
  readonly bundles: Bundle[] = []
  readonly waiting: Waiting[] = []
  /** When the first packet of this turn came, monotonic ms. */
  sinceMs = 0
  /** When the socket stopped taking, monotonic ms; null while it takes. */
  stalledMs: number | null = null

  constructor(slot: Slot, socket: Socket) {
    this.slot = slot
    this.socket = socket
  }

  get gathering(): boolean {
    return this.bundles.length > 0
  }

  /** Copies `message[start, end)` behind what was gathered; false when this turn's room is used up. */
  gather(message: Uint8Array, start: number, end: number, packets: number): boolean {
    let last = this.bundles[this.bundles.length - 1]
    if (last === undefined || last.size + end - start > BUNDLE_MAX) {
      if (this.bundles.length >= BUNDLES_PER_TURN) return false
      last = spare.pop() ?? { bytes: new Uint8Array(BUNDLE_MAX), size: 0, packets: 0 }
      this.bundles.push(last)
    }
    last.bytes.set(start === 0 && end === message.length ? message : message.subarray(start, end), last.size)
    last.size += end - start
    last.packets += packets
    return true
  }

  /** Gives a bundle back for the next turn. */
  static release(bundle: Bundle): void {
    bundle.size = 0
    bundle.packets = 0
    if (spare.length < SPARE_MAX) spare.push(bundle)
  }
}
