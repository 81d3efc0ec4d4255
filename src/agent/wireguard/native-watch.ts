/**
 * Whether a peer is still heard that WireGuard talks to by itself, read off its counters. WireGuard answers nothing but
 * handshakes, so silence counts only while something was said, and while there is traffic each end says something
 * every second.
 */
import type { OwnFigures } from '../ports.js'

/** Seconds between keepalives: while there is traffic, and while it only keeps the NATs open. */
const BUSY_KEEPALIVE_S = 1
const IDLE_KEEPALIVE_S = 15
/** Traffic counts as over when there was none for this long, ms. */
const CALM_MS = 30_000
/** Silence of a peer that was sending, ms: just above the keepalives. */
const SILENCE_MS = 1_300
/** Silence of a peer that sent keepalives only, ms: one of them may get lost. */
const ONE_WAY_SILENCE_MS = 2_300
/** A keepalive, bytes: header and tag of an empty packet. */
const KEEPALIVE_BYTES = 32
/** Keepalives that may fall into one look while they come every second. */
const KEEPALIVES_A_LOOK = 2

export class NativeWatch {
  /** What the peer should be sent a keepalive every, s. */
  keepaliveS = BUSY_KEEPALIVE_S
  #sentBytes: number | null = null
  #receivedBytes = 0
  #lookedAtMs = 0
  #trafficAtMs = 0
  /** Since when traffic was sent without the peer being heard; null: it was heard since, or nothing was sent. */
  #unansweredSinceMs: number | null = null
  #heardTraffic = true

  /** Whether there is traffic, or was a moment ago. */
  get isBusy(): boolean {
    return this.keepaliveS === BUSY_KEEPALIVE_S
  }

  /** Takes what the counters say now; returns what was carried since the last time. */
  see({ sentBytes, receivedBytes }: OwnFigures, nowMs: number): { sentBytes: number; receivedBytes: number } {
    const first = this.#sentBytes === null
    const sent = since(this.#sentBytes, sentBytes)
    const received = first ? 0 : since(this.#receivedBytes, receivedBytes)
    this.#sentBytes = sentBytes
    this.#receivedBytes = receivedBytes
    if (first) this.#trafficAtMs = nowMs
    else this.#judge(sent, received, nowMs)
    this.#lookedAtMs = nowMs
    return { sentBytes: sent, receivedBytes: received }
  }

  /** Returns whether the peer should have been heard by now. */
  isSilent(nowMs: number): boolean {
    const allowedMs = this.#heardTraffic ? SILENCE_MS : ONE_WAY_SILENCE_MS
    return this.#unansweredSinceMs !== null && nowMs - this.#unansweredSinceMs >= allowedMs
  }

  #judge(sent: number, received: number, nowMs: number): void {
    if (received > 0) {
      this.#unansweredSinceMs = null
      this.#heardTraffic = this.#isTraffic(received)
    } else if (this.#isTraffic(sent)) this.#unansweredSinceMs ??= this.#lookedAtMs
    if (this.#isTraffic(sent) || this.#isTraffic(received)) this.#trafficAtMs = nowMs
    this.keepaliveS = nowMs - this.#trafficAtMs < CALM_MS ? BUSY_KEEPALIVE_S : IDLE_KEEPALIVE_S
  }

  #isTraffic(bytes: number): boolean {
    const keepalives = this.isBusy ? KEEPALIVES_A_LOOK : 1
    return bytes > keepalives * KEEPALIVE_BYTES
  }
}

/** A counter that went back was of an interface that was made anew. */
const since = (before: number | null, now: number): number =>
  before === null ? 0 : now < before ? now : now - before
