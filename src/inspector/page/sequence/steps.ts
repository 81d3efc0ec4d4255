/** Steps as they come in: some twice, some all alike. */
import type { ActorStep } from '../../../actors/ports.js'

/** The order counts while the coordinator runs; time tells its runs apart. */
export const byTime = (a: ActorStep, b: ActorStep): number => a.atMs - b.atMs || a.order - b.order

/** Returns the last `most` steps of both, each once: who looks again is told the last ones again. */
export function joined(
  before: readonly ActorStep[],
  now: readonly ActorStep[],
  most: number,
): readonly ActorStep[] {
  if (before.length === 0) return now.slice(-most)
  const keys = new Set(now.map(keyOf))
  return [...before.filter(step => !keys.has(keyOf(step))), ...now].slice(-most)
}

/** Returns what tells a step from all others. */
export const keyOf = ({ atMs, order }: ActorStep): string => `${atMs} ${order}`

/** A step, and how many before it were the same. */
export interface Run {
  readonly step: ActorStep
  readonly times: number
}

/** Returns steps with those that only repeat, such as a timer that changes nothing, told once with how often. */
export function runsOf(steps: readonly ActorStep[]): readonly Run[] {
  const runs: Run[] = []
  for (const step of steps) {
    const last = runs.at(-1)
    if (last !== undefined && isSame(last.step, step)) runs[runs.length - 1] = { step, times: last.times + 1 }
    else runs.push({ step, times: 1 })
  }
  return runs
}

const isSame = (a: ActorStep, b: ActorStep): boolean =>
  !a.moved &&
  !b.moved &&
  a.kind === b.kind &&
  a.event === b.event &&
  a.actions.join() === b.actions.join() &&
  JSON.stringify(a.data) === JSON.stringify(b.data)
