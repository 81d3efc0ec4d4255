/** Servers that tell what a test says, beside real tables: they may hang, and be down. */
import type { PluginHost } from '../../src/app/plugin.js'
import type { Clock } from '../../src/kit/clock.js'
import type { ServerStats } from '../../src/pgmon/figures/forms.js'
import { nothingOf } from '../../src/pgmon/figures/stats.js'
import { Collectors, type Visited } from '../../src/pgmon/history/collectors.js'
import { Partitions } from '../../src/pgmon/history/partitions.js'
import { RoundCounts } from '../../src/pgmon/history/round-counts.js'
import { Settings } from '../../src/pgmon/history/settings.js'
import type { Databases, Disks, Looks, Server } from '../../src/pgmon/ports.js'
import { ServerBook } from '../../src/pgmon/servers/server-book.js'
import type { MonitorRoom } from './rooms.js'

const log = { level: 'info', debug() {}, info() {}, warn() {}, error() {} }

export class Watched implements Looks {
  readonly visited: (Visited & { readonly server: string })[] = []
  /** How often each was looked at. */
  readonly looks = new Map<string, number>()
  readonly hanging = new Set<string>()
  readonly #told = new Map<string, Partial<ServerStats>>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What a server tells from now on. */
  tell(name: string, stats: Partial<ServerStats>): void {
    this.#told.set(name, { ...this.#told.get(name), ...stats })
  }

  of(server: Server): ServerStats {
    const moment = { checkedAtMs: this.#clock.wallMs(), tookMs: 1 }
    const usual = nothingOf(server, 'postgres', { status: 'up', fault: null }, moment)
    return { ...usual, ...this.#told.get(server.name) }
  }

  stats(server: Server): Promise<ServerStats> {
    const { name } = server
    this.looks.set(name, (this.looks.get(name) ?? 0) + 1)
    return this.hanging.has(name) ? new Promise(() => {}) : Promise.resolve(this.of(server))
  }

  refresh(): void {}

  last(): null {
    return null
  }

  onLook(): () => void {
    return () => {}
  }
}

/** Adds servers with these names to the tables. */
export async function addServers(room: MonitorRoom, names: readonly string[]): Promise<void> {
  const at = new Date(0)
  const row = {
    is_own: false,
    is_enabled: true,
    description: '',
    host: '127.0.0.1',
    port: 5432,
    database: 'postgres',
    username: 'boson',
    tls: 'disable',
    pool: 'default',
    ssh_port: 22,
    ssh_user: '',
    ssh_auth: 'none',
    created_by: 'test',
    created_at: at,
    changed_at: at,
  } as const
  await room.ask(db =>
    db
      .insertInto('pgmon_servers')
      .values(names.map(name => ({ ...row, name })))
      .execute(),
  )
}

export interface Coordinator {
  readonly servers: ServerBook
  readonly settings: Settings
  readonly collectors: Collectors
}

/** Resolves with what one coordinator has of collecting; what becomes of visits is told to `watched`. */
export async function collecting(room: MonitorRoom, clock: Clock, watched: Watched): Promise<Coordinator> {
  const servers = new ServerBook({ room, host: { clock, log } as unknown as PluginHost }) // no secrets are opened
  await servers.load()
  const settings = await Settings.open({ clock, log, room })
  const nobody = { of: async () => null } satisfies Disks
  const databases = {
    use: (_server, _database, work) => work({ ask: async () => [], version: 150_000, kind: 'postgres' }),
    useNew: () => Promise.reject(new Error('not asked')),
    pools: () => [],
  } satisfies Databases
  const collectors = new Collectors({
    clock,
    log,
    room,
    servers,
    settings,
    partitions: new Partitions(room),
    counts: new RoundCounts(),
    visits: { looks: watched, disks: nobody, databases },
    visited: (server, visit) => void watched.visited.push({ server: server.name, ...visit }),
  })
  return { servers, settings, collectors }
}
