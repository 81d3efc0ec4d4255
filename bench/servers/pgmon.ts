/**
 * The collecting of the database monitor alone in this process, or the least that asks and writes the same.
 *
 *   pgmon.js ours <database> <port> <servers> <file>   collectors, looks and pools, over servers that are all one cluster
 *   pgmon.js bare <database> <file>                    the statements that ours has said, each on a connection that stands
 *
 * `round` is ten minutes: a visit of `activity` to each server, and every third time of `sizes`. `bare` does
 * at once all that ours has said since `forget`, and written down by `tell`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import pg from 'pg'
import type { PluginHost } from '../../src/app/plugin.js'
import { readConfig } from '../../src/app/config.js'
import { systemRandom } from '../../src/kit/random.js'
import { destinationsOf, startDatabases } from '../../src/pgmon/databases/start-databases.js'
import { ServerLooks } from '../../src/pgmon/figures/looks.js'
import { Collectors } from '../../src/pgmon/history/collectors.js'
import { Partitions } from '../../src/pgmon/history/partitions.js'
import { RoundCounts } from '../../src/pgmon/history/round-counts.js'
import { Settings } from '../../src/pgmon/history/settings.js'
import { MIGRATIONS } from '../../src/pgmon/migrations.js'
import { ServerBook } from '../../src/pgmon/servers/server-book.js'
import type { MonitorTables } from '../../src/pgmon/tables.js'
import { openStore, type Room } from '../../src/store/index.js'
import { MovableClock } from '../../test/support/movable-clock.js'
import { attend } from './control.js'

export interface Round {
  readonly tookMs: number
  readonly cpuMicros: number
  /** Statements, to the servers and to our own tables. */
  readonly statements: number
  /** Visits that brought something home. */
  readonly kept: number
}

/** What was said, and on which connection, each by its number. */
interface Said {
  readonly line: number
  readonly database: string
  readonly text: string
  readonly values: readonly unknown[]
}

const ROUND_MS = 600_000
/** Between two looks whether the round is over, ms: visits that end call the next ones by themselves. */
const WAIT_MS = 10
/** Lines that are used side by side. */
const BESIDE = 8

const [mode, databaseUrl = '', ...rest] = process.argv.slice(2)

/** Everything that goes to a PostgreSQL, in the order that it goes in. */
const said: Said[] = []
function listen(): void {
  const lines = new Map<pg.Client, number>()
  // It has many forms, of which the first two arguments tell enough.
  const query = Reflect.get(pg.Client.prototype, 'query') as (...args: unknown[]) => unknown
  const heard = function (this: pg.Client, ...args: unknown[]) {
    const line = lines.get(this) ?? lines.size
    lines.set(this, line)
    const [first, second] = args as [string | { text: string; values?: unknown[] }, unknown]
    const text = typeof first === 'string' ? first : first.text
    const values = typeof first === 'string' ? second : first.values
    said.push({ line, database: this.database ?? '', text, values: Array.isArray(values) ? values : [] })
    return query.apply(this, args)
  }
  Reflect.set(pg.Client.prototype, 'query', heard)
}

async function ours(port: number, count: number): Promise<() => Promise<number>> {
  const clock = new MovableClock()
  const store = await openStore({ databaseUrl, overlay4: '10.64.0.0/10', overlay6: 'fd77:b050::/64' })
  const room = await store.room<MonitorTables>('pgmon', MIGRATIONS)
  const log = { level: 'info', debug() {}, info() {}, warn() {}, error() {} }
  const config = readConfig({
    flags: {},
    env: { BOSON_PGMON_NETWORKS: '127.0.0.1/32', DATABASE_URL: databaseUrl },
  })
  const host = { clock, log, random: systemRandom, config } as unknown as PluginHost // nothing else of it is used
  await addServers(room, port, count)
  const servers = new ServerBook({ host, room })
  await servers.load()
  const { databases } = startDatabases(
    { host, room },
    { servers, destinations: destinationsOf({ host, room }) },
  )
  const disks = { of: async () => null }
  const failed = (_: unknown, error: unknown) => {
    throw error
  }
  const looks = new ServerLooks({ clock, databases, disks, kindOf: () => 'postgres', failed })
  let kept = 0
  const collectors = new Collectors({
    clock,
    log,
    room,
    servers,
    settings: await Settings.open({ clock, log, room }),
    partitions: new Partitions(room),
    counts: new RoundCounts(),
    visits: { looks: Object.assign(looks, { refresh() {} }), disks, databases }, // nobody watches them
    visited: (_, { outcome, error }) => {
      if (outcome === 'kept') kept++
      else process.stderr.write(`${outcome}: ${error}\n`)
    },
  })
  return async () => {
    kept = 0
    clock.advance(ROUND_MS)
    for (let idle = 0; idle < 2; ) {
      await collectors.look()
      await setTimeout(WAIT_MS)
      idle = collectors.visiting > 0 ? 0 : idle + 1
    }
    return kept
  }
}

async function addServers(room: Room<MonitorTables>, port: number, count: number): Promise<void> {
  const at = new Date(0)
  const row = {
    is_own: false,
    is_enabled: true,
    description: '',
    host: '127.0.0.1',
    port,
    username: 'boson',
    tls: 'disable',
    pool: 'default',
    ssh_port: 22,
    ssh_user: '',
    ssh_auth: 'none',
    created_by: 'bench',
    created_at: at,
    changed_at: at,
  } as const
  const rows = Array.from({ length: count }, (_, i) => ({ ...row, name: `db-${i}`, database: `bench_${i}` }))
  await room.ask(db => db.insertInto('pgmon_servers').values(rows).execute())
}

/** The same statements on the same number of connections; those of one connection one after the other. */
async function bare(file: string): Promise<() => Promise<number>> {
  const all = JSON.parse(readFileSync(file, 'utf8')) as readonly Said[] // written by ours
  const byLine = new Map<number, Said[]>()
  for (const each of all) byLine.set(each.line, [...(byLine.get(each.line) ?? []), each])
  const lines = [...byLine.values()]
  const clients = await Promise.all(
    lines.map(async ([first]) => {
      const client = new pg.Client(urlOf(first?.database ?? ''))
      await client.connect()
      return client
    }),
  )
  return async () => {
    const waiting = lines.map((statements, i) => ({ statements, client: clients[i] as pg.Client })) // one each
    const work = async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
        for (const { text, values } of next.statements) await next.client.query(text, [...values])
    }
    await Promise.all(Array.from({ length: BESIDE }, work))
    return lines.length
  }
}

/** Our own tables are in a schema, the servers' databases beside it. */
function urlOf(database: string): string {
  const url = new URL(databaseUrl)
  if (url.pathname === `/${database}`) return databaseUrl
  url.pathname = `/${database}`
  url.search = ''
  return url.href
}

if (mode === 'ours') listen()
const round = mode === 'ours' ? await ours(Number(rest[0]), Number(rest[1])) : await bare(rest[0] ?? '')

attend(0, {
  async round(): Promise<Round> {
    const statements = said.length
    const before = process.cpuUsage()
    const startedMs = performance.now()
    const kept = await round()
    const { user, system } = process.cpuUsage(before)
    const tookMs = performance.now() - startedMs
    return { tookMs, cpuMicros: user + system, statements: said.length - statements, kept }
  },
  forget: () => void said.splice(0),
  /** Writes down what has been said since. */
  tell: () => writeFileSync(rest[2] ?? '', JSON.stringify(said)),
})
