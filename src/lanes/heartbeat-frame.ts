/**
 * The heartbeat lane reads its message and writes the answer without msgpack: one pass over the bytes, no
 * object made. It knows the shapes that encoders give a heartbeat; any other, also a wrong one, it leaves to the
 * codec, which takes all that is right and says what is wrong.
 */
import { Heartbeat } from '../protocol/messages.js'

const { code: CODE, order, fields } = Heartbeat
type Key = keyof typeof fields

/** Index of a field in what `readBeat` gives. */
export const beatIndex = (key: Key): number => order.indexOf(key)

/** What each field may be. A figure is a decimal number written as text; other text is only looked at. */
interface Wanted {
  readonly kind: 'number' | 'whole' | 'figure' | 'text' | 'id'
  /** The largest number, or the length of a text. */
  readonly max: number
  readonly optional: boolean
}
const WANTED: readonly Wanted[] = order.map(key => {
  const { name, optional } = fields[key as Key] // order lists the fields
  if (name === 'u32') return { kind: 'whole', max: 0xffff_ffff, optional }
  if (name === 'u53') return { kind: 'whole', max: Number.MAX_SAFE_INTEGER, optional }
  if (name === 'f64 ≥0') return { kind: 'number', max: Number.MAX_VALUE, optional }
  if (name === 'id') return { kind: 'id', max: 64, optional }
  return { kind: key === 'load1' ? 'figure' : 'text', max: Number(name.slice('str ≤'.length)), optional }
})

/** Bytes that may stand in an id, and in a text: printable ASCII is all that the lane takes. */
const IN_TEXT = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x20 && byte < 0x7f ? 1 : 0))
const IN_ID = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[A-Za-z0-9._-]/.test(String.fromCharCode(byte)) ? 1 : 0,
)

const NIL = 0xc0
/** How many bytes a number takes, by its first; 0 begins none that a heartbeat may hold. */
const NUMBER_SIZE = Uint8Array.from({ length: 256 }, (_, type) => (type < 0x80 ? 1 : 0))
for (const [type, size] of Object.entries({ 0xca: 5, 0xcb: 9, 0xcc: 2, 0xcd: 3, 0xce: 5, 0xcf: 9 }))
  NUMBER_SIZE[Number(type)] = size

/** One float, seen as two words. */
const view = new DataView(new ArrayBuffer(8))

/** Returns whether a heartbeat of the usual shape may begin at `at`: a list of at least 16 fields. */
export const mayBeBeat = (b: Uint8Array, at: number): boolean => b[at] === 0xdc && b[at + 3] === CODE

/**
 * Reads the heartbeat at `at` into `out`, one number per field: NaN for what is unknown or text. Returns where it
 * ends, or -1 when it is not of a shape that the lane knows; `out` is undefined then. Reads beyond the end give
 * undefined, which counts as no byte that is looked for or as 0; the end is checked last.
 */
export function readBeat(b: Uint8Array, at: number, out: Float64Array): number {
  const given = (((b[at + 1] as number) << 8) | (b[at + 2] as number)) - 1 // mayBeBeat looked further
  if (given > WANTED.length) return -1
  let p = at + 4
  for (let i = 0; i < WANTED.length; i++) {
    const { kind, max, optional } = WANTED[i] as Wanted // i is inside
    const type = i < given ? (b[p] as number) : NIL // see above
    if (type === NIL) {
      if (!optional) return -1
      if (i < given) p++
      out[i] = Number.NaN
    } else if (kind === 'number' || kind === 'whole') {
      const size = NUMBER_SIZE[type] as number // see above
      const value = numberAt(b, p, type)
      // Not a number, endless and negative all fail here.
      if (!(size > 0 && value >= 0 && value <= max)) return -1
      if (kind === 'whole' && Math.floor(value) !== value) return -1
      out[i] = value
      p += size
    } else {
      const length = type >= 0xa0 && type < 0xc0 ? type & 31 : type === 0xd9 ? (b[++p] as number) : -1 // see above
      p++
      if (!(length >= 0 && length <= max) || !isText(b, p, length, kind)) return -1
      out[i] = kind === 'figure' ? figureAt(b, p, length) : Number.NaN
      if (kind === 'figure' && Number.isNaN(out[i] as number)) return -1
      p += length
    }
  }
  return p <= b.length ? p : -1
}

function numberAt(b: Uint8Array, at: number, type: number): number {
  if (type < 0x80) return type
  switch (type) {
    case 0xcb: // float64
      view.setUint32(0, word(b, at + 1))
      view.setUint32(4, word(b, at + 5))
      return view.getFloat64(0)
    case 0xcd: // uint16
      return ((b[at + 1] as number) << 8) | (b[at + 2] as number) // see readBeat
    case 0xce: // uint32
      return word(b, at + 1)
    case 0xcc: // uint8
      return b[at + 1] as number // see readBeat
    case 0xcf: // uint64
      return word(b, at + 1) * 2 ** 32 + word(b, at + 5)
    case 0xca: // float32
      view.setUint32(0, word(b, at + 1))
      return view.getFloat32(0)
    default:
      return Number.NaN
  }
}

const word = (b: Uint8Array, at: number): number =>
  (((b[at] as number) << 24) |
    ((b[at + 1] as number) << 16) |
    ((b[at + 2] as number) << 8) |
    (b[at + 3] as number)) >>>
  0

/** Returns whether the text that begins at `at` is one that the lane takes. */
function isText(b: Uint8Array, at: number, length: number, kind: Wanted['kind']): boolean {
  const allowed = kind === 'id' ? IN_ID : IN_TEXT
  for (let i = at; i < at + length; i++) if (allowed[b[i] as number] !== 1) return false
  // An id is not empty, and begins with a letter or a digit.
  return kind !== 'id' || (length > 0 && (b[at] as number) >= 0x30 && b[at] !== 0x5f) // see readBeat
}

/** Returns the number that is written at `at`, digits with at most one point among them; NaN when it is not. */
function figureAt(b: Uint8Array, at: number, length: number): number {
  let digits = 0
  let scale = 0 // 0 before the point
  for (let i = at; i < at + length; i++) {
    const byte = b[i] as number // isText looked at it
    if (byte === 0x2e && scale === 0 && i > at) scale = 1
    else if (byte >= 0x30 && byte <= 0x39) {
      digits = digits * 10 + byte - 0x30
      scale *= 10
    } else return Number.NaN
  }
  // Up to 2^53 both are exact, and one division rounds as reading the text would.
  return length > 0 && scale !== 1 && digits <= Number.MAX_SAFE_INTEGER ? digits / (scale || 1) : Number.NaN
}
