/**
 * Values to events and back, for one table of messages. A WebSocket message is one or more msgpack values, one after
 * another; a value is a list, `[code, ...fields in schema order]`. Nothing here is of Node: pages use it too.
 */
import { Packr, Unpackr } from 'msgpackr'
import type { Scan } from './scan.js'
import type { Message } from './schema.js'

// Plain msgpack both ways, so that any library in any language can be the other end. Keys and tickets are
// copied out: a message is only lent by the socket, and an event outlives it.
const packr = new Packr({ useRecords: false })
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number', copyBuffers: true })

export type FrameErrorCode = 'malformed' | 'unknown_message' | 'bad_field'

/** The peer sent what is not of this protocol. `about` is the code of the message, when that much was readable. */
export class FrameError extends Error {
  readonly code: FrameErrorCode
  readonly about: number | undefined

  constructor(code: FrameErrorCode, message: string, about?: number) {
    super(message)
    this.name = 'FrameError'
    this.code = code
    this.about = about
  }
}

export interface Codec<W extends { readonly type: string }> {
  /** Returns the bytes of one value. The event must be of a known type; its fields are not checked. */
  readonly encode: (event: W) => Uint8Array
  /** Returns where the value that starts at `at` ends; throws a FrameError when it has no acceptable shape. */
  readonly endOfValue: (message: Uint8Array, at: number) => number
  /** Returns the list of a value that `endOfValue` has measured, `[code, ...fields]`, with the fields unchecked. */
  readonly unpackList: (value: Uint8Array) => readonly unknown[]
  /** Returns the event of an unpacked value; throws a FrameError that says what was wanted. */
  readonly eventOf: (list: readonly unknown[]) => W
  /** Returns the event of the single value that `value` holds; throws a FrameError. */
  readonly decode: (value: Uint8Array) => W
  /** Returns the events of a whole WebSocket message; throws a FrameError at the first value that is not one. */
  readonly decodeAll: (message: Uint8Array) => W[]
  /** Returns the definition of the message with this name. */
  readonly definitionOf: (name: W['type']) => Message
}

/** Returns the codec of these messages, whose values have the shape that `scan` looks for. */
export function codecOf<W extends { readonly type: string }>(
  messages: readonly Message[],
  scan: Scan,
): Codec<W> {
  const byCode: (Message | undefined)[] = []
  const byName = new Map<string, Message>()
  for (const m of messages) {
    if (byCode[m.code]) throw new Error(`code 0x${m.code.toString(16)} is claimed twice`)
    byCode[m.code] = m
    byName.set(m.name, m)
  }

  function encode(event: W): Uint8Array {
    const m = byName.get(event.type)
    if (!m) throw new TypeError(`no message is called ${String(event.type)}`)
    const list: unknown[] = [m.code]
    for (const key of m.order) list.push((event as unknown as Record<string, unknown>)[key] ?? null) // the schema names the keys
    return packr.pack(list)
  }

  function endOfValue(message: Uint8Array, at: number): number {
    const end = scan(message, at)
    if (end < 0) throw new FrameError('malformed', 'not a msgpack value of this protocol’s shape')
    return end
  }

  function eventOf(list: readonly unknown[]): W {
    const code = list[0]
    const m = typeof code === 'number' ? byCode[code] : undefined
    if (!m) {
      if (typeof code !== 'number' || !Number.isInteger(code) || code < 0 || code > 0xffff_ffff) {
        throw new FrameError('malformed', 'a value begins with its code')
      }
      throw new FrameError('unknown_message', `no message has code 0x${code.toString(16)}`, code)
    }
    const event: Record<string, unknown> = { type: m.name }
    for (let i = 0; i < m.order.length; i++) {
      const key = m.order[i] as string // i is inside
      const field = m.fields[key] as Message['fields'][string] // order lists the fields
      const value = list[i + 1] ?? undefined
      if (value === undefined && field.optional) continue
      const wanted = field.check(value)
      if (wanted !== undefined)
        throw new FrameError('bad_field', `${m.name}.${key}: wanted ${wanted}`, m.code)
      event[key] = value
    }
    return event as unknown as W // every field was checked against its kind
  }

  return {
    encode,
    endOfValue,
    unpackList,
    eventOf,
    decode(value) {
      if (endOfValue(value, 0) !== value.length) throw new FrameError('malformed', 'bytes after the value')
      return eventOf(unpackList(value))
    },
    decodeAll(message) {
      const events: W[] = []
      if (message.length === 0) throw new FrameError('malformed', 'an empty message')
      for (let at = 0; at < message.length; ) {
        const end = endOfValue(message, at)
        events.push(eventOf(unpackList(message.subarray(at, end))))
        at = end
      }
      return events
    },
    definitionOf: name => byName.get(name) as Message, // every event is of a message
  }
}

function unpackList(value: Uint8Array): readonly unknown[] {
  let list: unknown
  try {
    list = unpackr.unpack(value)
  } catch {
    throw new FrameError('malformed', 'not msgpack')
  }
  if (!Array.isArray(list)) throw new FrameError('malformed', 'a value is a list')
  return list
}
