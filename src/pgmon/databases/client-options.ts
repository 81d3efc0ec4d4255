/**
 * What a connection is made with: fields that were checked, one by one, and nothing else. No connection string, no
 * socket, and nothing of what pg would take from the environment of the process where a field is missing.
 */
import { isIP } from 'node:net'
import type pg from 'pg'
import type { Server } from '../ports.js'
import { MANNERS, READ_ONLY } from './line.js'

export interface Place {
  /** An address that may be called. */
  readonly address: string
  readonly database: string
  readonly password: string | null
}

/** Returns the options of a connection to a server that somebody has named. */
export function clientOptions(server: Server, { address, database, password }: Place): pg.ClientConfig {
  const options: pg.ClientConfig & { readonly replication: string } = {
    ...MANNERS,
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
export function ownOptions(databaseUrl: string, database: string | null): pg.ClientConfig {
  const url = new URL(databaseUrl)
  if (database !== null) url.pathname = `/${encodeURIComponent(database)}`
  const given = url.searchParams.get('options')
  url.searchParams.set('options', given === null ? READ_ONLY : `${given} ${READ_ONLY}`)
  return { ...MANNERS, connectionString: url.href }
}

function tlsOptions({ tls, tlsCa, host }: Server): Exclude<pg.ClientConfig['ssl'], undefined> {
  if (tls === 'disable') return false
  return {
    rejectUnauthorized: tls === 'verify-full',
    ...(tlsCa !== null && { ca: tlsCa }),
    // The certificate is for the name; of an address there is none to tell.
    ...(isIP(host) === 0 && { servername: host }),
  }
}
