/**
 * Finds STUN messages and ChannelData in a stream (RFC 8656 §12.5). A frame that is not whole is gathered in
 * one buffer of its size, so that bytes that come one by one cost no more than those that come together.
 */
import { CHANNEL_HEADER_BYTES, HEADER_BYTES, padTo4 } from './codec.js'

/** The most that is held of one stream, bytes: room for the largest ChannelData. */
const LARGEST_FRAME = 65_540

export class FrameReader {
  readonly #header = Buffer.alloc(CHANNEL_HEADER_BYTES)
  #frame: Buffer | null = null
  #filled = 0

  /** Whether a frame has begun and is not whole. */
  get partial(): boolean {
    return this.#filled > 0
  }

  /** Returns the frames that are whole now, or null when this is no stream of ours: then it has to be closed. */
  read(chunk: Buffer): Buffer[] | null {
    const frames: Buffer[] = []
    for (let rest = chunk; rest.length > 0; ) {
      const taken = this.#take(rest, frames)
      if (taken < 0) return null
      rest = rest.subarray(taken)
    }
    return frames
  }

  /** Takes bytes up to the end of a header or of a frame; returns how many, or -1. */
  #take(bytes: Buffer, frames: Buffer[]): number {
    if (this.#frame !== null) return this.#fill(this.#frame, bytes, frames)
    const taken = bytes.copy(this.#header, this.#filled)
    this.#filled += taken
    if (this.#filled < CHANNEL_HEADER_BYTES) return taken
    const length = frameLength(this.#header)
    if (length < 0) return -1
    this.#frame = Buffer.allocUnsafe(length)
    this.#header.copy(this.#frame)
    return taken + (length === CHANNEL_HEADER_BYTES ? this.#fill(this.#frame, NOTHING, frames) : 0)
  }

  #fill(frame: Buffer, bytes: Buffer, frames: Buffer[]): number {
    const taken = bytes.copy(frame, this.#filled)
    this.#filled += taken
    if (this.#filled === frame.length) {
      frames.push(frame)
      this.#frame = null
      this.#filled = 0
    }
    return taken
  }
}

const NOTHING = Buffer.alloc(0)

/** Returns the bytes of the frame that begins like this, or -1 when none of ours does. */
function frameLength(header: Buffer): number {
  const first = header[0] as number // whole header
  const length = header.readUInt16BE(2)
  const bytes =
    first < 0x40 ? HEADER_BYTES + length : first <= 0x7f ? padTo4(CHANNEL_HEADER_BYTES + length) : -1
  return bytes <= LARGEST_FRAME ? bytes : -1
}
