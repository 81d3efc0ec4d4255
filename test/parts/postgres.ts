/**
 * A PostgreSQL server of a test's own: a throwaway cluster on loopback, gone when the test ends. Where the
 * programs are not installed, `BOSON_TEST_DATABASE_URL` may name a running server; that one is never paused.
 */
import { randomBytes } from 'node:crypto'
import type { Test } from 'tap'
import {
  ask,
  type Cluster,
  makeSchema,
  programsDirectory,
  startCluster,
} from '../support/postgres-cluster.js'

export interface Postgres extends Omit<Cluster, 'remove'> {
  /** Makes a schema of a test's own, and returns the address that leads into it. */
  schema(): Promise<string>
  /** Runs a statement on a connection of its own. */
  ask(url: string, sql: string): Promise<void>
}

/** Resolves with a server, or with why there is none, to be said in the name of a skipped test. */
export async function startPostgres(t: Test): Promise<Postgres | { readonly missing: string }> {
  const programs = programsDirectory()
  if (programs !== undefined) {
    const cluster = await startCluster(programs, ['fsync=off'])
    t.teardown(() => cluster.remove())
    return { ...cluster, schema: () => ownSchema(cluster.url), ask }
  }
  const url = process.env.BOSON_TEST_DATABASE_URL
  if (url === undefined)
    return { missing: 'PostgreSQL is not installed and BOSON_TEST_DATABASE_URL is not set' }
  const notOurs = () => {
    throw new Error('the server of BOSON_TEST_DATABASE_URL is not this test’s to stop')
  }
  return {
    url,
    schema: () => ownSchema(url),
    ask,
    pause: notOurs,
    resume: notOurs,
    stop: notOurs,
    start: notOurs,
    replica: notOurs,
  }
}

const ownSchema = (url: string): Promise<string> => makeSchema(url, `test_${randomBytes(6).toString('hex')}`)
