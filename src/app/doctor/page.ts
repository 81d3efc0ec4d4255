/** What `boson doctor` prints: a line for each finding, and what to make of them all. */
import type { Finding, Verdict } from './check.js'

const WIDEST: number = 'warning'.length

/** Returns the page for a terminal. */
export function doctorPage(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length))
  const lines = findings.map(
    ({ check, verdict, found, advice }) =>
      `${verdict.padEnd(WIDEST)}  ${check.padEnd(width)}  ${found}${advice === null ? '' : ` → ${advice}`}`,
  )
  return [...lines, '', summary(findings)].join('\n')
}

function summary(findings: readonly Finding[]): string {
  const count = (verdict: Verdict) => findings.filter(one => one.verdict === verdict).length
  const [bad, doubtful] = [count('failed'), count('warning')]
  if (bad + doubtful === 0) return 'everything that was looked at is ok'
  return `${bad} failed, ${doubtful} ${doubtful === 1 ? 'warning' : 'warnings'}, ${count('ok')} ok`
}
