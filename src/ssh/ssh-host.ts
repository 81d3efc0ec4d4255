/**
 * A host that is reached by SSH, and known by its key: one connection for each command, at most a few at once. A command
 * is a constant, and nothing that anybody has sent to us is ever part of it: that goes by stdin.
 */
import type { Client, ParsedKey } from 'ssh2'
import type { Clock } from '../kit/clock.js'
import { SshError } from './errors.js'
import { Gathered } from './gathered.js'
import { shown } from './shown.js'
import { type Leave, visit } from './visit.js'

export interface SshHostOptions {
  readonly clock: Clock
  readonly address: SshAddress
  /** Resolves with the IP address to connect to, asked anew for each connection; absent: where its name leads. */
  readonly addressOf?: () => Promise<string>
  readonly login: SshLogin
  /** `SHA256:…`, as `ssh-keygen -l` tells it; null: not known yet, and nothing is asked of it. */
  readonly hostKey: string | null
  /** What messages call these two, for whoever has to change them. */
  readonly settings: { readonly login: string; readonly hostKey: string }
  /** Called when it shows another key than the pinned one. */
  readonly alarm: (seen: string) => void
}

/** Where a host is, as people are told of it, and as whom we go there. */
export interface SshAddress {
  readonly user: string
  readonly host: string
  readonly port: number
}

/** Our one way in; the key is a private one. */
export type SshLogin =
  | { readonly kind: 'key'; readonly key: ParsedKey }
  | { readonly kind: 'password'; readonly password: string }

export interface Command {
  /** A constant. */
  readonly command: string
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

/** What came of an attempt to get in. */
export interface Tried {
  /** The key that the host showed, `SHA256:…`; null: it was not reached. */
  readonly hostKey: string | null
  /** null: it lets us in. */
  readonly fault: SshError | null
}

/** Connections at once: sshd lets ten begin at a time, from everyone together. */
const AT_ONCE = 4

export class SshHost {
  readonly #options: SshHostOptions
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(options: SshHostOptions) {
    this.#options = options
  }

  /** Runs a command to its end; resolves with what it printed, whatever its exit code. Rejects with an `SshError`. */
  run(command: Command): Promise<Ran> {
    return this.#inTurn(() => visit<Ran>(this.#options, (client, leave) => execute(client, command, leave)))
  }

  /** Goes in and out again; resolves with what came of it. */
  async test(): Promise<Tried> {
    let hostKey: string | null = null
    const onHostKey = (seen: string) => {
      hostKey = seen
    }
    try {
      await this.#inTurn(() => visit<void>({ ...this.#options, onHostKey }, (_, { done }) => done()))
      return { hostKey, fault: null }
    } catch (error) {
      if (error instanceof SshError) return { hostKey, fault: error }
      throw error
    }
  }

  async #inTurn<T>(go: () => Promise<T>): Promise<T> {
    if (this.#running < AT_ONCE) this.#running++
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
    try {
      return await go()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next() // takes over the place
    }
  }
}

function execute(client: Client, { command, input, outputMax }: Command, leave: Leave<Ran>): void {
  client.exec(command, (error, channel) => {
    if (error !== undefined) return leave.away(`no command may be run (${error.message})`)
    const output = new Gathered(outputMax)
    const complaints = new Gathered(outputMax)
    const gather = (into: Gathered) => (piece: Buffer) => {
      if (into.add(piece)) return
      leave.failed(new SshError('SSH_ANSWER', `${command} prints more than ${outputMax} bytes`))
    }
    channel.on('data', gather(output))
    channel.stderr.on('data', gather(complaints))
    channel.on('error', (failure: Error) => leave.away(failure.message))
    let code: number | null = null
    channel.on('exit', (given: number | null) => {
      code = given
    })
    channel.on('close', () =>
      leave.done({ code, output: output.text(), complaint: shown(complaints.text()) }),
    )
    channel.end(input)
  })
}
