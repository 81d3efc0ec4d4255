/**
 * A session that is held to a rate of its own: what it sends, and what it is sent, each. Some of either bucket is kept
 * for the packets without which WireGuard's session ends: it stays up, however much else is dropped.
 */
import { TokenBucket } from '../kit/token-bucket.js'
import { relayPayload } from '../protocol/relay-frame.js'
import { BUNDLE_MAX } from './outbox.js'

/** A burst may be this many milliseconds of the rate, and a bundle at least. */
const BURST_MS = 250
/** What only those packets may use, bytes: two handshakes and their answers, and some keepalives. */
const KEPT = 2_048
/** WireGuard's last type that is no data, and the size of a keepalive, bytes (whitepaper §5.4). */
const HANDSHAKE_TYPES = 3
const KEEPALIVE_SIZE = 32

export interface Throttle {
  readonly sends: TokenBucket
  readonly receives: TokenBucket
}

export function newThrottle(bytesPerSecond: number, nowMs: number): Throttle {
  return { sends: newBucket(bytesPerSecond, nowMs), receives: newBucket(bytesPerSecond, nowMs) }
}

/** It starts with what is kept alone: who registers anew gains nothing by it. */
function newBucket(bytesPerSecond: number, nowMs: number): TokenBucket {
  const burst = KEPT + Math.max(BUNDLE_MAX, (bytesPerSecond * BURST_MS) / 1_000)
  const bucket = new TokenBucket(bytesPerSecond, burst, nowMs)
  bucket.take(burst - KEPT, nowMs)
  return bucket
}

/** Returns whether the packet in `message[start, end)` may go on, and takes it from each bucket if so. */
export function mayPass(
  buckets: readonly (TokenBucket | undefined)[],
  message: Uint8Array,
  start: number,
  end: number,
  nowMs: number,
): boolean {
  const size = end - start
  const needed = keepsAlive(message, start, end) ? size : size + KEPT
  if (buckets.some(bucket => bucket !== undefined && bucket.waitMs(needed, nowMs) > 0)) return false
  for (const bucket of buckets) bucket?.take(size, nowMs)
  return true
}

function keepsAlive(message: Uint8Array, start: number, end: number): boolean {
  const payload = relayPayload(message, start)
  const type = message[payload] ?? 0
  return end - payload === KEEPALIVE_SIZE || (type >= 1 && type <= HANDSHAKE_TYPES)
}
