/**
 * What a check finds, and how all of them run: at once, each within its time, and one that fails itself says so
 * instead of hiding the others.
 */
import type { Clock } from '../../kit/clock.js'

/** `warning`: it works now, and should be seen to. `failed`: something will not work. */
export type Verdict = 'ok' | 'warning' | 'failed'

export interface Finding {
  /** What was looked at: `http port`, `database`. */
  readonly check: string
  readonly verdict: Verdict
  readonly found: string
  /** What to do; null when there is nothing to do. */
  readonly advice: string | null
}

export interface Check {
  readonly name: string
  readonly look: () => readonly Finding[] | Promise<readonly Finding[]>
}

/** How long any check may take, ms: a person waits for the slowest. What is asked of others ends sooner, and fails. */
export const PATIENCE_MS = 5_000

export const ok = (check: string, found: string): Finding => ({ check, verdict: 'ok', found, advice: null })

export const warning = (check: string, found: string, advice: string): Finding => ({
  check,
  verdict: 'warning',
  found,
  advice,
})

export const failed = (check: string, found: string, advice: string): Finding => ({
  check,
  verdict: 'failed',
  found,
  advice,
})

/** Runs all checks at once; resolves with what they found, in their order, at the latest after `patienceMs`. */
export async function runChecks(
  checks: readonly Check[],
  clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>,
  patienceMs = PATIENCE_MS,
): Promise<readonly Finding[]> {
  return (await Promise.all(checks.map(check => within(check, clock, patienceMs)))).flat()
}

async function within(
  { name, look }: Check,
  clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>,
  patienceMs: number,
): Promise<readonly Finding[]> {
  let timer: ReturnType<Clock['setTimeout']> | undefined
  const late = new Promise<readonly Finding[]>(resolve => {
    timer = clock.setTimeout(
      () =>
        resolve([
          warning(
            name,
            `could not be told within ${patienceMs / 1000} s`,
            'see whether this machine is overloaded',
          ),
        ]),
      patienceMs,
    )
  })
  try {
    return await Promise.race([Promise.resolve().then(look), late])
  } catch (error) {
    return [
      failed(
        name,
        `could not be looked at: ${reasonOf(error)}`,
        'this is a fault of the check; please report it',
      ),
    ]
  } finally {
    clock.clearTimeout(timer)
  }
}

/** Returns why something did not work, in few words: the system's code, or the first line of the message. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return String(cause)
  const [line = ''] = cause.message.split('\n')
  // An attempt at several addresses has a code and no words.
  return line === '' && 'code' in cause ? String(cause.code) : line
}
