/**
 * PostgreSQL behind a pool that always answers. A server that hangs makes `pg` wait for ever unless told
 * otherwise, and a connection whose answer did not come is of no use to the next caller: it is given up.
 */
import { once } from 'node:events'
import type { PostgresPool } from 'kysely'
import pg from 'pg'
import { boundedClient } from './bounded-client.js'
import { StoreUnavailable } from './errors.js'
import type { StoreLog } from './log.js'
import { within } from './within.js'

export interface PostgresPoolOptions {
  readonly databaseUrl: string
  /** How long one statement may take, ms. */
  readonly queryTimeoutMs: number
  readonly log: StoreLog | undefined
}

/** Enough for a snapshot, an enrolment and the pages of operators at once. */
const CONNECTIONS = 8
/** For a connection to be made, or to become free, ms. */
const CONNECT_TIMEOUT_MS = 2_000
/** Ends a transaction whose coordinator is gone without a word, ms. */
const IDLE_IN_TRANSACTION_MS = 15_000
const KEEPALIVE_AFTER_MS = 10_000
/** For open connections to be closed in order, ms. */
const CLOSE_TIMEOUT_MS = 2_000

export function postgresPool({ databaseUrl, queryTimeoutMs, log }: PostgresPoolOptions): PostgresPool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: queryTimeoutMs,
    // The server gives up first: its answer says why, and the connection stays usable.
    statement_timeout: queryTimeoutMs * 0.9,
    lock_timeout: queryTimeoutMs * 0.8,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_AFTER_MS,
    application_name: 'boson',
    types: { getTypeParser },
  })
  const open = new Set<pg.PoolClient>()
  pool.on('connect', client => {
    open.add(client)
    // One that breaks between two questions of a caller: the next one fails. Unheard, it would end the process.
    client.on('error', () => {})
  })
  pool.on('remove', client => open.delete(client))
  // An idle connection that breaks: the next caller gets another one.
  pool.on('error', error => log?.warn({ err: error }, 'a connection to the database broke'))

  return {
    options: {},
    connect: async () => {
      const client = await pool.connect()
      return boundedClient({
        ask: (sql, parameters) => client.query(sql, [...parameters]),
        isAnswer,
        release: broken => client.release(broken),
      })
    },
    end: async () => {
      const gone = Promise.all(Array.from(open, client => once(client, 'end')))
      await pool.end()
      const late = () => new StoreUnavailable('the database did not close its connections in time')
      // A socket that waits for the other end's word would keep this process from ending.
      await within(CLOSE_TIMEOUT_MS, gone, late).catch(() => {
        for (const client of open) (client as unknown as Severable).connection.stream.destroy()
      })
    },
  }
}

/** The socket of a client; pg offers no way to close one whose server does not answer. */
interface Severable {
  readonly connection: { readonly stream: { destroy(): void } }
}

/** Whether the server has answered, if only with an error: those carry its code and a severity. */
const isAnswer = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && error.severity !== 'FATAL' && error.severity !== 'PANIC'

/** Counts above 2^53 do not occur: as numbers, int8 reads the same from both databases. */
const getTypeParser = ((oid: number, format?: 'text') =>
  oid === pg.types.builtins.INT8
    ? Number
    : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser
