/** Tables that a plug-in keeps beside the mesh's own, in the same database: brought to their version apart from others. */
import type { Kysely, Transaction } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { Database } from './database.js'
import { migrate } from './migrations/migrate.js'
import { asStoreError } from './sql-errors.js'

export type Migrations = Readonly<Record<string, Migration>>

/** A plug-in's way to its tables. Every call may reject with a `StoreUnavailable`, within a bounded time. */
export interface Room<DB> {
  readonly kind: 'pglite' | 'postgres'
  /** Runs statements, each for itself. */
  ask<T>(work: (db: Kysely<DB>) => Promise<T>): Promise<T>
  /** Runs statements of which all hold, or none. */
  transact<T>(work: (tx: Transaction<DB>) => Promise<T>): Promise<T>
}

/** Resolves with the room of this name, its tables in this version. */
export type OpenRoom = <DB>(name: string, migrations: Migrations) => Promise<Room<DB>>

/** Returns what opens rooms in a database. */
export function roomsOf(kind: Room<unknown>['kind'], database: Kysely<Database>): OpenRoom {
  return async <DB>(name: string, migrations: Migrations): Promise<Room<DB>> => {
    const db = database as unknown as Kysely<DB> // the tables that its migrations make
    await asking(() => migrate(db, migrations, `${name}_migration`))
    return {
      kind,
      ask: work => asking(() => work(db)),
      transact: work => asking(() => db.transaction().execute(work)),
    }
  }
}

async function asking<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw isAnswer(error) ? error : asStoreError(error)
  }
}

/** What the work itself refuses, and no driver has thrown: it undoes what was done, and reaches whoever asked as it is. */
const isAnswer = (error: unknown): boolean => error instanceof Error && 'statusCode' in error
