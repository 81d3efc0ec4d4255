/** What answers and events are on the operators’ socket: values of JSON, without the way over its text where that is possible. */
import type { Reply } from '../../http/reply.js'
import { isValue, type Value } from '../../protocol/value.js'

/** Returns what JSON would make of it; null when that is nothing, or nested too deep. Never throws. */
export function asValue(any: unknown): Value {
  if (isValue(any)) return any
  try {
    const plain: unknown = JSON.parse(JSON.stringify(any))
    return isValue(plain) ? plain : null
  } catch {
    return null
  }
}

/** Returns the body of an answer; undefined: it has none that a socket carries. JSON nested too deep is its text. */
export function bodyOf(reply: Reply): Value | undefined {
  const { value } = reply
  if (isValue(value)) return value
  const { body } = reply
  if (body.length === 0) return undefined
  const type = typeOf(reply)
  if (!/^text\/|json/.test(type)) return undefined
  const text = typeof body === 'string' ? body : Buffer.from(body).toString()
  if (!type.includes('json')) return text
  const parsed: unknown = JSON.parse(text)
  return isValue(parsed) ? parsed : text
}

/** Returns whether an answer is of a kind that only HTTP carries. */
export const isForHttp = (reply: Reply): boolean =>
  reply.value === undefined && reply.body.length > 0 && !/^text\/|json/.test(typeOf(reply))

const typeOf = ({ headers }: Reply): string => headers['Content-Type'] ?? ''
