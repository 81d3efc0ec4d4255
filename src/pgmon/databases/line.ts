/** One connection to a PostgreSQL server. Every answer comes within a bounded time and is of a bounded size. */
import pg from 'pg'
import type { Asking } from '../ports.js'
import { asAnswerFault, asConnectFault, isSilence, ServerFault } from './errors.js'

/** A connection that a pool lends. */
export interface Line extends Asking {
  /** Nothing can be asked of it any more. */
  readonly isBroken: boolean
  /** Ends it, without waiting for the other side. */
  close(): void
}

/** The most that one answer may have, bytes: a server that is not what it seems shall not fill our memory. */
const ANSWER_MAX = 16 * 2 ** 20

/** Resolves with a connection; calls `silent` when one of its answers stays away. Rejects with a `ServerFault`. */
export async function openLine(
  options: pg.ClientConfig,
  silent: (fault: ServerFault) => void,
): Promise<Line> {
  let client: pg.Client | undefined
  try {
    client = new pg.Client(options)
    const line = new PostgresLine(client)
    await client.connect()
    return await line.begin(silent)
  } catch (error) {
    if (client !== undefined) sever(client)
    throw asConnectFault(error)
  }
}

class PostgresLine implements Line {
  readonly kind = 'postgres'
  version = 0
  isBroken = false
  readonly #client: pg.Client
  #silent: (fault: ServerFault) => void = () => {}
  #mayRead = ANSWER_MAX

  constructor(client: pg.Client) {
    this.#client = client
    const broken = () => {
      this.isBroken = true
    }
    // Between two questions, too. Unheard, an error would end the process.
    client.on('error', broken)
    client.on('end', broken)
  }

  /** Asks what is asked of every server first; it is lent from then on. */
  async begin(silent: (fault: ServerFault) => void): Promise<this> {
    streamOf(this.#client).on('data', chunk => this.#measure(chunk))
    const [row] = await this.ask<{ version: number }>(
      `select current_setting('server_version_num')::int as version`,
    )
    this.version = row?.version ?? 0
    this.#silent = silent
    return this
  }

  async ask<R extends object>(sql: string, parameters: readonly unknown[] = []): Promise<readonly R[]> {
    this.#mayRead = ANSWER_MAX
    try {
      const { rows } = await this.#client.query<R>(sql, [...parameters])
      return rows
    } catch (error) {
      throw this.#judged(error)
    }
  }

  close(): void {
    this.isBroken = true
    this.#client.end().catch(() => {})
    streamOf(this.#client).destroySoon()
  }

  #judged(error: unknown): unknown {
    const fault = this.#mayRead < 0 ? tooLarge(error) : asAnswerFault(error)
    if (fault === null) return error
    this.isBroken = true
    if (isSilence(error)) {
      sever(this.#client)
      this.#silent(fault)
    }
    return fault
  }

  #measure({ length }: Buffer): void {
    this.#mayRead -= length
    if (this.#mayRead < 0) sever(this.#client)
  }
}

const tooLarge = (cause: unknown): ServerFault =>
  new ServerFault('SERVER_REFUSED', `it answered more than ${ANSWER_MAX / 2 ** 20} MiB`, { cause })

/** The socket of a client; pg offers no way to close one whose server does not answer. */
const streamOf = (client: pg.Client): Stream =>
  (client as unknown as { readonly connection: { readonly stream: Stream } }).connection.stream

interface Stream {
  on(event: 'data', hear: (chunk: Buffer) => void): void
  destroy(): void
  destroySoon(): void
}

const sever = (client: pg.Client): void => streamOf(client).destroy()
