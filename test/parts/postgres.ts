/**
 * A PostgreSQL server of a test's own: a throwaway cluster on loopback, gone when the test ends. Where the
 * programs are not installed, `BOSON_TEST_DATABASE_URL` may name a running server; that one is never paused.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Test } from 'tap'

export interface Postgres {
  /** A superuser's address of the database. */
  readonly url: string
  /** Makes a schema of a test's own, and returns the address that leads into it. */
  schema(): Promise<string>
  /** Runs a statement on a connection of its own. */
  ask(url: string, sql: string): Promise<void>
  /** Stops every process of the server where it stands: connections stay open, answers stay away. */
  pause(): void
  resume(): void
  /** Ends the server as a crash would. */
  stop(): Promise<void>
  start(): Promise<void>
}

/** Resolves with a server, or with why there is none, to be said in the name of a skipped test. */
export async function startPostgres(t: Test): Promise<Postgres | { readonly missing: string }> {
  const programs = programsDirectory()
  if (programs !== undefined) return startCluster(t, programs)
  const url = process.env.BOSON_TEST_DATABASE_URL
  if (url === undefined)
    return { missing: 'PostgreSQL is not installed and BOSON_TEST_DATABASE_URL is not set' }
  const notOurs = () => {
    throw new Error('the server of BOSON_TEST_DATABASE_URL is not this test’s to stop')
  }
  return {
    url,
    schema: () => makeSchema(url),
    ask,
    pause: notOurs,
    resume: notOurs,
    stop: notOurs,
    start: notOurs,
  }
}

async function startCluster(t: Test, programs: string): Promise<Postgres> {
  const dir = mkdtempSync(join(tmpdir(), 'boson-postgres-'))
  const user = ownerOf(dir)
  const data = join(dir, 'data')
  const run = { ...user, stdio: 'ignore' as const, cwd: dir }
  execFileSync(join(programs, 'initdb'), ['-D', data, '-U', 'boson', '-A', 'trust', '-N', '-E', 'UTF8'], run)
  const port = await freePort()
  const url = `postgres://boson@127.0.0.1:${port}/postgres`
  let server: ChildProcess | undefined

  const start = async () => {
    const settings = ['fsync=off', 'listen_addresses=127.0.0.1', 'unix_socket_directories=', `port=${port}`]
    server = spawn(
      join(programs, 'postgres'),
      ['-D', data, ...settings.flatMap(setting => ['-c', setting])],
      run,
    )
    await answering(url)
  }
  const signal = (name: NodeJS.Signals) => {
    for (const pid of processesOf(server)) {
      try {
        process.kill(pid, name)
      } catch {
        // A backend that has ended since it was listed.
      }
    }
  }
  const stop = async () => {
    if (server?.exitCode !== null || server.signalCode !== null) return
    const exited = once(server, 'exit')
    signal('SIGCONT')
    server.kill('SIGQUIT')
    await exited
  }
  const atExit = () => server?.kill('SIGQUIT')
  process.once('exit', atExit)
  t.teardown(async () => {
    await stop()
    process.off('exit', atExit)
    rmSync(dir, { recursive: true, force: true })
  })

  await start()
  return {
    url,
    schema: () => makeSchema(url),
    ask,
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    stop,
    start,
  }
}

/** Debian keeps the programs of each version apart, off the path. */
function programsDirectory(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const directories = [
    ...versions.map(version => join(debian, version, 'bin')),
    ...(process.env.PATH ?? '').split(':'),
  ]
  return directories.find(
    directory => existsSync(join(directory, 'initdb')) && existsSync(join(directory, 'postgres')),
  )
}

/** PostgreSQL refuses to run as root: then the directory and the processes belong to the user `postgres`. */
function ownerOf(dir: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const entry = readFileSync('/etc/passwd', 'utf8').match(/^postgres:[^:]*:(\d+):(\d+):/m)
  if (entry === null) throw new Error('root cannot run PostgreSQL, and there is no user postgres')
  const [uid, gid] = [Number(entry[1]), Number(entry[2])]
  chownSync(dir, uid, gid)
  return { uid, gid }
}

/** The server and its backends, which are its direct children. */
function processesOf(server: ChildProcess | undefined): number[] {
  if (server?.pid === undefined || server.exitCode !== null) return []
  const children = `/proc/${server.pid}/task/${server.pid}/children`
  const listed = existsSync(children)
    ? readFileSync(children, 'utf8').split(' ').filter(Boolean).map(Number)
    : []
  return [server.pid, ...listed]
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

async function answering(url: string): Promise<void> {
  const deadline = Date.now() + 30_000
  for (;;) {
    try {
      await ask(url, 'select 1')
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
  }
}

async function makeSchema(url: string): Promise<string> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await ask(url, `create schema ${name}`)
  const within = new URL(url)
  within.searchParams.set('options', `-c search_path=${name}`)
  return within.href
}

async function ask(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
