/**
 * Values to events and back. A WebSocket message is one or more msgpack values, one after another;
 * a value is a list, `[code, ...fields in schema order]`.
 */
import { Packr, Unpackr } from 'msgpackr'
import { ALL, type Wire } from './messages.js'
import { scan } from './scan.js'
import type { Message } from './schema.js'

// Plain msgpack both ways, so that any library in any language can be the other end. Keys and tickets are
// copied out: a message is only lent by the socket, and an event outlives it.
const packr = new Packr({ useRecords: false })
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number', copyBuffers: true })

const BY_CODE: (Message | undefined)[] = []
const BY_NAME = new Map<string, Message>()
for (const m of ALL as readonly Message[]) {
  if (BY_CODE[m.code]) throw new Error(`code 0x${m.code.toString(16)} is claimed twice`)
  BY_CODE[m.code] = m
  BY_NAME.set(m.name, m)
}

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

/** Returns the bytes of one value. The event must be of a known type; its fields are not checked. */
export function encode(event: Wire): Uint8Array {
  const m = BY_NAME.get(event.type)
  if (!m) throw new TypeError(`no message is called ${String(event.type)}`)
  const list: unknown[] = [m.code]
  for (const key of m.order) list.push((event as unknown as Record<string, unknown>)[key] ?? null) // the schema names the keys
  return packr.pack(list)
}

/** Returns where the value that starts at `at` ends; throws a FrameError when it has no acceptable shape. */
export function endOfValue(message: Uint8Array, at: number): number {
  const end = scan(message, at)
  if (end < 0) throw new FrameError('malformed', 'not a msgpack value of this protocol’s shape')
  return end
}

/** Returns the list of a value that `endOfValue` has measured, `[code, ...fields]`, with the fields unchecked. */
export function unpackList(value: Uint8Array): readonly unknown[] {
  let list: unknown
  try {
    list = unpackr.unpack(value)
  } catch {
    throw new FrameError('malformed', 'not msgpack')
  }
  if (!Array.isArray(list)) throw new FrameError('malformed', 'a value is a list')
  return list
}

/** Returns the event of an unpacked value; throws a FrameError that says what was wanted. */
export function eventOf(list: readonly unknown[]): Wire {
  const code = list[0]
  const m = typeof code === 'number' ? BY_CODE[code] : undefined
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
    if (wanted !== undefined) throw new FrameError('bad_field', `${m.name}.${key}: wanted ${wanted}`, m.code)
    event[key] = value
  }
  return event as unknown as Wire // every field was checked against its kind
}

/** Returns the event of the single value that `value` holds; throws a FrameError. */
export function decode(value: Uint8Array): Wire {
  if (endOfValue(value, 0) !== value.length) throw new FrameError('malformed', 'bytes after the value')
  return eventOf(unpackList(value))
}

/** Returns the events of a whole WebSocket message; throws a FrameError at the first value that is not one. */
export function decodeAll(message: Uint8Array): Wire[] {
  const events: Wire[] = []
  if (message.length === 0) throw new FrameError('malformed', 'an empty message')
  for (let at = 0; at < message.length; ) {
    const end = endOfValue(message, at)
    events.push(eventOf(unpackList(message.subarray(at, end))))
    at = end
  }
  return events
}

/** Returns the definition of the message with this name. */
export const definitionOf = (name: Wire['type']): Message => BY_NAME.get(name) as Message // every Wire has one
