/**
 * PostgreSQL's own programs, which come with its client package. What they are called with shows in the list of
 * processes: the password goes by the environment.
 */
import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { StoreError } from '../errors.js'
import { PgProgramMissing } from './errors.js'

export type PgProgram = 'pg_dump' | 'pg_restore' | 'psql'

/** What they are told of where the database is. */
export interface PgPlace {
  /** A `postgres://` without a password. */
  readonly url: string
  readonly env: Readonly<Record<string, string>>
}

/** Parameters of an address that libpq knows too; the others are the driver's own. */
const SHARED = [
  'host',
  'port',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'options',
  'target_session_attrs',
]
/** Of what a program says when it fails, characters: its first words say what it was. */
const WORDS_MAX = 1_000
/** A server that does not answer is given up, s. */
const CONNECT_TIMEOUT_S = '10'

/** Returns what PostgreSQL's programs are told of a database that the driver knows by this address. */
export function placeOf(databaseUrl: string): PgPlace {
  const from = new URL(databaseUrl)
  const url = new URL(databaseUrl)
  url.password = ''
  url.search = ''
  for (const name of SHARED) {
    const value = from.searchParams.get(name)
    // The driver's own word for TLS that nobody checks.
    if (value !== null) url.searchParams.set(name, value === 'no-verify' ? 'require' : value)
  }
  const password = decodeURIComponent(from.password)
  return {
    // In the query of a URI, libpq takes a plus for a plus.
    url: url.href.replaceAll('+', '%20'),
    env: { PGCONNECT_TIMEOUT: CONNECT_TIMEOUT_S, ...(password !== '' && { PGPASSWORD: password }) },
  }
}

/** Resolves when all of these can work with a server of this major version; rejects with a PgProgramMissing. */
export async function assertPrograms(programs: readonly PgProgram[], serverMajor: number): Promise<void> {
  for (const program of programs) {
    const wanted = `install PostgreSQL's client programs of version ${serverMajor} or newer (Debian: postgresql-client-${serverMajor}, Alpine: postgresql${serverMajor}-client)`
    const said = await output(program).catch(() => {
      throw new PgProgramMissing(`${program} was not found on this machine: ${wanted}`)
    })
    const major = Number(/\(PostgreSQL\) (\d+)/.exec(said)?.[1])
    if (!(major >= serverMajor))
      throw new PgProgramMissing(
        `${program} is of version ${major}, and the server of version ${serverMajor}: ${wanted}`,
      )
  }
}

async function output(program: PgProgram): Promise<string> {
  const child = spawn(program, ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] })
  let said = ''
  child.stdout.on('data', chunk => (said += String(chunk)))
  await once(child, 'close')
  return said
}

/** A program at work. */
export interface Running {
  readonly child: ChildProcess
  readonly stdout: Readable
  /** Resolves when it has ended well; rejects with what it said otherwise. */
  readonly done: Promise<void>
}

/** A program of PostgreSQL has failed; the message is what it said. */
export class PgProgramFailed extends StoreError {
  override readonly name = 'PgProgramFailed'
  readonly code = 'PG_PROGRAM_FAILED'
}

/** Starts a program. Its standard output is to be read. */
export function start(
  program: PgProgram,
  args: readonly string[],
  place: PgPlace,
  stdin: 'ignore' | 'pipe' = 'ignore',
): Running {
  const stdio: StdioOptions = [stdin, 'pipe', 'pipe']
  const child = spawn(program, args, { stdio, env: { ...process.env, LC_ALL: 'C', ...place.env } })
  let said = ''
  child.stderr?.on('data', chunk => {
    if (said.length < WORDS_MAX) said += String(chunk)
  })
  const done = once(child, 'close').then(
    ([code]) => {
      if (code !== 0) throw new PgProgramFailed(`${program} has failed: ${said.trim().slice(0, WORDS_MAX)}`)
    },
    (error: Error) => {
      throw new PgProgramFailed(`${program} cannot be started: ${error.message}`, { cause: error })
    },
  )
  // Whoever waits for it hears of it; nobody else has to.
  done.catch(() => undefined)
  if (child.stdout === null) throw new TypeError('its output is piped')
  return { child, stdout: child.stdout, done }
}
