/** A state in one line: `online{presence: fresh, duty: accepting}`. */
import type { StateValue } from 'xstate'

export function stateText(value: StateValue): string {
  if (typeof value === 'string') return value
  const regions = Object.entries(value).map(
    ([name, within]) => [name, within === undefined ? '' : stateText(within)] as const,
  )
  const [first] = regions
  // One region within another: `serving.steady`.
  if (regions.length === 1 && first !== undefined)
    return first[1] === '' ? first[0] : joined(first[0], first[1])
  return regions.map(([name, within]) => (within === '' ? name : `${name}: ${within}`)).join(', ')
}

/** Parallel regions stand in braces, a single one after a dot. */
const joined = (name: string, within: string): string =>
  within.includes(': ') && !within.endsWith('}') ? `${name}{${within}}` : `${name}.${within}`
