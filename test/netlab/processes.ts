/** The real programs, each in its namespace: `boson server`, `boson node`, `boson client`, and a ping that runs on. */
import { once } from 'node:events'
import { execFileSync, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type IncomingMessage, request as ask } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { PATIENCE_MS, until } from '../support/until.js'
import { LabError } from './lab-error.js'
import { COORDINATOR, type Namespace } from './namespaces.js'
import { NODE } from '../support/node.js'

const BOSON = new URL('../../../bin/boson', import.meta.url).pathname
const DOORWAY = new URL('./doorway.js', import.meta.url).pathname
/** Some networks let nothing else out. */
const PORT = '80'
export const SERVER_URL = `ws://${COORDINATOR}`

/** A program that was started, what it printed, and how it ended. */
export class Program {
  /** What it is called when it fails. */
  readonly name: string
  readonly process: ChildProcess
  out = ''
  err = ''

  constructor(name: string, process: ChildProcess) {
    this.name = name
    this.process = process
    process.stdout?.setEncoding('utf8').on('data', (text: string) => (this.out += text))
    process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.err += text))
  }

  /** How it ended; null while it runs. */
  get ended(): string | null {
    const { exitCode, signalCode } = this.process
    if (exitCode === null && signalCode === null) return null
    return `ended ${signalCode === null ? `with ${exitCode}` : `by ${signalCode}`}`
  }

  /** Resolves to the last line that is an object with `name` in it. */
  prints<T = object>(name: string): Promise<T> {
    return this.comesTo(`${name} on the standard output`, () => {
      const lines = this.out.split('\n').filter(line => line.includes(`"${name}"`))
      const last = lines.at(-1)
      return last !== undefined && (JSON.parse(last) as T & object) // each line is an object
    })
  }

  /** As `until`, for what this program does; rejects as soon as it has ended, with its last words. */
  async comesTo<T>(what: string, held: () => T | Promise<T>, withinMs = PATIENCE_MS) {
    try {
      return await until(
        what,
        async () => {
          const { ended } = this
          const value = await held()
          if (!value && ended !== null) throw new Error(`${ended} before: ${what}`)
          return value
        },
        withinMs,
      )
    } catch (error) {
      throw new LabError(`${this.name}: ${(error as Error).message}`, `${this.err}${this.out}`)
    }
  }

  /** Ends it with `signal` and waits; resolves to its exit code, null when the signal ended it. */
  async end(signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    if (this.ended !== null) return this.process.exitCode
    const ended = once(this.process, 'exit')
    this.process.kill(signal)
    await ended
    return this.process.exitCode
  }
}

export interface Asked {
  /** null: nobody's. */
  readonly token?: string | null
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON. */
  readonly body?: object | string
}

/** `boson server` with short beats, on a data directory that outlives it. */
export class Coordinator {
  readonly #space: Namespace
  readonly #env: NodeJS.ProcessEnv
  #program: Program | null = null
  readonly #dataDir: string
  #doorway: Promise<void> | null = null

  constructor(space: Namespace, dataDir: string, env: NodeJS.ProcessEnv = {}) {
    this.#space = space
    this.#dataDir = dataDir
    this.#env = {
      BOSON_DATA_DIR: dataDir,
      BOSON_BEAT_EVERY_MS: '500',
      BOSON_RESTART_SPREAD_MS: '200',
      HOST: '0.0.0.0',
      PORT,
      LOG_LEVEL: 'warn',
      ...env,
    }
  }

  /** What it said so far. */
  get said(): string {
    return `${this.#program?.out ?? ''}${this.#program?.err ?? ''}`
  }

  async start(): Promise<void> {
    const [program, ...args] = NODE
    const process_ = this.#space.spawn(program, [...args, BOSON, 'server'], { env: this.#env })
    this.#program = new Program('boson server', process_)
    await this.#program.comesTo(
      'it listens',
      async () => (await this.#space.run('ss', '-Hltn', `sport = :${PORT}`)) !== '',
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
    const printed = await this.boson('enrol', '--uses', 'any', '--json')
    return (JSON.parse(printed) as { secret: string }).secret // what `boson enrol --json` prints
  }

  /** Resolves with what a command of the operator's prints; rejects when it does not end well. */
  boson(...command: readonly string[]): Promise<string> {
    const directory = `BOSON_DATA_DIR=${this.#dataDir}`
    const server = ['--server', `http://${COORDINATOR}`]
    return this.#space.run('env', directory, process.execPath, BOSON, ...command, ...server)
  }

  /** Gets something of the operator's interface; resolves to undefined when it is not there. */
  async ask<T>(path: string): Promise<T | undefined> {
    await (this.#doorway ??= this.#openDoorway())
    const { status, body } = await this.#get(path)
    if (status === 404) return undefined
    if (status !== 200) throw new LabError(`GET ${path}: ${status}`, `${body}\n${this.said.slice(-2_000)}`)
    return JSON.parse(body) as T // whoever asks knows what is answered there
  }

  /** Asks something of the interface; as the operator, unless `token` says otherwise. Resolves with what is answered. */
  async request<T>(method: string, path: string, asked: Asked = {}): Promise<T> {
    await (this.#doorway ??= this.#openDoorway())
    const { status, body } = await this.#send(method, path, asked)
    if (status >= 300)
      throw new LabError(`${method} ${path}: ${status}`, `${body}\n${this.said.slice(-2_000)}`)
    return JSON.parse(body) as T // whoever asks knows what is answered there
  }

  #get(path: string): Promise<{ status: number; body: string }> {
    return this.#send('GET', path)
  }

  async #send(method: string, path: string, asked: Asked = {}): Promise<{ status: number; body: string }> {
    const { token = this.#token(), headers = {}, body } = asked
    const request = ask({
      socketPath: this.#door,
      method,
      path,
      headers: {
        ...headers,
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      // A connection each: one that is kept may be closed at the other end just when it is used again.
      agent: false,
    })
    request.end(typeof body === 'object' ? JSON.stringify(body) : body)
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    return { status: response.statusCode ?? 0, body: await text(response) }
  }

  #token(): string {
    return readFileSync(join(this.#dataDir, 'secret-token'), 'utf8').trim()
  }

  get #door(): string {
    return `${this.#dataDir}.sock`
  }

  async #openDoorway(): Promise<void> {
    const args = [DOORWAY, this.#door, COORDINATOR, PORT]
    const doorway = new Program('doorway', this.#space.spawn(process.execPath, args))
    await doorway.comesTo('it is open', () =>
      this.#get('/health/live').then(
        () => true,
        () => false,
      ),
    )
  }
}

/** A line of `boson node --json` or `boson client --json`. */
interface Line {
  readonly state: string
  readonly reason: string | null
  readonly refused: string | null
  readonly interface: string
  readonly address: string | null
  readonly address6: string | null
  readonly node?: string | null
  readonly nodeAddress?: string | null
  readonly nodeAddress6?: string | null
  readonly path?: string | null
  readonly via?: string | null
}

/** `boson node` or `boson client`. */
export class Agent extends Program {
  get lines(): readonly Line[] {
    const whole = this.out.slice(0, this.out.lastIndexOf('\n') + 1)
    return whole.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line) as Line])) // each is an object
  }

  /** Waits for a line that is so, from the newest on. */
  says(what: string, holds: (line: Line) => boolean): Promise<Line> {
    return this.comesTo(what, () => {
      const newest = this.lines.at(-1)
      return newest !== undefined && holds(newest) ? newest : null
    })
  }
}

/** Starts `boson ROLE` with the options given. */
export function startAgent(space: Namespace, role: 'node' | 'client', ...options: readonly string[]): Agent {
  const args = [BOSON, role, '--server', SERVER_URL, '--json', ...options]
  return new Agent(`boson ${role} in ${space.id}`, space.spawn(process.execPath, args))
}

interface Reply {
  /** Counts the packets from 1. */
  readonly seq: number
  /** When it came, s since 1970. */
  readonly atS: number
  /** Round trip, ms. */
  readonly rttMs: number
}

/** A ping that runs on, twenty times a second unless told otherwise. */
export class Pinging {
  readonly #program: Program

  constructor(space: Namespace, address: string, everyS = 0.05) {
    const process_ = space.spawn('ping', ['-n', '-D', '-i', String(everyS), address])
    this.#program = new Program(`ping in ${space.id}`, process_)
  }

  /** What came back so far, as it came. */
  get replies(): readonly Reply[] {
    return [...this.#program.out.matchAll(REPLY)].map(([, at, seq, rtt]) => ({
      seq: Number(seq),
      atS: Number(at),
      rttMs: Number(rtt),
    }))
  }

  /** Waits until replies have come for a while after `sinceS`; resolves to when they began to. */
  async flows(sinceS: number): Promise<number> {
    const since = await this.#program.comesTo('it flows', () => {
      const after = this.replies.filter(each => each.atS > sinceS)
      return after.length >= 10 && after
    })
    return since[0]?.atS ?? sinceS
  }

  /** Waits for the first reply. */
  first(): Promise<Reply> {
    return this.#program.comesTo('its first reply', () => this.replies[0])
  }

  /** Returns how many were sent after the reply `from`, up to the newest reply, and how many of them are missing. */
  count(from = 0): { readonly sent: number; readonly lost: number } {
    const seen = new Set(this.replies.map(each => each.seq).filter(seq => seq > from))
    const sent = Math.max(from, ...seen) - from
    return { sent, lost: sent - seen.size }
  }

  /** Returns between which replies packets are missing. */
  gaps(): readonly { readonly after: Reply; readonly before: Reply }[] {
    const inOrder = this.replies.toSorted((a, b) => a.seq - b.seq)
    return inOrder.slice(1).flatMap((before, i) => {
      const after = inOrder[i]
      return after !== undefined && before.seq > after.seq + 1 ? [{ after, before }] : []
    })
  }

  /** Ends it; returns the longest time without a reply, ms. */
  async end(): Promise<number> {
    await this.#program.end('SIGINT')
    const times = this.replies.map(each => each.atS)
    return Math.max(...times.slice(1).map((at, i) => (at - (times[i] ?? at)) * 1_000))
  }
}

const REPLY = /^\[(\d+\.\d+)\] \d+ bytes from .* icmp_seq=(\d+) .*time=([\d.]+) ms$/gm

/** Returns the process of wireguard-go that holds an interface; null when there is none. */
export function wireguardGo(iface: string): number | null {
  try {
    return Number(execFileSync('pgrep', ['-f', `^wireguard-go -f ${iface}$`], { encoding: 'utf8' }))
  } catch {
    return null
  }
}

/** Kills the wireguard-go that holds an interface; returns which process it was. */
export function killWireguardGo(iface: string): number {
  const pid = wireguardGo(iface)
  // Number 0 would be this process and all of its group.
  if (pid === null || pid === 0) throw new LabError(`wanted a wireguard-go that holds ${iface}`, '')
  process.kill(pid, 'SIGKILL')
  return pid
}
