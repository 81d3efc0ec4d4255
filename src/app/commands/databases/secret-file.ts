/** Files that commands read for what must not stand on a command line, which everybody on the machine can see. */
import { readFileSync } from 'node:fs'
import { CommandError, EXIT } from '../../exit-codes.js'

/** Returns what a file holds; `-` is standard input. Throws a CommandError. */
export function fileText(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (error) {
    throw usage(`${path}: cannot be read (${error instanceof Error ? error.message : String(error)})`)
  }
}

/** Returns a secret that is the first line of a file. */
export const firstLine = (text: string): string => text.split(/\r?\n/, 1)[0] ?? ''

export const usage = (message: string): CommandError => new CommandError('USAGE', message, EXIT.usage)
