/** What JSON can say: bodies of answers and events, on the operators’ socket. */

export type Value = null | boolean | number | string | readonly Value[] | { readonly [key: string]: Value }

/** Lists and maps in each other. The deepest answer of ours has about half of it. */
export const VALUE_DEPTH_MAX = 16
/** Items of one list or pairs of one map: what a length of 16 bits says. */
const ITEMS_MAX = 0xffff

/** Returns whether `value` is one: nothing undefined, no number that JSON has not, no class of its own. */
export function isValue(value: unknown, depth = VALUE_DEPTH_MAX): value is Value {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value)
    case 'object':
      return value === null || (depth > 0 && hasValues(value, depth - 1))
    default:
      return false
  }
}

function hasValues(value: object, depth: number): boolean {
  if (Array.isArray(value)) {
    if (value.length > ITEMS_MAX) return false
    for (const item of value) if (!isValue(item, depth)) return false
    return true
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  const keys = Object.keys(value)
  if (keys.length > ITEMS_MAX) return false
  for (const key of keys) if (!isValue((value as Record<string, unknown>)[key], depth)) return false // its own key
  return true
}
