/**
 * What a connection is made with: fields that were checked, one by one, and nothing else. No connection string, no
 * socket, and nothing of what pg would take from the environment of the process where a field is missing.
 */
import { isIP } from 'node:net'
import pg from 'pg'
import { parseIntoClientConfig } from 'pg-connection-string'
import type { Server } from '../ports.js'
import type { LineTiming } from './timing.js'

/** Makes each transaction read only unless it says otherwise, which none of ours does. */
const READ_ONLY = '-c default_transaction_read_only=on'

/** Ends a transaction whose monitor is gone without a word, ms. */
const IDLE_IN_TRANSACTION_MS = 10_000
const KEEPALIVE_AFTER_MS = 10_000

export interface Place {
  /** An address that may be called. */
  readonly address: string
  readonly database: string
  readonly password: string | null
}

/** Returns the options of a connection to a server that somebody has named. */
export function clientOptions(
  server: Server,
  { address, database, password }: Place,
  timing: LineTiming,
): pg.ClientConfig {
  const options: pg.ClientConfig & { readonly replication: string } = {
    ...manners(timing),
    host: address,
    port: server.port,
    user: server.user,
    database,
    // A function: in place of an empty one, pg would look for PGPASSWORD and the file of PGPASSFILE.
    password: () => password ?? '',
    ssl: tlsOptions(server),
    options: READ_ONLY,
    // As pg would have them anyway, unless PGSSLNEGOTIATION, PGREPLICATION or PGCLIENT_ENCODING said otherwise.
    sslnegotiation: 'postgres',
    replication: 'false',
    client_encoding: 'UTF8',
  }
  return options
}

/** Returns the options of a connection to a database beside the coordinator’s own, which its setting leads to. */
export function ownOptions(
  databaseUrl: string,
  database: string | null,
  timing: LineTiming,
): pg.ClientConfig {
  const { options, ...given } = parseIntoClientConfig(databaseUrl)
  return {
    ...given,
    ...manners(timing),
    ...(database !== null && { database }),
    options: options === undefined ? READ_ONLY : `${options} ${READ_ONLY}`,
  }
}

/** Returns what every connection is made with, whoever it leads to. */
const manners = ({ connectMs, statementMs, lockMs, answerMs }: LineTiming): pg.ClientConfig => ({
  application_name: 'boson monitor',
  connectionTimeoutMillis: connectMs,
  statement_timeout: statementMs,
  lock_timeout: lockMs,
  query_timeout: answerMs,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  keepAlive: true,
  keepAliveInitialDelayMillis: KEEPALIVE_AFTER_MS,
  types: { getTypeParser },
})

function tlsOptions({ tls, tlsCa, host }: Server): Exclude<pg.ClientConfig['ssl'], undefined> {
  if (tls === 'disable') return false
  return {
    rejectUnauthorized: tls === 'verify-full',
    ...(tlsCa !== null && { ca: tlsCa }),
    // The certificate is for the name; of an address there is none to tell.
    ...(isIP(host) === 0 && { servername: host }),
  }
}

/** Counts above 2^53 do not occur, and figures need no more digits than a float8 has. */
const getTypeParser = ((oid: number, format?: 'text') =>
  oid === pg.types.builtins.INT8 || oid === pg.types.builtins.NUMERIC
    ? Number
    : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser
