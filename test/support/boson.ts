/** The `boson` command as it is installed, run as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { type AddressInfo, createServer } from 'node:net'
import { resolve } from 'node:path'
import type { Test } from 'tap'
import { until } from './until.js'
import { NODE } from './node.js'

const BOSON = resolve(import.meta.dirname, '../../../bin/boson')
/** Without the test runner's own loaders, which a command on someone's machine has not either. */
const AS_INSTALLED = ['-u', 'NODE_OPTIONS', ...NODE, BOSON]

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CommandOptions {
  /** An empty directory of its own when absent. */
  readonly cwd?: string
  /** Nothing of our own environment but the path comes along. */
  readonly env?: Readonly<Record<string, string>>
  /** What comes in on its standard input. */
  readonly input?: string
}

/** Returns `boson` in a directory of its own. */
export function commandIn(t: Test, { cwd = t.testdir(), env = {}, input = '' }: CommandOptions = {}) {
  const run = (...args: string[]): Promise<Ended> =>
    new Promise((ended, failed) => {
      const child = start(t, args, { cwd, env })
      let [stdout, stderr] = ['', '']
      child.stdout?.on('data', piece => (stdout += String(piece)))
      child.stderr?.on('data', piece => (stderr += String(piece)))
      child.stdin?.end(input)
      child.on('error', failed)
      child.on('close', code => ended({ code, stdout, stderr }))
    })
  return Object.assign(run, { cwd })
}

export interface Server {
  readonly port: number
  /** Everything it has said so far. */
  said(): string
  signal(name: NodeJS.Signals): void
  /** Sends a signal; resolves with the exit code, null when the signal ended it. */
  end(name: NodeJS.Signals): Promise<number | null>
}

/** Starts `boson server`; resolves when it listens. */
export async function startServer(
  t: Test,
  { cwd = t.testdir(), env = {} }: CommandOptions = {},
): Promise<Server> {
  const child = start(t, ['server'], { cwd, env: { PORT: '0', TURN_LISTENING_PORT: '0', ...env } })
  let said = ''
  child.stdout?.on('data', piece => (said += String(piece)))
  child.stderr?.on('data', piece => (said += String(piece)))
  const exited = new Promise<number | null>(resolved => child.on('exit', resolved))
  const [, port] = await until('the server listens', () => /"port":(\d+),.*"msg":"listening"/.exec(said))
  return {
    port: Number(port),
    said: () => said,
    signal: name => void child.kill(name),
    end: name => {
      child.kill(name)
      return exited
    },
  }
}

/** Returns a port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await new Promise(resolved => probe.once('listening', resolved))
  const { port } = probe.address() as AddressInfo // it listens
  await new Promise(resolved => probe.close(resolved))
  return port
}

/** Starts the command; whoever starts it reads what it says, and ends it before the test does. */
export function start(
  t: Test,
  args: readonly string[],
  { cwd, env }: Required<Pick<CommandOptions, 'cwd' | 'env'>>,
): ChildProcess {
  const child = spawn('env', [...AS_INSTALLED, ...args], { cwd, env: { PATH: process.env['PATH'], ...env } })
  t.teardown(() => child.kill('SIGKILL'))
  return child
}
