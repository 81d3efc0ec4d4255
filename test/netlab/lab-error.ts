/** What went wrong in a lab: one line that names it, and what was said, which the test's report shows below. */

/** Characters at the end of all that was said that are enough to see why. */
const SAID_MAX = 2_000

export class LabError extends Error {
  override readonly name = 'LabError'
  /** The last words of the programs concerned. */
  readonly said: string
  /** What the program ended with, where one did. Not `code`: the test runner takes numbers there for no error. */
  readonly exitCode: unknown

  constructor(message: string, said: string, exitCode: unknown = null) {
    super(`${message}${lastLine(said)}`)
    this.said = said.slice(-SAID_MAX)
    this.exitCode = exitCode
  }
}

/** The last line that people wrote, which most often says why: agents print an object for each change. */
function lastLine(said: string): string {
  const line = said.split('\n').findLast(each => each.trim() !== '' && !each.startsWith('{'))
  return line === undefined ? '' : `: ${line.trim().slice(0, 200)}`
}
