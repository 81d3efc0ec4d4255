/**
 * What every server of a bench does besides serving: says where it listens, answers questions on stdin,
 * one line each, and ends when its parent does.
 */
import { PerformanceObserver } from 'node:perf_hooks'
import { createInterface } from 'node:readline'

export interface Usage {
  readonly cpuMicros: number
  readonly rssBytes: number
  readonly heapBytes: number
  /** The longest garbage collection since the start or the last `reset`, ms. */
  readonly longestGcMs: number
}

/** Says that the server listens, and answers `usage`, `collect` (usage after a full collection) and `reset`. */
export function attend(port: number, more: Readonly<Record<string, () => unknown>> = {}): void {
  let longestGcMs = 0
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) longestGcMs = Math.max(longestGcMs, entry.duration)
  }).observe({ entryTypes: ['gc'] })

  const usage = (): Usage => {
    const cpu = process.cpuUsage()
    const memory = process.memoryUsage()
    return {
      cpuMicros: cpu.user + cpu.system,
      rssBytes: memory.rss,
      heapBytes: memory.heapUsed + memory.external,
      longestGcMs,
    }
  }
  const answers: Readonly<Record<string, () => unknown>> = {
    usage,
    collect: () => {
      for (let i = 0; i < 3; i++) globalThis.gc?.() // what finalizers free takes another round
      return usage()
    },
    reset: () => {
      longestGcMs = 0
      return null
    },
    ...more,
  }
  const answer = async (question: string) => (await answers[question]?.()) ?? null
  createInterface({ input: process.stdin })
    .on('line', line => void answer(line).then(it => process.stdout.write(`${JSON.stringify(it)}\n`)))
    .on('close', () => process.exit(0))
  process.stdout.write(`${JSON.stringify({ port })}\n`)
}
