/**
 * A host that is reached by SSH, and known by its key: one connection for each command, at most a few at once.
 *
 *   connect 5 s ─→ its key is the pinned one ─→ our key ─→ command, a constant ─→ stdin ─→ stdout, exit code
 *   └───────────────────────────────────────── 10 s ─────────────────────────────────────────┘
 *
 * A command is a path, and nothing that anybody has sent to us is ever part of it: that goes by stdin.
 */
import { createHash } from 'node:crypto'
import { Client, type ParsedKey, type PublicKeyAuthMethod } from 'ssh2'
import type { Clock } from '../../kit/clock.js'
import { SshError } from './errors.js'
import type { SshAddress } from './ssh-address.js'

export interface SshHostOptions {
  readonly clock: Clock
  readonly address: SshAddress
  /** Private. */
  readonly key: ParsedKey
  /** `SHA256:…`, as `ssh-keygen -l` tells it; null: not known yet, and nothing is asked of it. */
  readonly hostKey: string | null
  /** Called when it shows another key than the pinned one. */
  readonly alarm: (seen: string) => void
}

export interface Command {
  readonly path: string
  readonly input: string
  /** What is read of what it prints, bytes. */
  readonly outputMax: number
}

export interface Ran {
  /** null: a signal ended it. */
  readonly code: number | null
  readonly output: string
  /** The first line of what it complains about, as far as it can be shown. */
  readonly complaint: string
}

const CONNECT_MS = 5_000
const TOTAL_MS = 10_000
/** Commands at once: sshd lets ten connections begin at a time, from everyone together. */
const AT_ONCE = 4
const COMPLAINT_MAX = 256

export class SshHost {
  readonly #options: SshHostOptions
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(options: SshHostOptions) {
    this.#options = options
  }

  /** Runs a command to its end; resolves with what it printed, whatever its exit code. */
  async run(command: Command): Promise<Ran> {
    if (this.#running < AT_ONCE) this.#running++
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    try {
      return await this.#run(command)
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next() // takes over the place
    }
  }

  #run({ path, input, outputMax }: Command): Promise<Ran> {
    const { clock, address, key } = this.#options
    const byKey: PublicKeyAuthMethod = { type: 'publickey', username: address.user, key }
    return new Promise((resolve, reject) => {
      const client = new Client()
      let isReady = false
      let refusal: SshError | null = null
      const end = (error: SshError | null, ran?: Ran) => {
        clock.clearTimeout(total)
        clock.clearTimeout(connect)
        client.destroy()
        if (ran === undefined) reject(error)
        else resolve(ran)
      }
      const away = (because: string) =>
        end(refusal ?? new SshError('SSH_AWAY', `${address.host}: ${because}`))
      const connect = clock.setTimeout(() => {
        if (!isReady) away('there was no connection in time')
      }, CONNECT_MS)
      const total = clock.setTimeout(() => away('the command took too long'), TOTAL_MS)

      // Its short messages would each wait for the answer to the one before: half a second for a command.
      client.on('connect', () => client.setNoDelay(true))
      client.on('ready', () => {
        isReady = true
        client.exec(path, (error, channel) => {
          if (error !== undefined) return away(`no command may be run (${error.message})`)
          const output = new Gathered(outputMax)
          const complaints = new Gathered(outputMax)
          const gather = (into: Gathered) => (piece: Buffer) => {
            if (!into.add(piece))
              end(new SshError('SSH_ANSWER', `${path} prints more than ${outputMax} bytes`))
          }
          channel.on('data', gather(output))
          channel.stderr.on('data', gather(complaints))
          channel.on('error', (failure: Error) => away(failure.message))
          let code: number | null = null
          channel.on('exit', (given: number | null) => {
            code = given
          })
          channel.on('close', () =>
            end(null, { code, output: output.text(), complaint: shown(complaints.text()) }),
          )
          channel.end(input)
        })
      })
      client.on('error', error => {
        if (error.level === 'client-authentication')
          refusal ??= new SshError(
            'SSH_UNAUTHORISED',
            `${address.host} does not let ${address.user} in by the key of WG_SSH_KEY: see its authorized_keys`,
          )
        away(error.message)
      })
      client.on('close', () => away('the connection was closed'))
      client.connect({
        host: address.host,
        port: address.port,
        username: address.user,
        // No other way in is tried: neither an agent nor a password of whoever started us.
        authHandler: [byKey],
        hostVerifier: (shownKey: Buffer) => {
          refusal = this.#refusalOf(shownKey)
          return refusal === null
        },
        // The patience is ours.
        readyTimeout: 0,
      })
    })
  }

  #refusalOf(shownKey: Buffer): SshError | null {
    const { hostKey, address, alarm } = this.#options
    const seen = fingerprintOf(shownKey)
    if (hostKey === null)
      return new SshError(
        'SSH_HOST_KEY_UNKNOWN',
        `${address.host} shows the key ${seen}. If \`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\` tells the same ` +
          `there, set WG_SSH_HOST_KEY=${seen}`,
      )
    if (seen === hostKey) return null
    alarm(seen)
    return new SshError(
      'SSH_HOST_KEY_CHANGED',
      `${address.host} shows the key ${seen}, not the one of WG_SSH_HOST_KEY: somebody may stand in between`,
    )
  }
}

/** Returns a key's fingerprint as OpenSSH tells it. */
const fingerprintOf = (key: Buffer): string =>
  `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`

/** Text in pieces, of a bounded size. */
class Gathered {
  readonly #max: number
  readonly #pieces: Buffer[] = []
  #size = 0

  constructor(max: number) {
    this.#max = max
  }

  /** Returns whether there was room for it. */
  add(piece: Buffer): boolean {
    this.#size += piece.length
    if (this.#size > this.#max) return false
    this.#pieces.push(piece)
    return true
  }

  text(): string {
    return Buffer.concat(this.#pieces).toString()
  }
}

/** What a host prints goes into logs and tables: one line, nothing that moves a cursor. */
const shown = (text: string): string =>
  (text.split('\n', 1)[0] ?? '').replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '·').slice(0, COMPLAINT_MAX)
