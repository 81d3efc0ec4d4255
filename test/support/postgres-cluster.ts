/** A throwaway PostgreSQL cluster on loopback: made, started, stopped and removed by whoever asks for it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'

export interface Cluster {
  /** A superuser's address of the database. */
  readonly url: string
  /** Stops every process of the server where it stands: connections stay open, answers stay away. */
  pause(): void
  resume(): void
  /** Ends the server as a crash would. */
  stop(): Promise<void>
  start(): Promise<void>
  /** Resolves with a copy of this server that follows it, by the slot of this name where one is given. */
  replica(slot?: string): Promise<Cluster>
  /** Stops the server for good and removes what it kept. */
  remove(): Promise<void>
}

/** Debian keeps the programs of each version apart, off the path. Undefined where there are none. */
export function programsDirectory(): string | undefined {
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

/** Makes a cluster with `settings` such as `fsync=off`; resolves when it answers. */
export const startCluster = (programs: string, settings: readonly string[]): Promise<Cluster> =>
  startOf(programs, settings, async (data, run) => makeData(programs, data, run))

interface Run {
  readonly uid?: number
  readonly gid?: number
  readonly stdio: 'ignore'
  readonly cwd: string
}

async function startOf(
  programs: string,
  settings: readonly string[],
  make: (data: string, run: Run) => Promise<void>,
): Promise<Cluster> {
  const dir = mkdtempSync(join(tmpdir(), 'boson-postgres-'))
  const user = ownerOf(dir)
  const data = join(dir, 'data')
  const run = { ...user, stdio: 'ignore' as const, cwd: dir }
  await make(data, run)
  const port = await freePort()
  const url = `postgres://boson@127.0.0.1:${port}/postgres`
  let server: ChildProcess | undefined

  const start = async () => {
    const all = [...settings, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', `port=${port}`]
    server = spawn(join(programs, 'postgres'), ['-D', data, ...all.flatMap(setting => ['-c', setting])], run)
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
  const remove = async () => {
    await stop()
    process.off('exit', atExit)
    rmSync(dir, { recursive: true, force: true })
  }

  const replica = (slot?: string) =>
    startOf(programs, settings, (copy, as) => copyOf(programs, port, copy, as, slot))

  await start()
  return {
    url,
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    stop,
    start,
    replica,
    remove,
  }
}

async function copyOf(programs: string, port: number, data: string, run: Run, slot?: string): Promise<void> {
  const from = ['-h', '127.0.0.1', '-p', String(port), '-U', 'boson']
  const how = ['-D', data, '-R', '-X', 'stream', '-c', 'fast', '--no-sync']
  const by = slot === undefined ? [] : ['-C', '-S', slot]
  const copying = spawn(join(programs, 'pg_basebackup'), [...from, ...how, ...by], run)
  const [code] = (await once(copying, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`pg_basebackup ended with ${code}`)
}

/** Making the data of a cluster takes a second and more of a core: it is done once, and copied from then on. */
const MADE = join(import.meta.dirname, '../../made')

function makeData(programs: string, data: string, run: Run): void {
  const made = join(MADE, `${programs.replaceAll('/', '-')}-small`)
  if (existsSync(made)) {
    execFileSync('cp', ['-Rp', made, data])
    return
  }
  // Small segments of WAL: they are half of what is copied each time, MiB.
  const options = ['-U', 'boson', '-A', 'trust', '-N', '-E', 'UTF8', '--wal-segsize=1']
  execFileSync(join(programs, 'initdb'), ['-D', data, ...options], run)
  mkdirSync(MADE, { recursive: true })
  const copy = mkdtempSync(join(MADE, 'copy-'))
  execFileSync('cp', ['-Rp', `${data}/.`, copy])
  try {
    renameSync(copy, made)
  } catch {
    rmSync(copy, { recursive: true, force: true }) // another process was first
  }
}

/** Runs a statement on a connection of its own. */
export async function ask(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

/** Makes a schema, and returns the address that leads into it. */
export async function makeSchema(url: string, name: string): Promise<string> {
  await ask(url, `create schema ${name}`)
  const within = new URL(url)
  within.searchParams.set('options', `-c search_path=${name}`)
  return within.href
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
