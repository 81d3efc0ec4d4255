/**
 * The relay lane reads and writes `relay.data` without msgpack. The bytes are still plain msgpack,
 * `[0x40, link: uint32, payload: bin]`; link ids start at 0x10000 so that every encoder spells them as
 * uint32 and the offsets never move:
 *
 *   93 40 ce LL LL LL LL c4 NN     <payload ≤255>
 *   93 40 ce LL LL LL LL c5 NN NN  <payload ≤65535>
 */
export const FIRST_LINK = 0x1_0000
/**
 * Links that one session may be an end of: ten thousand clients, and a tenth more that are on their way to another node.
 * A list of all of them beside the longest list of ICE servers still fits into one message.
 */
export const LINKS_PER_SESSION_MAX = 11_000
/** Bytes before the payload, at most. */
export const RELAY_HEADER_MAX = 10
/** The largest payload that `relay.data` carries, bytes. A WireGuard packet on a jumbo-frame link fits. */
export const RELAY_PAYLOAD_MAX = 9_000

/** Returns whether the value at `at` claims to be `relay.data`. */
export const isRelayData = (b: Uint8Array, at = 0): boolean => b[at] === 0x93 && b[at + 1] === 0x40

/** Returns where the `relay.data` value that starts at `at` ends, or -1 when it is not in the lane's fixed shape. */
export function relayEnd(b: Uint8Array, at: number): number {
  // Reads past the end give undefined, which no comparison below accepts.
  if (b[at] !== 0x93 || b[at + 1] !== 0x40 || b[at + 2] !== 0xce) return -1
  const form = b[at + 7]
  const end =
    form === 0xc4
      ? at + 9 + (b[at + 8] as number)
      : form === 0xc5
        ? at + 10 + (((b[at + 8] as number) << 8) | (b[at + 9] as number))
        : -1
  return end <= b.length ? end : -1
}

/** Returns the link id of the value at `at`; only for values that `relayEnd` accepted. */
export const relayLink = (b: Uint8Array, at: number): number =>
  (((b[at + 3] as number) << 24) |
    ((b[at + 4] as number) << 16) |
    ((b[at + 5] as number) << 8) |
    (b[at + 6] as number)) >>>
  0

/** Returns where the payload of the value at `at` begins; only for values that `relayEnd` accepted. */
export const relayPayload = (b: Uint8Array, at: number): number => (b[at + 7] === 0xc4 ? at + 9 : at + 10)

/** Returns how many bytes a value with `payloadSize` takes. */
export const relaySize = (payloadSize: number): number => payloadSize + (payloadSize < 256 ? 9 : 10)

/** Writes a value at `at` into `out`, which must have room for `relaySize(payload.length)`; returns where it ends. */
export function writeRelay(out: Uint8Array, at: number, link: number, payload: Uint8Array): number {
  const size = payload.length
  out[at] = 0x93
  out[at + 1] = 0x40
  out[at + 2] = 0xce
  out[at + 3] = link >>> 24
  out[at + 4] = link >>> 16
  out[at + 5] = link >>> 8
  out[at + 6] = link
  let p = at + 7
  if (size < 256) {
    out[p++] = 0xc4
  } else {
    out[p++] = 0xc5
    out[p++] = size >>> 8
  }
  out[p++] = size
  out.set(payload, p)
  return p + size
}
