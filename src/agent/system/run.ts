/**
 * The one place where the agent runs other programs: no shell, a time limit, no secret among the arguments,
 * and errors that say what to install or which right is missing.
 */
import { execFile } from 'node:child_process'
import { SystemError } from './errors.js'

export interface RunOptions {
  /** Written to the program's standard input. */
  readonly stdin?: string
  /** The program is killed after this long, ms; a netlink request takes a few. */
  readonly timeoutMs?: number
}

/** Runs a program and resolves to what it printed; rejects with a `SystemError`. */
export type Run = (command: string, args: readonly string[], options?: RunOptions) => Promise<string>

export const run: Run = (command, args, { stdin = '', timeoutMs = 5_000 } = {}) =>
  new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      { timeout: timeoutMs, killSignal: 'SIGKILL', env: toolEnvironment() },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else reject(explain(command, args, error, stderr, timeoutMs))
      },
    )
    // A program that ends without reading breaks the pipe; how it ended is told above.
    child.stdin?.on('error', () => {})
    child.stdin?.end(stdin)
  })

/** Returns the environment for system tools: their usual folders, and messages in English. */
export const toolEnvironment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  // An empty PATH must not become an empty element, which means the working directory.
  PATH: `${process.env['PATH'] || '/usr/bin'}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`,
  LC_ALL: 'C',
})

/** Where the tools come from, by the name most distributions use. */
const PACKAGES: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  nft: 'nftables',
  wg: 'wireguard-tools',
  'wireguard-go': 'wireguard-go',
}

/** Returns the error for a tool that is not there. */
export function toolMissing(command: string): SystemError {
  const name = PACKAGES[command] ?? command
  return new SystemError(
    'tool_missing',
    `${command} is not installed: install the package ${name} (apt install ${name})`,
  )
}

function explain(
  command: string,
  args: readonly string[],
  error: Error & { code?: unknown; killed?: boolean },
  stderr: string,
  timeoutMs: number,
): SystemError {
  const spelled = [command, ...args].join(' ')
  if (error.code === 'ENOENT') return toolMissing(command)
  if (error.killed === true)
    return new SystemError('command_timed_out', `${spelled}: no answer within ${timeoutMs} ms`)
  const said = stderr.trim().split('\n').slice(-2).join('; ') || error.message
  if (/not permitted|permission denied|must be root/i.test(said))
    return new SystemError(
      'not_permitted',
      `${spelled}: ${said}; run as root, or give the process the capability CAP_NET_ADMIN`,
    )
  return new SystemError('command_failed', `${spelled}: ${said}`)
}
