/**
 * A coturn of our own: for more traffic than one core of ours carries. We write its configuration, start it, and
 * say when it ends, so that whoever keeps it starts another.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from '../kit/clock.js'
import type { Random } from '../kit/random.js'
import { checkSecrets } from './credentials.js'
import { type CoturnConfig, coturnConfig, safeRelays } from './coturn-config.js'
import { TurnError } from './errors.js'
import { iceServers, urlsOf } from './ice-servers.js'
import { probe } from './probe.js'
import {
  type IceServer,
  NO_STATS,
  type TurnEndpoints,
  type TurnHealth,
  type TurnService,
  type TurnStats,
} from './service.js'

export interface CoturnOptions extends Omit<CoturnConfig, 'pidFile'> {
  readonly clock: Clock
  readonly random: Random
  readonly program?: string
  /** Made with mode 0700; the configuration in it, which holds the secrets, with 0600. */
  readonly folder: string
  /** Name or address in URLs. */
  readonly host: string
  readonly credentialsTtlS?: number
  /** Hears each line that it prints. */
  readonly printed?: (line: string) => void
  /** Hears that it ended by itself, and its last words. */
  readonly ended?: (reason: string) => void
}

/** An hour: coturn cannot know when a session ends. */
const CREDENTIALS_TTL_S = 3_600
/** It ends by itself when asked to; if not within this, it is ended, ms. */
const STOP_MS = 5_000
/** One that has not answered so long after its start will not, ms. */
const START_MS = 10_000

export class ManagedCoturn implements TurnService {
  readonly #options: CoturnOptions
  readonly #configFile: string
  #child: ChildProcess | null = null
  /** What it printed last: when it ends, mostly why. */
  #lastWords = ''
  #stopped = false
  #draining = false

  private constructor(options: CoturnOptions) {
    this.#options = options
    this.#configFile = join(options.folder, 'turnserver.conf')
  }

  /** Resolves once it answers; rejects when it is not installed, too old to be safe, or does not come to it. */
  static async start(options: CoturnOptions): Promise<ManagedCoturn> {
    checkSecrets(options.secrets)
    const relays = safeRelays(await versionOf(options.program ?? 'turnserver'), options.relays)
    const coturn = new ManagedCoturn(options)
    await mkdir(options.folder, { recursive: true, mode: 0o700 })
    const pidFile = join(options.folder, 'turnserver.pid')
    await endOrphan(pidFile, coturn.#configFile)
    await writeFile(coturn.#configFile, coturnConfig({ ...options, relays, pidFile }), { mode: 0o600 })
    coturn.#spawn()
    await coturn.#answers()
    return coturn
  }

  issueCredentials(id: string): readonly IceServer[] {
    const { clock, secrets, credentialsTtlS = CREDENTIALS_TTL_S } = this.#options
    const [secret] = secrets
    return this.#draining || secret === undefined
      ? []
      : iceServers(this.endpoints(), id, { clock, secret, ttlS: credentialsTtlS })
  }

  endpoints(): TurnEndpoints {
    const { host, listen } = this.#options
    const { port, tlsPort } = listen
    return urlsOf([
      { host, port, transport: 'udp' },
      { host, port, transport: 'tcp' },
      ...(tlsPort === null ? [] : [{ host, port: tlsPort, transport: 'tls' as const }]),
    ])
  }

  async health(): Promise<TurnHealth> {
    const { clock, random, listen } = this.#options
    const [address = '127.0.0.1'] = listen.addresses
    try {
      return { status: 'healthy', latencyMs: await probe({ address, port: listen.port }, clock, random) }
    } catch {
      return { status: 'unhealthy', latencyMs: null }
    }
  }

  /** Sends nobody there any more and leaves what is open alone for the whole time: coturn does not say when it is done. */
  async drain(withinMs: number): Promise<void> {
    this.#draining = true
    await new Promise<void>(resolve => void this.#options.clock.setTimeout(resolve, withinMs))
  }

  stats(): TurnStats {
    return NO_STATS
  }

  review(): void {}

  /** coturn reads its files again when it is told so. */
  certificateChanged(): void {
    this.#child?.kill('SIGUSR2')
  }

  async stop(): Promise<void> {
    this.#stopped = true
    const { clock } = this.#options
    const child = this.#child
    if (child !== null) {
      const gone = new Promise<void>(resolve => void child.once('exit', () => resolve()))
      child.kill('SIGTERM')
      const timer = clock.setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await gone
      clock.clearTimeout(timer)
    }
    await rm(this.#configFile, { force: true })
  }

  #spawn(): void {
    const { program = 'turnserver', printed, ended } = this.#options
    const child = spawn(program, ['-c', this.#configFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // Ctrl-C in a terminal is for us: we end it when everyone has left
    })
    this.#child = child
    const print = (chunk: Buffer) => {
      for (const line of chunk.toString().split('\n')) {
        if (line === '') continue
        this.#lastWords = line
        printed?.(line)
      }
    }
    child.stdout.on('data', print)
    child.stderr.on('data', print)
    child.on('error', error => print(Buffer.from(error.message))) // 'close' follows, or it never began
    child.on('close', code => {
      this.#child = null
      if (!this.#stopped) ended?.(`coturn ended with ${code}: ${this.#lastWords}`)
    })
  }

  /** Waits for its first answer. */
  async #answers(): Promise<void> {
    const { clock } = this.#options
    const giveUpMs = clock.now() + START_MS
    while ((await this.health()).status !== 'healthy') {
      if (this.#child !== null && clock.now() < giveUpMs) continue
      await this.stop()
      throw new TurnError(
        'no_answer',
        `coturn: wanted an answer within ${START_MS} ms; it said: ${this.#lastWords}`,
      )
    }
  }
}

/**
 * Ends the coturn of a process before us that was killed and could not end it: it would hold the port. What has
 * that process id now is ended only when it runs with our configuration.
 */
async function endOrphan(pidFile: string, configFile: string): Promise<void> {
  const read = (file: string) => readFile(file, 'utf8').catch(() => '')
  const pid = Number(await read(pidFile))
  if (!(pid > 1)) return
  const command = (await read(`/proc/${pid}/cmdline`)).split('\0')
  if (command.includes(configFile)) process.kill(pid, 'SIGKILL')
}

async function versionOf(program: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, ['--version'])
    return /\d+\.\d+(?:\.\d+)?/.exec(stdout)?.[0] ?? '0'
  } catch (error) {
    throw new TurnError('coturn_missing', `${program}: wanted coturn to be installed`, { cause: error })
  }
}
