/**
 * Where each transition of a statechart is drawn: between two boxes that stand side by side in the state around them, or
 * as a line within its own box when it leads nowhere else.
 */
import type { StatechartState } from '../../../actors/ports.js'
import { nameOf } from './states.js'

/** What a state does at an event. */
export interface Handling {
  /** Unlike that of any other in the chart. */
  readonly id: string
  readonly event: string
  /** As the drawing says it: with the state it leads to, or comes from, where the arrow does not reach it. */
  readonly label: string
  readonly guard: string | null
  readonly actions: readonly string[]
  /** Path of the state that hears the event. */
  readonly source: string
  /** null: it stays where it is. */
  readonly target: string | null
}

/** An arrow between two boxes of one level; all transitions that lead the same way share it. */
export interface Arrow {
  /** null: from wherever one is within the level. */
  readonly from: string | null
  readonly to: string
  readonly handlings: Handling[]
}

export interface Arrows {
  /** By the path of the state whose children they join. */
  readonly within: ReadonlyMap<string, readonly Arrow[]>
  /** Lines in the box of a state, by its path. */
  readonly lines: ReadonlyMap<string, readonly Handling[]>
}

/** Returns where the transitions of a chart are drawn. */
export function arrowsOf(root: StatechartState): Arrows {
  const within = new Map<string, Arrow[]>()
  const lines = new Map<string, Handling[]>()
  const parallel = new Set<string>()
  each(root, state => {
    if (state.type === 'parallel') parallel.add(state.path)
  })
  each(root, state =>
    state.on.forEach((transition, i) => {
      const { event, guard, actions } = transition
      const target = transition.targets[0] ?? null
      const isAmbiguous = state.on.some(
        (other, j) => i !== j && other.event === event && other.guard !== guard,
      )
      const words = guard !== null && isAmbiguous ? `${event} [${guard}]` : event
      const place = target === null ? null : placeOf(state.path, target, parallel)
      const shared = { id: `${state.path}#${i}`, event, guard, actions, source: state.path, target }
      if (target === null || place === null) {
        const lead = target === null ? '' : target === state.path ? '↻ ' : `→ ${nameOf(target)}: `
        const line = { ...shared, label: lead + words }
        lines.set(state.path, [...(lines.get(state.path) ?? []), line])
        return
      }
      const { level, from, to } = place
      const start = from === null || from === state.path ? '' : `${nameOf(state.path)}: `
      const end = to === target ? '' : ` → ${nameOf(target)}`
      const arrows = within.get(level) ?? []
      let arrow = arrows.find(other => other.from === from && other.to === to)
      if (arrow === undefined) arrows.push((arrow = { from, to, handlings: [] }))
      arrow.handlings.push({ ...shared, label: start + words + end })
      within.set(level, arrows)
    }),
  )
  return { within, lines }
}

/** Between which boxes, and in which state, an arrow is drawn; null: it leads to the state itself, or to one around it. */
function placeOf(
  source: string,
  target: string,
  parallel: ReadonlySet<string>,
): { readonly level: string; readonly from: string | null; readonly to: string } | null {
  const [here, there] = [partsOf(source), partsOf(target)]
  let shared = 0
  while (shared < here.length && here[shared] === there[shared]) shared++
  if (shared === there.length) return null
  const level = there.slice(0, shared).join('.')
  const to = there.slice(0, shared + 1).join('.')
  if (shared < here.length)
    // Regions stand beside each other without arrows.
    return parallel.has(level) ? null : { level, from: here.slice(0, shared + 1).join('.'), to }
  if (!parallel.has(level)) return { level, from: null, to }
  return there.length === shared + 1
    ? null
    : { level: to, from: null, to: there.slice(0, shared + 2).join('.') }
}

const partsOf = (path: string): readonly string[] => (path === '' ? [] : path.split('.'))

function each(state: StatechartState, visit: (state: StatechartState) => void): void {
  visit(state)
  for (const child of state.states) each(child, visit)
}
