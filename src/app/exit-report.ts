/** What an error is to whoever typed the command: a line, and an exit code. */
import { CommanderError } from 'commander'
import { BadCertificate, ListenFailed } from '../edge/errors.js'
import { BadOverlay, DataDirLocked, StoreUnavailable } from '../store/errors.js'
import { DatabaseInUse, PgProgramMissing } from '../store/backup/errors.js'
import { CommandError, EXIT, type ExitCode } from './exit-codes.js'

/** Returns the code to exit with. */
export function exitCodeOf(error: unknown): ExitCode {
  // `--help` ends as an error of commander's with the code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof CommandError) return error.exitCode
  if (error instanceof PgProgramMissing) return EXIT.unable
  if (error instanceof DatabaseInUse) return EXIT.inUse
  if (error instanceof DataDirLocked || error instanceof ListenFailed) return EXIT.inUse
  if (error instanceof BadCertificate || error instanceof BadOverlay) return EXIT.usage
  if (error instanceof StoreUnavailable) return EXIT.unreachable
  return EXIT.failed
}

/** Returns what to print: the message of an error that says enough, the stack of one that is our fault. */
export function reportOf(error: unknown): string {
  if (!(error instanceof Error)) return `boson: ${String(error)}`
  const ours = !('code' in error) || typeof error.code !== 'string'
  return `boson: ${ours ? (error.stack ?? error.message) : error.message}`
}

export const EXIT_CODES_HELP = `
Exit codes: ${Object.entries(EXIT)
  .map(([name, code]) => `${code} ${name}`)
  .join(', ')}`
