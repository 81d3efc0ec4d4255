/**
 * The heartbeat lane: gauges are written in place, one row of numbers per session; no event, no object.
 * Silence is measured here too, as the time since the last complete valid message of any kind.
 */
import type { Slot } from '../actors/ports.js'
import { FrameError } from '../protocol/codec.js'
import { Heartbeat } from '../protocol/messages.js'
import { beatIndex, readBeat } from './heartbeat-frame.js'

/** Read at each route choice, of nodes all over the table: with the round trip they are in one line of memory. */
const CHOSEN_BY = ['cpuTotalPct', 'bwTotalMbps', 'latencyP50Ms', 'packetLossPct'] as const
const ELSEWHERE = ['seq', 'echoStamp', 'echoHeldMs', 'serverId', 'iface', 'pingTarget', ...CHOSEN_BY]
/** The heartbeat's fields that are figures and that someone reads later, in the order of a row. */
const GAUGES = [...CHOSEN_BY, ...Heartbeat.order.filter(key => !ELSEWHERE.includes(key))]
type Gauge = (typeof GAUGES)[number]

const FIELDS = Heartbeat.order.map(key => {
  const field = Heartbeat.fields[key as keyof typeof Heartbeat.fields]
  return { key, optional: field.optional, check: field.check }
})
/** A row has the smoothed round trip, then the gauges; it fills lines of memory, which are of eight numbers. */
const RTT = 0
const FIRST_GAUGE = 1
const WIDTH = Math.ceil((FIRST_GAUGE + GAUGES.length) / 8) * 8
/** Where each gauge is in a row. */
const PLACES = new Map<Gauge, number>(GAUGES.map((name, i) => [name, FIRST_GAUGE + i]))
/** Where each gauge is among the fields. */
const GAUGE_FIELDS = Uint8Array.from(GAUGES, key => Heartbeat.order.indexOf(key))
const SEQ = beatIndex('seq')
const ECHO_STAMP = beatIndex('echoStamp')
const ECHO_HELD = beatIndex('echoHeldMs')
/** The figures of the heartbeat that is being read, one per field; NaN is unknown or text. */
const figures = new Float64Array(Heartbeat.order.length)
const FIRST_SIZE = 256
/** Weight of the newest sample in the smoothed round trip: RFC 6298 §2 uses 1/8. */
const RTT_WEIGHT = 1 / 8
/** A sample above this is a clock that went wrong, not a network, ms. */
const RTT_MAX_MS = 60_000

/**
 * A round trip so much longer than usual, by factor and by ms, says that one answer waited: in a cable that was cut for a
 * while, behind somebody's upload. It does not count unless the next one is late too.
 */
const LATE = { times: 3, ms: 100 }
/** Stamps count 10 µs, so that a round trip on the same machine is not nil; 32 bits of them last 11.9 hours. */
const STAMPS_PER_MS = 100
/** Returns what `heartbeat.ack.stamp` says at this moment. */
export const stampOf = (nowMs: number): number => Math.floor(nowMs * STAMPS_PER_MS) >>> 0

export class HeartbeatLedger {
  beats = 0
  /** The answer to the last heartbeat: `[0x11, seq: uint32, stamp: uint32]`, written in place. */
  readonly ack = Uint8Array.of(0x93, 0x11, 0xce, 0, 0, 0, 0, 0xce, 0, 0, 0, 0)
  #rows = new Float64Array(FIRST_SIZE * WIDTH).fill(Number.NaN)
  #heard = new Float64Array(FIRST_SIZE)
  /** Whether the last sample was late. */
  #late = new Uint8Array(FIRST_SIZE)

  /** Makes sure of the session's row; a session that comes back finds its gauges as they were. */
  open(slot: Slot, nowMs: number): void {
    this.#grow(slot + 1)
    this.#heard[slot] = nowMs
  }

  /** Empties the row for the next session. */
  wipe(slot: Slot): void {
    if (slot >= this.#heard.length) return
    this.#rows.fill(Number.NaN, slot * WIDTH, (slot + 1) * WIDTH)
    this.#late[slot] = 0
  }

  /** A complete valid message of the session arrived. */
  heard(slot: Slot, nowMs: number): void {
    this.#heard[slot] = nowMs
  }

  /** Returns when the session was last heard, monotonic ms. */
  heardMs(slot: Slot): number {
    return this.#heard[slot] as number // open() made the row
  }

  /**
   * Takes the heartbeat that may begin at `at` of a message; its answer is in `ack`. Returns where it ends, or -1
   * when it is not of a shape that the lane reads: `beatList` takes it then, or says what is wrong.
   */
  beat(slot: Slot, message: Uint8Array, at: number, nowMs: number): number {
    const end = readBeat(message, at, figures)
    if (end >= 0) this.#take(slot, nowMs)
    return end
  }

  /** Takes an unpacked heartbeat, `[code, ...fields]`; its answer is in `ack`. Throws a FrameError. */
  beatList(slot: Slot, list: readonly unknown[], nowMs: number): void {
    for (let i = 0; i < FIELDS.length; i++) {
      const field = FIELDS[i] as (typeof FIELDS)[number] // i is inside
      const value = list[i + 1] ?? undefined
      figures[i] = value === undefined ? Number.NaN : Number(value)
      if (value === undefined && field.optional) continue
      const wanted = field.check(value)
      if (wanted !== undefined)
        throw new FrameError('bad_field', `heartbeat.${field.key}: wanted ${wanted}`, Heartbeat.code)
    }
    this.#take(slot, nowMs)
  }

  /** Returns a gauge by its wire name; null is unknown. */
  gauge(slot: Slot, name: Gauge): number | null {
    return known(this.#rows[slot * WIDTH + (PLACES.get(name) as number)]) // all of them are there
  }

  /** Returns all gauges of the last heartbeat by wire name. */
  gauges(slot: Slot): Record<string, number | null> {
    const all: Record<string, number | null> = {}
    for (const [name, place] of PLACES) all[name] = known(this.#rows[slot * WIDTH + place])
    return all
  }

  /** Returns the smoothed round trip that the coordinator measured, ms; null before the first sample. */
  rttMs(slot: Slot): number | null {
    return known(this.#rows[slot * WIDTH + RTT])
  }

  /** The event loop stood still for this long: nobody's silence counts during it. */
  forgive(lagMs: number): void {
    for (let slot = 0; slot < this.#heard.length; slot++)
      this.#heard[slot] = (this.#heard[slot] as number) + lagMs // inside
  }

  /** Writes what was read into the session's row, and the answer. */
  #take(slot: Slot, nowMs: number): void {
    const row = slot * WIDTH + FIRST_GAUGE
    for (let i = 0; i < GAUGE_FIELDS.length; i++) {
      this.#rows[row + i] = figures[GAUGE_FIELDS[i] as number] as number // both are inside
    }
    const stamp = figures[ECHO_STAMP] as number // inside
    if (!Number.isNaN(stamp)) this.#sample(slot, stamp, figures[ECHO_HELD] || 0, nowMs)
    this.beats++
    this.#answer(figures[SEQ] as number, stampOf(nowMs)) // inside
  }

  #answer(seq: number, stamp: number): void {
    const { ack } = this
    ack[3] = seq >>> 24
    ack[4] = seq >>> 16
    ack[5] = seq >>> 8
    ack[6] = seq
    ack[8] = stamp >>> 24
    ack[9] = stamp >>> 16
    ack[10] = stamp >>> 8
    ack[11] = stamp
  }

  /** Round trip = now − stamp − how long the agent held it (RFC 3550 §6.4.1). */
  #sample(slot: Slot, stamp: number, heldMs: number, nowMs: number): void {
    const sample = ((stampOf(nowMs) - stamp) >>> 0) / STAMPS_PER_MS - heldMs
    if (!(sample >= 0 && sample <= RTT_MAX_MS)) return
    const place = slot * WIDTH + RTT
    const old = this.#rows[place] as number // open() made the row
    const isLate = sample > old * LATE.times + LATE.ms // never before there is an old one
    const isAlone = isLate && this.#late[slot] === 0
    this.#late[slot] = Number(isLate)
    if (isAlone) return
    this.#rows[place] = Number.isNaN(old) ? sample : old + RTT_WEIGHT * (sample - old)
  }

  #grow(needed: number): void {
    const old = this.#heard.length
    if (needed <= old) return
    const size = Math.max(needed, old * 2)
    const rows = new Float64Array(size * WIDTH).fill(Number.NaN)
    rows.set(this.#rows)
    const heard = new Float64Array(size)
    heard.set(this.#heard)
    this.#rows = rows
    this.#heard = heard
    const late = new Uint8Array(size)
    late.set(this.#late)
    this.#late = late
  }
}

const known = (value = Number.NaN): number | null => (Number.isNaN(value) ? null : value)
