/** States as steps spell them, `online{presence: fresh, duty: full}`, taken apart. */

/** Returns the paths of all states that the text names, the outer ones too: `online`, `online.presence`, … */
export function statesIn(text: string): ReadonlySet<string> {
  const states = new Set<string>()
  const parts = text.match(/[\w-]+|\.|\{|\}|: |, /g) ?? []
  let at = 0
  const value = (outer: string): void => {
    const path = outer + (parts[at++] ?? '')
    states.add(path)
    const next = parts[at]
    if (next === '.' || next === ': ') {
      at++
      value(`${path}.`)
    } else if (next === '{') {
      do {
        at++
        value(`${path}.`)
      } while (parts[at] === ', ')
      at++
    }
  }
  do value('')
  while (parts[at++] === ', ')
  return states
}

/** Returns the innermost of some states: those that hold no other of them. */
export const leavesOf = (states: ReadonlySet<string>): readonly string[] =>
  [...states].filter(state => ![...states].some(other => other.startsWith(`${state}.`)))

/** Returns what a step has changed, `asking → served`; empty where nothing did. */
export function changeBetween(from: string, to: string): string {
  if (from === to) return ''
  const [before, after] = [leavesOf(statesIn(from)), leavesOf(statesIn(to))]
  const left = before.filter(state => !after.includes(state))
  const entered = after.filter(state => !before.includes(state))
  return `${left.map(nameOf).join(', ')} → ${entered.map(nameOf).join(', ')}`
}

/** The last part of a state's path: what it is called in its own machine. */
export const nameOf = (state: string): string => state.slice(state.lastIndexOf('.') + 1)
