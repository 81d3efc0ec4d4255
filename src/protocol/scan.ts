/**
 * The structural scan: looks at the shape of a value before any decoder runs. msgpackr, like most
 * decoders, still builds foreign types (extensions, regular expressions, record definitions) when a
 * peer sends them; this protocol has none, so they stop here, together with deep nesting, lengths that
 * leave the message and, but for operators, maps. It allocates nothing and is linear in the input.
 */

/** Deeper than any message of this protocol nests. */
export const MAX_DEPTH = 4
/** More values than any message of this protocol holds. */
export const MAX_ITEMS = 12_000

/** What a value may look like, on one kind of socket. */
export interface Shape {
  /** Lists and maps in each other, the value itself included. */
  readonly depth: number
  /** Everything that a value holds: lists, maps and their keys count. */
  readonly items: number
  /** Whether there may be maps, with strings for keys, and strings of 64 KiB and more. */
  readonly isRich: boolean
}

/** Returns where the value that starts at `start` ends, or -1 when its shape is refused. */
export type Scan = (bytes: Uint8Array, start?: number) => number

/** Looks at what agents and the coordinator say to each other. */
export const scan: Scan = scanOf({ depth: MAX_DEPTH, items: MAX_ITEMS, isRich: false })

/** Returns what looks at values of this shape. */
export function scanOf({ depth: depthMax, items: itemsMax, isRich }: Shape): Scan {
  const open = new Uint32Array(depthMax + 1)
  const isMap = new Uint8Array(depthMax + 1)
  return (b, start = 0) => walk(b, start, open, isMap, depthMax, itemsMax, isRich)
}

/** `open` counts what is still to come at each depth; of a map, keys are next where that is even. */
function walk(
  b: Uint8Array,
  start: number,
  open: Uint32Array,
  isMap: Uint8Array,
  depthMax: number,
  itemsMax: number,
  isRich: boolean,
): number {
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
    const left = open[depth] as number
    open[depth] = left - 1
    if (p >= n || ++items > itemsMax) return -1
    const t = b[p++] as number
    if (isRich && isMap[depth] === 1 && (left & 1) === 0 && !isString(t)) return -1
    if (t < 0x80 || t >= 0xe0) continue // fixint
    let children = -1
    let pairs = 0
    if (t >= 0xa0 && t < 0xc0)
      p += t & 31 // fixstr
    else if (t >= 0x90 && t < 0xa0)
      children = t & 15 // fixarray
    else if (t < 0x90) {
      if (!isRich) return -1
      children = t & 15 // fixmap
      pairs = 1
    } else {
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
        case 0xdb: // str32
          if (!isRich || p + 4 > n) return -1
          p += 4 + uint32(b, p)
          break
        case 0xde: // map16
          if (!isRich || p + 2 > n) return -1
          children = ((b[p] as number) << 8) | (b[p + 1] as number)
          pairs = 1
          p += 2
          break
        default:
          return -1 // extensions, 0xc1, other 32-bit lengths
      }
    }
    if (p > n) return -1
    if (children < 0) continue
    children <<= pairs // a map has as many keys as values
    if (children > itemsMax - items) return -1
    if (children > 0) {
      if (++depth > depthMax) return -1
      open[depth] = children
      isMap[depth] = pairs
    }
  }
}

const isString = (t: number): boolean => (t >= 0xa0 && t < 0xc0) || (t >= 0xd9 && t <= 0xdb)

const uint32 = (b: Uint8Array, at: number): number =>
  (b[at] as number) * 0x100_0000 +
  (((b[at + 1] as number) << 16) | ((b[at + 2] as number) << 8) | (b[at + 3] as number)) // the caller looked
