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

/** For one statement, ms; the server gives up first: its answer says why, and the connection stays usable. */
const STATEMENT_MS = 5_000
export const ANSWER_MS = 5_500
/** For a lock that a statement needs, ms: nobody shall queue behind the monitor. */
const LOCK_MS = 1_000
/** Ends a transaction whose monitor is gone without a word, ms. */
const IDLE_IN_TRANSACTION_MS = 10_000
/** To make a connection: TCP, TLS and signing in, ms. */
const CONNECT_MS = 3_000
const KEEPALIVE_AFTER_MS = 10_000
/** The most that one answer may have, bytes: a server that is not what it seems shall not fill our memory. */
const ANSWER_MAX = 16 * 2 ** 20

export const APPLICATION_NAME = 'boson monitor'

/** Counts above 2^53 do not occur, and figures need no more digits than a float8 has. */
const getTypeParser = ((oid: number, format?: 'text') =>
  oid === pg.types.builtins.INT8 || oid === pg.types.builtins.NUMERIC
    ? Number
    : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser

/** What every connection is made with, whoever it leads to. */
export const MANNERS: pg.ClientConfig = {
  application_name: APPLICATION_NAME,
  statement_timeout: STATEMENT_MS,
  lock_timeout: LOCK_MS,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  query_timeout: ANSWER_MS,
  connectionTimeoutMillis: CONNECT_MS,
  keepAlive: true,
  keepAliveInitialDelayMillis: KEEPALIVE_AFTER_MS,
  types: { getTypeParser },
}

/** Makes each transaction read only unless it says otherwise, which none of ours does. */
export const READ_ONLY = '-c default_transaction_read_only=on'

/** Resolves with a connection; calls `silent` when one of its answers stays away. Rejects with a `ServerFault`. */
export async function openLine(
  options: pg.ClientConfig,
  silent: (fault: ServerFault) => void,
): Promise<Line> {
  let client: pg.Client | undefined
  try {
    client = new pg.Client(options)
    const line = new PostgresLine(client, silent)
    await client.connect()
    return await line.begin()
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
  readonly #silent: (fault: ServerFault) => void
  #mayRead = ANSWER_MAX

  constructor(client: pg.Client, silent: (fault: ServerFault) => void) {
    this.#client = client
    this.#silent = silent
    const broken = () => {
      this.isBroken = true
    }
    // Between two questions, too. Unheard, an error would end the process.
    client.on('error', broken)
    client.on('end', broken)
  }

  /** Asks what is asked of every server first. */
  async begin(): Promise<this> {
    streamOf(this.#client).on('data', chunk => this.#measure(chunk))
    const [row] = await this.ask<{ version: number }>(
      `select current_setting('server_version_num')::int as version`,
    )
    this.version = row?.version ?? 0
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
