/**
 * The structural scan: looks at the shape of a value before any decoder runs. msgpackr, like most
 * decoders, still builds foreign types (extensions, regular expressions, record definitions) when a
 * peer sends them; this protocol has none, so they stop here, together with maps, 32-bit lengths,
 * deep nesting and lengths that leave the message. It allocates nothing and is linear in the input.
 */

/** Deeper than any message of this protocol nests. */
export const MAX_DEPTH = 4
/** More values than any message of this protocol holds. */
export const MAX_ITEMS = 12_000

const open = new Uint32Array(MAX_DEPTH + 1)

/** Returns where the value that starts at `start` ends, or -1 when its shape is refused. */
export function scan(b: Uint8Array, start = 0): number {
  const n = b.length
  let p = start
  let depth = 0
  let items = 0
  open[0] = 1
  for (;;) {
    while (open[depth] === 0) {
      if (depth === 0) return p
      depth--
    }
    open[depth] = (open[depth] as number) - 1
    if (p >= n || ++items > MAX_ITEMS) return -1
    const t = b[p++] as number
    if (t < 0x80 || t >= 0xe0) continue // fixint
    let children = -1
    if (t >= 0xa0 && t < 0xc0)
      p += t & 31 // fixstr
    else if (t >= 0x90 && t < 0xa0)
      children = t & 15 // fixarray
    else {
      switch (t) {
        case 0xc0: // nil
        case 0xc2: // false
        case 0xc3: // true
          continue
        case 0xcc: // uint8
        case 0xd0: // int8
          p += 1
          break
        case 0xcd: // uint16
        case 0xd1: // int16
          p += 2
          break
        case 0xca: // float32
        case 0xce: // uint32
        case 0xd2: // int32
          p += 4
          break
        case 0xcb: // float64
        case 0xcf: // uint64
        case 0xd3: // int64
          p += 8
          break
        case 0xc4: // bin8
        case 0xd9: // str8
          if (p >= n) return -1
          p += 1 + (b[p] as number)
          break
        case 0xc5: // bin16
        case 0xda: // str16
          if (p + 2 > n) return -1
          p += 2 + (((b[p] as number) << 8) | (b[p + 1] as number))
          break
        case 0xdc: // array16
          if (p + 2 > n) return -1
          children = ((b[p] as number) << 8) | (b[p + 1] as number)
          p += 2
          break
        default:
          return -1 // maps, extensions, 0xc1, 32-bit lengths
      }
    }
    if (p > n) return -1
    if (children < 0) continue
    if (children > MAX_ITEMS - items) return -1
    if (children > 0) {
      if (++depth > MAX_DEPTH) return -1
      open[depth] = children
    }
  }
}
