/**
 * The heartbeat lane: every beat carries the gauges, and times the round trip both ways. The agent's own
 * round trip comes from `seq`; the coordinator's from the `stamp` that is echoed back with how long it was
 * held here.
 */
import { type Clock, every } from '../kit/clock.js'
import { Ewma } from '../kit/ewma.js'
import type { WireOf } from '../protocol/messages.js'
import type { Gauges } from './ports.js'

/** Share of the newest sample in the smoothed round trip (RFC 6298 §2). */
const RTT_WEIGHT = 1 / 8
/** The coordinator's counters wrap here. */
const U32 = 2 ** 32

export interface BeatsOptions {
  readonly clock: Clock
  readonly id: string
  readonly gauges: Gauges
  /** Links with traffic since the last beat. */
  readonly activeLinks: () => number
  readonly send: (beat: WireOf<'heartbeat'>) => void
  /** A beat has left; called with how many have since `start`. */
  readonly beaten: (count: number) => void
}

export class Beats {
  readonly #options: BeatsOptions
  readonly #rtt = new Ewma(RTT_WEIGHT)
  #readyAt = 0
  #seq = 0
  #sentAtMs = 0
  #ack: { readonly stamp: number; readonly atMs: number } | null = null
  #stop: () => void = () => {}

  constructor(options: BeatsOptions) {
    this.#options = options
  }

  /** Smoothed round trip to the coordinator, ms; null until the first acknowledgement. */
  get rttMs(): number | null {
    return this.#rtt.value
  }

  /** Beats now and every `everyMs`, counting from 1. */
  start(everyMs: number): void {
    this.stop()
    this.#seq = 0
    this.#ack = null
    if (this.#readyAt === 0) this.#readyAt = this.#options.clock.wallMs()
    this.beat()
    this.#stop = every(this.#options.clock, everyMs, () => this.beat())
  }

  stop(): void {
    this.#stop()
  }

  acked({ seq, stamp }: WireOf<'heartbeat.ack'>): void {
    const now = this.#options.clock.now()
    if (seq === this.#seq) this.#rtt.add(now - this.#sentAtMs)
    this.#ack = { stamp, atMs: now }
  }

  /** Beats once, out of turn: its acknowledgement proves that the coordinator is there. */
  beat(): void {
    const { clock, id, gauges, activeLinks, send, beaten } = this.#options
    const now = clock.now()
    this.#seq = (this.#seq + 1) % U32
    this.#sentAtMs = now
    send({
      type: 'heartbeat',
      ...gauges(),
      seq: this.#seq,
      ...(this.#ack === null ? {} : { echoStamp: this.#ack.stamp, echoHeldMs: now - this.#ack.atMs }),
      activeSessions: activeLinks(),
      serverId: id,
      generatedAt: Math.trunc(clock.wallMs()),
      readyAt: Math.trunc(this.#readyAt),
    })
    beaten(this.#seq)
  }
}
