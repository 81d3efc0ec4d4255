/**
 * Anything that actors hold or hear, as plain data that may be shown: bounded, without cycles, and without secrets. Who is
 * shown an actor sees that there is a ticket, never which.
 */
import type { Plain } from '../ports.js'

/** Fields with such names are never shown, whatever they hold. */
const SECRET = /ticket|credential|proof|password|secret|token|nonce|private|psk|challenge|signature/i
const DEPTH = 4
const ITEMS = 20
const FIELDS = 40
const TEXT = 300

/** Returns `value` as plain data; what lies deeper or is longer than one wants to see is told of by its size. */
export function plain(value: unknown, depth = DEPTH): Plain {
  switch (typeof value) {
    case 'string':
      return value.length <= TEXT ? value : `${value.slice(0, TEXT)}… (${value.length} characters)`
    case 'number':
      return Number.isFinite(value) ? value : null
    case 'boolean':
      return value
    case 'object':
      return value === null ? null : ofObject(value, depth)
    case 'bigint':
    case 'symbol':
      return String(value)
    default:
      return null // functions and what is not there
  }
}

function ofObject(value: object, depth: number): Plain {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (value instanceof Date) return value.toISOString()
  if (isOne(value)) return nameOfOne(value)
  if (Array.isArray(value)) return ofList(value, depth)
  if (value instanceof Set) return ofList([...value], depth)
  if (value instanceof Map)
    return depth === 0
      ? `${value.size} entries`
      : ofFields(
          [...value].map(([key, item]) => [String(key), item] as const),
          depth,
        )
  const prototype: unknown = Object.getPrototypeOf(value)
  // Whatever has a class is a part of ours, not data.
  if (prototype !== Object.prototype && prototype !== null) return `‹${value.constructor.name}›`
  return depth === 0 ? '…' : ofFields(Object.entries(value), depth)
}

function ofList(list: readonly unknown[], depth: number): Plain {
  if (depth === 0) return `${list.length} items`
  const shown = list.slice(0, ITEMS).map(item => plain(item, depth - 1))
  return list.length > ITEMS ? [...shown, `… ${list.length - ITEMS} more`] : shown
}

function ofFields(entries: readonly (readonly [string, unknown])[], depth: number): Plain {
  const shown: Record<string, Plain> = {}
  for (const [key, item] of entries.slice(0, FIELDS)) {
    if (typeof item === 'function') continue
    shown[key] = SECRET.test(key) && item !== null && item !== undefined ? '•••' : plain(item, depth - 1)
  }
  if (entries.length > FIELDS) shown['…'] = `${entries.length - FIELDS} more`
  return shown
}

interface One {
  readonly role: string
  readonly identity: { readonly id: string }
}

/** A session in another's event is named, not shown. */
const isOne = (value: object): value is One =>
  'role' in value && 'identity' in value && 'slot' in value && 'sessionId' in value

const nameOfOne = ({ role, identity }: One): string => `${role}/${identity.id}`
