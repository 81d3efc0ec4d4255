/**
 * The directory of an agent's key, session and ledger: for its owner only, and for one process at a time. Two
 * agents that shared a ledger would take down each other's interfaces.
 */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommandError, EXIT } from './exit-codes.js'

export interface StateDir {
  readonly path: string
  /** Lets another process have it. */
  release(): void
}

/** Makes the directory where needed and takes it; throws a CommandError when another process has it. */
export function takeStateDir(path: string): StateDir {
  const lock = join(path, 'lock')
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    chmodSync(path, 0o700)
  } catch (error) {
    throw new CommandError(
      'STATE_DIR',
      `${path}: cannot be used as state directory (${messageOf(error)}); choose another with --state-dir`,
      EXIT.unable,
    )
  }
  const holder = readHolder(lock)
  if (holder !== null && holder !== self() && isAlive(holder))
    throw new CommandError(
      'STATE_DIR_IN_USE',
      `${path} is in use by process ${holder.split(' ')[0]}; end it, or choose another --id or --state-dir`,
      EXIT.inUse,
    )
  writeFileSync(lock, self(), { mode: 0o600 })
  return { path, release: () => rmSync(lock, { force: true }) }
}

/** A process is its number and when it started: numbers are used again. */
const self = (): string => `${process.pid} ${startOf(process.pid)}`

function isAlive(holder: string): boolean {
  const pid = Number(holder.split(' ')[0])
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return `${pid} ${startOf(pid)}` === holder
}

function readHolder(lock: string): string | null {
  try {
    return readFileSync(lock, 'utf8')
  } catch {
    return null
  }
}

/** Clock ticks from the machine's boot to the start of the process: the 22nd field of its stat line. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field is the program's name in parentheses, and may have spaces.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
