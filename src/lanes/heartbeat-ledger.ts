/**
 * The heartbeat lane: gauges are written in place, one row of numbers per session; no event, no object.
 * Silence is measured here too, as the time since the last complete valid message of any kind.
 */
import type { Slot } from '../actors/ports.js'
import { FrameError } from '../protocol/codec.js'
import { Heartbeat } from '../protocol/messages.js'

/** The heartbeat's fields that are numbers and that someone reads later, in wire order. */
export const GAUGES = Heartbeat.order.filter(
  key => !['seq', 'echoStamp', 'echoHeldMs', 'serverId', 'iface', 'pingTarget', 'load1'].includes(key),
)
export type Gauge = (typeof GAUGES)[number]

const FIELDS = Heartbeat.order.map(key => {
  const field = Heartbeat.fields[key as keyof typeof Heartbeat.fields]
  return { key, optional: field.optional, check: field.check, gauge: GAUGES.indexOf(key) }
})
const SEQ = 1 + Heartbeat.order.indexOf('seq')
const ECHO_STAMP = 1 + Heartbeat.order.indexOf('echoStamp')
const ECHO_HELD = 1 + Heartbeat.order.indexOf('echoHeldMs')
const LOAD1 = Heartbeat.order.indexOf('load1')
const FIRST_SIZE = 256
/** Weight of the newest sample in the smoothed round trip: RFC 6298 §2 uses 1/8. */
const RTT_WEIGHT = 1 / 8
/** A sample above this is a clock that went wrong, not a network, ms. */
const RTT_MAX_MS = 60_000

/** Stamps count 10 µs, so that a round trip on the same machine is not nil; 32 bits of them last 11.9 hours. */
const STAMPS_PER_MS = 100
/** Returns what `heartbeat.ack.stamp` says at this moment. */
export const stampOf = (nowMs: number): number => Math.floor(nowMs * STAMPS_PER_MS) >>> 0

export class HeartbeatLedger {
  beats = 0
  readonly #width = GAUGES.length
  #rows = new Float64Array(FIRST_SIZE * GAUGES.length).fill(Number.NaN)
  #heard = new Float64Array(FIRST_SIZE)
  #rtt = new Float64Array(FIRST_SIZE).fill(Number.NaN)
  readonly #load1: (string | null)[] = []

  /** Makes sure of the session's row; a session that comes back finds its gauges as they were. */
  open(slot: Slot, nowMs: number): void {
    this.#grow(slot + 1)
    this.#heard[slot] = nowMs
  }

  /** Empties the row for the next session. */
  wipe(slot: Slot): void {
    if (slot >= this.#heard.length) return
    this.#rows.fill(Number.NaN, slot * this.#width, (slot + 1) * this.#width)
    this.#rtt[slot] = Number.NaN
    this.#load1[slot] = null
  }

  /** A complete valid message of the session arrived. */
  heard(slot: Slot, nowMs: number): void {
    this.#heard[slot] = nowMs
  }

  /** Returns when the session was last heard, monotonic ms. */
  heardMs(slot: Slot): number {
    return this.#heard[slot] as number // open() made the row
  }

  /** Writes the gauges of an unpacked heartbeat, `[code, ...fields]`; returns its sequence number. Throws a FrameError. */
  beat(slot: Slot, list: readonly unknown[], nowMs: number): number {
    for (let i = 0; i < FIELDS.length; i++) {
      const field = FIELDS[i] as (typeof FIELDS)[number] // i is inside
      const value = list[i + 1] ?? undefined
      if (value === undefined && field.optional) continue
      const wanted = field.check(value)
      if (wanted !== undefined)
        throw new FrameError('bad_field', `heartbeat.${field.key}: wanted ${wanted}`, Heartbeat.code)
    }
    const row = slot * this.#width
    for (let i = 0; i < FIELDS.length; i++) {
      const { gauge } = FIELDS[i] as (typeof FIELDS)[number] // i is inside
      if (gauge >= 0) this.#rows[row + gauge] = (list[i + 1] as number | null) ?? Number.NaN // checked above
    }
    this.#load1[slot] = (list[LOAD1 + 1] as string | null) ?? null // checked above
    const stamp = list[ECHO_STAMP] as number | null // checked above
    if (stamp !== null && stamp !== undefined)
      this.#sample(slot, stamp, (list[ECHO_HELD] as number | null) ?? 0, nowMs)
    this.beats++
    return list[SEQ] as number // checked above
  }

  /** Returns a gauge by its wire name; null is unknown. */
  gauge(slot: Slot, name: Gauge): number | null {
    const value = this.#rows[slot * this.#width + GAUGES.indexOf(name)] ?? Number.NaN
    return Number.isNaN(value) ? null : value
  }

  /** Returns all gauges of the last heartbeat by wire name. */
  gauges(slot: Slot): Record<string, number | null> {
    const all: Record<string, number | null> = {}
    for (const name of GAUGES) all[name] = this.gauge(slot, name)
    const load1 = Number(this.#load1[slot] ?? Number.NaN)
    all['load1'] = Number.isNaN(load1) ? null : load1
    return all
  }

  /** Returns the smoothed round trip that the coordinator measured, ms; null before the first sample. */
  rttMs(slot: Slot): number | null {
    const value = this.#rtt[slot] ?? Number.NaN
    return Number.isNaN(value) ? null : value
  }

  /** The event loop stood still for this long: nobody's silence counts during it. */
  forgive(lagMs: number): void {
    for (let slot = 0; slot < this.#heard.length; slot++)
      this.#heard[slot] = (this.#heard[slot] as number) + lagMs // inside
  }

  /** Round trip = now − stamp − how long the agent held it (RFC 3550 §6.4.1). */
  #sample(slot: Slot, stamp: number, heldMs: number, nowMs: number): void {
    const sample = ((stampOf(nowMs) - stamp) >>> 0) / STAMPS_PER_MS - heldMs
    if (!(sample >= 0 && sample <= RTT_MAX_MS)) return
    const old = this.#rtt[slot] as number // open() made the row
    this.#rtt[slot] = Number.isNaN(old) ? sample : old + RTT_WEIGHT * (sample - old)
  }

  #grow(needed: number): void {
    const old = this.#heard.length
    if (needed <= old) return
    const size = Math.max(needed, old * 2)
    const rows = new Float64Array(size * this.#width).fill(Number.NaN)
    rows.set(this.#rows)
    const heard = new Float64Array(size)
    heard.set(this.#heard)
    const rtt = new Float64Array(size).fill(Number.NaN)
    rtt.set(this.#rtt)
    this.#rows = rows
    this.#heard = heard
    this.#rtt = rtt
  }
}
