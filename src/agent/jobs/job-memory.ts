/**
 * What a node remembers of its jobs, so that nothing is done twice: in memory, or in a file that a restart of the
 * process finds.
 */
import { readPrivate, writePrivate } from '../private-file.js'

/** A job as it is remembered. */
export interface KnownJob {
  readonly jobId: number
  /** When it was ordered, ms since 1970 UTC; with the id it names the job for ever. */
  readonly orderedAtMs: number
  readonly kind: string
  readonly state: 'begun' | 'done' | 'failed'
  readonly result: unknown
  /** When it is wanted no more, ms since 1970 UTC: nobody asks for it after that. */
  readonly untilMs: number
}

export interface JobMemory {
  /** Returns what was saved last; may throw. */
  load(): readonly KnownJob[]
  /** Returns when a kill of the process does not lose it; may throw. */
  save(jobs: readonly KnownJob[]): void
}

/** Returns a memory that lasts as long as the process. */
export function volatileJobs(): JobMemory {
  let held: readonly KnownJob[] = []
  return {
    load: () => held,
    save: jobs => {
      held = jobs
    },
  }
}

/** Returns a memory in a file. One that cannot be read as jobs is as good as none. */
export const jobFile = (path: string): JobMemory => ({
  load() {
    const text = readPrivate(path)
    return text === null ? [] : parse(text)
  },
  save: jobs => writePrivate(path, `${JSON.stringify(jobs)}\n`),
})

function parse(text: string): readonly KnownJob[] {
  try {
    const found: unknown = JSON.parse(text)
    return Array.isArray(found) ? found.filter(isKnown) : []
  } catch {
    return []
  }
}

const STATES: readonly unknown[] = ['begun', 'done', 'failed']

function isKnown(value: unknown): value is KnownJob {
  if (typeof value !== 'object' || value === null) return false
  const { jobId, orderedAtMs, kind, state, untilMs } = value as Partial<KnownJob> // checked here
  return (
    [jobId, orderedAtMs, untilMs].every(figure => Number.isSafeInteger(figure)) &&
    typeof kind === 'string' &&
    STATES.includes(state)
  )
}
