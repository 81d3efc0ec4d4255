/** What can go wrong between the agent and the machine it runs on. */

export type SystemErrorCode =
  /** A program is not installed. */
  | 'tool_missing'
  /** The kernel or the file system says no: not root, or a capability is missing. */
  | 'not_permitted'
  | 'command_failed'
  | 'command_timed_out'
  /** An address from outside is none. */
  | 'bad_address'
  /** What was wanted belongs to someone else on this machine. */
  | 'taken'

/** Says what was tried and, where there is something to do, what to do. */
export class SystemError extends Error {
  override readonly name = 'SystemError'
  readonly code: SystemErrorCode

  constructor(code: SystemErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
