/** The real programs, each in its namespace: `boson server`, `boson node`, `boson client`, and a ping that runs on. */
import { once } from 'node:events'
import { execFileSync, type ChildProcess } from 'node:child_process'
import { until } from '../support/until.js'
import type { Namespace } from './namespaces.js'
import { COORDINATOR } from './star.js'

const BOSON = new URL('../../../bin/boson', import.meta.url).pathname
const PORT = '3000'
export const SERVER_URL = `ws://${COORDINATOR}:${PORT}`

/** A program that was started, what it printed, and how it ended. */
export class Program {
  readonly process: ChildProcess
  out = ''
  err = ''

  constructor(process: ChildProcess) {
    this.process = process
    process.stdout?.setEncoding('utf8').on('data', (text: string) => (this.out += text))
    process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.err += text))
  }

  /** Ends it with `signal` and waits; resolves to its exit code, null when the signal ended it. */
  async end(signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return this.process.exitCode
    const ended = once(this.process, 'exit')
    this.process.kill(signal)
    await ended
    return this.process.exitCode
  }
}

/** `boson server` with short beats, on a data directory that outlives it. */
export class Coordinator {
  readonly #space: Namespace
  readonly #env: NodeJS.ProcessEnv
  #program: Program | null = null

  constructor(space: Namespace, dataDir: string) {
    this.#space = space
    this.#env = {
      BOSON_DATA_DIR: dataDir,
      BOSON_BEAT_EVERY_MS: '500',
      BOSON_RESTART_SPREAD_MS: '200',
      HOST: '0.0.0.0',
      PORT,
      LOG_LEVEL: 'warn',
    }
  }

  async start(): Promise<void> {
    const process_ = this.#space.spawn(process.execPath, [BOSON, 'server'], { env: this.#env })
    const program = new Program(process_)
    this.#program = program
    await until(
      'the coordinator listens',
      async () => {
        if (process_.exitCode !== null) throw new Error(`boson server ended:\n${program.err}${program.out}`)
        return (await this.#space.run('ss', '-Hltn', `sport = :${PORT}`)) !== ''
      },
      30_000,
    )
  }

  /** Returns how long the coordinator was away, ms. */
  async restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<number> {
    await this.#program?.end(signal)
    const gone = performance.now()
    await this.start()
    return performance.now() - gone
  }

  /** Returns an enrolment key that can be used any number of times. */
  async enrol(): Promise<string> {
    const directory = `BOSON_DATA_DIR=${this.#env['BOSON_DATA_DIR']}`
    const enrol = [process.execPath, BOSON, 'enrol', '--uses', 'any', '--json']
    const printed = await this.#space.run('env', directory, ...enrol)
    return (JSON.parse(printed) as { secret: string }).secret // what `boson enrol --json` prints
  }
}

/** A line of `boson node --json` or `boson client --json`. */
interface Line {
  readonly state: string
  readonly interface: string
  readonly address: string | null
  readonly address6: string | null
  readonly node?: string | null
  readonly nodeAddress?: string | null
  readonly nodeAddress6?: string | null
  readonly path?: string | null
}

/** `boson node` or `boson client`. */
export class Agent extends Program {
  get lines(): readonly Line[] {
    const whole = this.out.slice(0, this.out.lastIndexOf('\n') + 1)
    return whole.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line) as Line])) // each is an object
  }

  /** Waits for a line that is so, from the newest on. */
  async says(what: string, holds: (line: Line) => boolean): Promise<Line> {
    return until(
      what,
      () => {
        if (this.process.exitCode !== null) throw new Error(`it ended before: ${what}\n${this.err}`)
        const newest = this.lines.at(-1)
        return newest !== undefined && holds(newest) ? newest : null
      },
      20_000,
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.out}${this.err}`)
    })
  }
}

/** Starts `boson ROLE` with the options given. */
export function startAgent(space: Namespace, role: 'node' | 'client', ...options: readonly string[]): Agent {
  return new Agent(space.spawn(process.execPath, [BOSON, role, '--server', SERVER_URL, '--json', ...options]))
}

/** A ping that runs on, twenty times a second. */
export class Pinging {
  readonly #program: Program

  constructor(space: Namespace, address: string) {
    this.#program = new Program(space.spawn('ping', ['-n', '-D', '-i', '0.05', address]))
  }

  /** When each reply came, s since 1970. */
  get replies(): readonly number[] {
    return [...this.#program.out.matchAll(/^\[(\d+\.\d+)\] \d+ bytes from/gm)].map(each => Number(each[1]))
  }

  /** Waits until replies have come for a while after `sinceS`. */
  async flows(sinceS: number): Promise<void> {
    await until('the ping flows', () => this.replies.filter(at => at > sinceS).length >= 10, 30_000)
  }

  /** Ends it; returns the longest time without a reply, ms. */
  async end(): Promise<number> {
    await this.#program.end('SIGINT')
    const { replies } = this
    return Math.max(...replies.slice(1).map((at, i) => (at - (replies[i] ?? at)) * 1_000))
  }
}

/** Returns the process of wireguard-go that holds an interface; 0 when there is none. */
export function wireguardGo(iface: string): number {
  try {
    return Number(execFileSync('pgrep', ['-f', `^wireguard-go -f ${iface}$`], { encoding: 'utf8' }))
  } catch {
    return 0
  }
}
