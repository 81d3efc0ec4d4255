/** One connection to PostgreSQL, for work that may take long and that nobody else waits for. */
import pg from 'pg'
import type { Ask } from './tables.js'

/** Shows beside those of coordinators, which are `boson`. */
const APPLICATION = 'boson backup'
const CONNECT_TIMEOUT_MS = 10_000

export interface PostgresClient {
  readonly ask: Ask
  /** Such as 15. */
  readonly major: number
  /** Such as `15.18`. */
  readonly version: string
}

/** Runs `work` on a connection of its own. */
export async function withPostgres<T>(
  databaseUrl: string,
  work: (client: PostgresClient) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    connectionString: databaseUrl,
    application_name: APPLICATION,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    // A transaction waits here for as long as a program takes to read the database.
    idle_in_transaction_session_timeout: 0,
  })
  // One that breaks between two questions: the next one fails. Unheard, it would end the process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    const ask: Ask = async sql => (await client.query<Record<string, unknown>>(sql)).rows
    const [about] = await ask(
      `select current_setting('server_version_num')::int / 10000 as major, split_part(current_setting('server_version'), ' ', 1) as version`,
    )
    return await work({ ask, major: Number(about?.['major']), version: String(about?.['version']) })
  } finally {
    await client.end()
  }
}
