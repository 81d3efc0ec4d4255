/**
 * One connection, as Kysely asks it. Once a question stayed without an answer, what follows it (a rollback above
 * all) would only wait as long again: the connection refuses at once, and is given back as broken.
 */
import type { PostgresPoolClient } from 'kysely'

export interface Connection {
  /** Settles within a bounded time. */
  ask(sql: string, parameters: readonly unknown[]): Promise<unknown>
  /** Whether this error is the database's answer, after which the connection can be asked again. */
  isAnswer(error: unknown): boolean
  release(broken: boolean): void
}

export function boundedClient(connection: Connection): PostgresPoolClient {
  let broken: unknown
  const query = async (sql: string, parameters: readonly unknown[] = []) => {
    if (broken !== undefined) throw broken
    try {
      return await connection.ask(sql, parameters)
    } catch (error) {
      if (!connection.isAnswer(error)) broken = error
      throw error
    }
  }
  return {
    // The other form of it takes a cursor; the store has none.
    query: query as PostgresPoolClient['query'],
    release: destroy => connection.release(destroy === true || broken !== undefined),
  }
}
