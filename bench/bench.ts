/** What a bench is: named cases, each of which measures us beside a limit. */
import type { Figure } from './report.js'

export interface Settings {
  /** Rounds of each case; medians are taken over them. */
  readonly rounds: number
  /** Short runs and small numbers: to see that a bench works, not to quote. */
  readonly quick: boolean
  /** Where progress goes. */
  readonly say: (text: string) => void
}

/** `met` is false when a condition beside the ratio is not kept. */
export type Result = Omit<Figure, 'bench' | 'case'>

export interface Case {
  readonly name: string
  readonly about: string
  measure(settings: Settings): Promise<Result>
}

export interface Bench {
  readonly name: string
  readonly about: string
  readonly cases: readonly Case[]
}

/** This machine, or what was built so far, lacks what a case measures: it is left out, with the reason. */
export class UnableError extends Error {
  readonly code = 'UNABLE'
}
