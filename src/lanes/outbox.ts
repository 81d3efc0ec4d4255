/**
 * What waits for one destination. Two ways of waiting:
 *
 *   gathering  packets of the current turn of the event loop, in a bundle that leaves when it is full or the
 *              turn ends
 *   waiting    the socket takes no more: a short queue, oldest first out, nothing older than a moment
 *
 * A bundle is copied once, from the sender's message into it.
 */
import type { Slot, Socket } from '../actors/ports.js'
import type { ShortQueue } from './short-queue.js'

/** Bytes in one bundle: the largest message of the protocol. */
export const BUNDLE_MAX = 65_536
export interface Bundle {
  readonly bytes: Uint8Array
  size: number
  packets: number
}

/** Bundles to use again, the last one used first: it is still in the processor's cache. */
const spare: Bundle[] = []
/** As many as one busy turn needs; 16 MiB. */
const SPARE_MAX = 256

export class Outbox {
  readonly slot: Slot
  readonly socket: Socket
  /** What was gathered; null when nothing was. */
  bundle: Bundle | null = null
  /** What waits; null while nothing has had to. */
  waiting: ShortQueue | null = null
  /** When the first packet of this turn came, monotonic ms. */
  sinceMs = 0
  /** When the socket stopped taking, monotonic ms; null while it takes. */
  stalledMs: number | null = null

  constructor(slot: Slot, socket: Socket) {
    this.slot = slot
    this.socket = socket
  }

  /** Returns whether `size` more bytes go into the same message. */
  fits(size: number): boolean {
    return this.bundle === null || this.bundle.size + size <= BUNDLE_MAX
  }

  /** Copies `message[start, end)` behind what was gathered. It must fit. */
  gather(message: Uint8Array, start: number, end: number, packets: number): void {
    const bundle = (this.bundle ??= spare.pop() ?? { bytes: new Uint8Array(BUNDLE_MAX), size: 0, packets: 0 })
    bundle.bytes.set(
      start === 0 && end === message.length ? message : message.subarray(start, end),
      bundle.size,
    )
    bundle.size += end - start
    bundle.packets += packets
  }

  /** Takes what was gathered out of the box; whoever takes it releases it. */
  take(): Bundle | null {
    const { bundle } = this
    this.bundle = null
    return bundle
  }

  /** Gives a bundle back for the next turn. */
  static release(bundle: Bundle): void {
    bundle.size = 0
    bundle.packets = 0
    if (spare.length < SPARE_MAX) spare.push(bundle)
  }
}
