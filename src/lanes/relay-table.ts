/**
 * Which two sessions each link joins. A link id is an index into flat arrays and a turn that grows when
 * the index is used again, so a look-up is two array reads and a stale id never finds its successor:
 *
 *   link = FIRST_LINK + (turn << 20) + index
 */
import { FIRST_LINK } from '../protocol/relay-frame.js'

/** Links that can be open at once. */
const LINKS_MAX = 1 << 20
/** Turns that fit below 2^32. */
const TURNS = Math.floor((2 ** 32 - FIRST_LINK) / LINKS_MAX)
const FIRST_SIZE = 1_024
/** No session. */
const NONE = -1

export interface Traffic {
  /** Bytes, with the frame of each packet, and packets: from the first end to the second, and back. */
  readonly bytes: readonly [number, number]
  readonly packets: readonly [number, number]
}

export class RelayTable {
  #ids = new Uint32Array(FIRST_SIZE)
  #a = new Int32Array(FIRST_SIZE).fill(NONE)
  #b = new Int32Array(FIRST_SIZE).fill(NONE)
  /** 1 when both ends are ready: only then does the link carry. */
  #carrying = new Uint8Array(FIRST_SIZE)
  #turns = new Uint16Array(FIRST_SIZE)
  /** Per link two figures: a → b, and b → a. */
  #bytes = new Float64Array(2 * FIRST_SIZE)
  #packets = new Float64Array(2 * FIRST_SIZE)
  /** Indexes to use again, oldest first, so that an id comes back as late as possible. */
  #free: number[] = []
  #freeHead = 0
  #next = 0
  #size = 0

  /** How many links are held. */
  get size(): number {
    return this.#size
  }

  /** Joins two sessions; returns the new link id. It does not carry yet. */
  join(a: number, b: number): number {
    const index = this.#takeIndex()
    const link = FIRST_LINK + (this.#turns[index] as number) * LINKS_MAX + index // index is inside
    this.#hold(index, link, a, b)
    return link
  }

  /** Joins two sessions by the link id of an earlier process; false when the id is taken or no link id. */
  restore(link: number, a: number, b: number): boolean {
    const offset = link - FIRST_LINK
    if (!(offset >= 0 && offset < TURNS * LINKS_MAX)) return false
    const index = offset % LINKS_MAX
    while (this.#next <= index) {
      this.#grow(this.#next + 1)
      this.#free.push(this.#next++)
    }
    const at = this.#free.indexOf(index, this.#freeHead)
    if (at < 0) return false
    this.#free.splice(at, 1)
    this.#turns[index] = Math.floor(offset / LINKS_MAX)
    this.#hold(index, link, a, b)
    return true
  }

  /** Lets the link carry, or stops it. */
  carry(link: number, carrying: boolean): void {
    const index = this.indexOf(link)
    if (index >= 0) this.#carrying[index] = carrying ? 1 : 0
  }

  remove(link: number): void {
    const index = this.indexOf(link)
    if (index < 0) return
    this.#a[index] = NONE
    this.#b[index] = NONE
    this.#ids[index] = 0
    this.#carrying[index] = 0
    this.#turns[index] = ((this.#turns[index] as number) + 1) % TURNS // index is inside
    this.#free.push(index)
    this.#size--
  }

  /** Returns the index of a held link, or -1. */
  indexOf(link: number): number {
    const index = (link - FIRST_LINK) & (LINKS_MAX - 1)
    return this.#ids[index] === link && link !== 0 ? index : -1
  }

  /** Returns the session at the other end of a held link, or -1 when `from` is not one of its ends. */
  otherEnd(index: number, from: number): number {
    if (this.#a[index] === from) return this.#b[index] as number // held: both ends are there
    if (this.#b[index] === from) return this.#a[index] as number // held: both ends are there
    return NONE
  }

  carries(index: number): boolean {
    return this.#carrying[index] === 1
  }

  /** Counts what `from` sent on a held link. */
  count(index: number, from: number, packets: number, bytes: number): void {
    const way = 2 * index + (this.#a[index] === from ? 0 : 1)
    this.#bytes[way] = (this.#bytes[way] as number) + bytes // way is inside
    this.#packets[way] = (this.#packets[way] as number) + packets // way is inside
  }

  /** Returns what went over the link; null when it is not held. */
  traffic(link: number): Traffic | null {
    const index = this.indexOf(link)
    if (index < 0) return null
    const pair = (of: Float64Array) => [of[2 * index] as number, of[2 * index + 1] as number] as const // inside
    return { bytes: pair(this.#bytes), packets: pair(this.#packets) }
  }

  #takeIndex(): number {
    if (this.#freeHead < this.#free.length) {
      const index = this.#free[this.#freeHead++] as number // head < length
      if (this.#freeHead > FIRST_SIZE && this.#freeHead * 2 > this.#free.length) {
        this.#free = this.#free.slice(this.#freeHead)
        this.#freeHead = 0
      }
      return index
    }
    this.#grow(this.#next + 1)
    return this.#next++
  }

  #hold(index: number, link: number, a: number, b: number): void {
    this.#ids[index] = link
    this.#a[index] = a
    this.#b[index] = b
    this.#carrying[index] = 0
    this.#bytes.fill(0, 2 * index, 2 * index + 2)
    this.#packets.fill(0, 2 * index, 2 * index + 2)
    this.#size++
  }

  #grow(needed: number): void {
    if (needed > LINKS_MAX) throw new RangeError(`no more than ${LINKS_MAX} links can be open at once`)
    const old = this.#ids.length
    if (needed <= old) return
    const size = Math.min(LINKS_MAX, Math.max(needed, old * 2))
    this.#ids = widened(this.#ids, new Uint32Array(size))
    this.#a = widened(this.#a, new Int32Array(size)).fill(NONE, old)
    this.#b = widened(this.#b, new Int32Array(size)).fill(NONE, old)
    this.#carrying = widened(this.#carrying, new Uint8Array(size))
    this.#turns = widened(this.#turns, new Uint16Array(size))
    this.#bytes = widened(this.#bytes, new Float64Array(2 * size))
    this.#packets = widened(this.#packets, new Float64Array(2 * size))
  }
}

function widened<T extends { set(from: T): void }>(narrow: T, wide: T): T {
  wide.set(narrow)
  return wide
}
