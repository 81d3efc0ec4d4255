/** What `boson` exits with, so that scripts can tell what happened. `boson --help` lists them. */
export const EXIT = {
  ok: 0,
  /** Something went wrong that the message explains, or a check of `boson doctor` failed. */
  failed: 1,
  /** The command line, the environment or the configuration file is not right. */
  usage: 2,
  /** The coordinator does not answer. */
  unreachable: 3,
  /** The coordinator answered and refuses: token, enrolment key or proof of key possession. */
  refused: 4,
  /** Somebody else holds the port, the data directory or the interface. */
  inUse: 5,
  /** A program or a right is missing on this machine; the message says which. */
  unable: 6,
  /** Time was up before it was done. */
  timeUp: 7,
  /** A node was asked to end so that its supervisor starts it again; what it took from the machine stays until then. */
  restart: 8,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** An error whose message is all that a person needs: printed without a stack, then the process exits. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly code: string
  readonly exitCode: ExitCode

  constructor(code: string, message: string, exitCode: ExitCode = EXIT.failed) {
    super(message)
    this.code = code
    this.exitCode = exitCode
  }
}
