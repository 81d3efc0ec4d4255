/** The processes that a bench starts: a server on one core, a load generator on the other, and none left behind. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Usage } from './servers/control.js'

/** Server and generator each have a core, where the machine has two and can say so. */
const CAN_PIN = availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0
export const SERVER_CORE = 0
export const CLIENT_CORE = 1

const running = new Set<ChildProcess>()
const endAll = () => {
  for (const child of running) child.kill('SIGKILL')
}
process.once('exit', endAll)
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.once(signal, () => process.exit(code))
}

/** Starts a program on a core, with pipes for all three streams. Its stderr comes out when it fails. */
export function startOn(core: number, command: string, args: readonly string[]): Child {
  const child = CAN_PIN ? spawn('taskset', ['-c', String(core), command, ...args]) : spawn(command, [...args])
  running.add(child)
  let complaint = ''
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (complaint = (complaint + text).slice(-4_000)))
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      running.delete(child)
      if (code === 0) resolve()
      else
        reject(
          new Error(
            `${command.split('/').pop()} ${args[0] ?? ''} ended with ${signal ?? code}: ${complaint.trim()}`,
          ),
        )
    })
  })
  ended.catch(() => {}) // whoever asks the child something hears of it
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    pid: child.pid ?? 0,
    async line() {
      const next = await lines.next()
      if (!next.done) return next.value
      await ended
      throw new Error(
        `${command.split('/').pop()} ${args[0] ?? ''} ended before it answered ${complaint.trim()}`,
      )
    },
    say: text => void child.stdin.write(`${text}\n`),
    hush: () => void child.stdin.end(),
    async end() {
      child.stdin.end()
      const overdue = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await ended.finally(() => clearTimeout(overdue))
    },
  }
}

export interface Child {
  readonly pid: number
  /** Resolves with the next line of its stdout; rejects with what it said on stderr when it has failed. */
  line(): Promise<string>
  say(text: string): void
  /** Closes its stdin, and does not wait. */
  hush(): void
  /** Closes its stdin, which ends it, and waits. */
  end(): Promise<void>
}

export interface Server {
  readonly pid: number
  readonly port: number
  /** Asks for `usage`, `collect`, `reset` or what else the server answers. */
  ask<T = Usage>(question: string): Promise<T>
  end(): Promise<void>
}

let profiles: string | undefined

/** From now on every server leaves a CPU profile in `folder`. */
export function profileInto(folder: string): void {
  profiles = folder
}

/** Starts a server of `bench/servers`; resolves when it listens. */
export async function startServer(name: string, ...args: readonly string[]): Promise<Server> {
  const program = fileURLToPath(new URL(`./servers/${name}.js`, import.meta.url))
  const profiling = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`]
  const child = startOn(SERVER_CORE, process.execPath, ['--expose-gc', ...profiling, program, ...args])
  const { port } = JSON.parse(await child.line()) as { port: number } // `attend` writes it first
  return {
    pid: child.pid,
    port,
    async ask<T>(question: string) {
      child.say(question)
      return JSON.parse(await child.line()) as T // the server and its asker agree on the shape
    },
    end: () => child.end(),
  }
}
