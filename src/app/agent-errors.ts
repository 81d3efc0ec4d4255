/** What an agent's errors are to whoever started it: a message, and an exit code that a script can tell apart. */
import { AgentError, RefusedError, RouteRefusedError } from '../agent/index.js'
import { SystemError } from '../agent/system/errors.js'
import { CommandError, EXIT, type ExitCode } from './exit-codes.js'

const EXIT_OF: Readonly<Record<SystemError['code'], ExitCode>> = {
  tool_missing: EXIT.unable,
  not_permitted: EXIT.unable,
  command_failed: EXIT.failed,
  command_timed_out: EXIT.failed,
  bad_address: EXIT.failed,
  taken: EXIT.inUse,
}

/** Returns the error as the command line reports it; one that is our own fault stays as it is. */
export function asCommandError(error: unknown): unknown {
  if (error instanceof SystemError) return new CommandError(error.code, error.message, EXIT_OF[error.code])
  if (error instanceof RefusedError || error instanceof RouteRefusedError)
    return new CommandError(error.code, error.message, EXIT.refused)
  if (error instanceof AgentError) return new CommandError(error.code, error.message, EXIT.usage)
  return error
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
