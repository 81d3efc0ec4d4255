/** The list of monitored servers and the connections to them, without a coordinator around them. */
import { rmSync } from 'node:fs'
import type { Test } from 'tap'
import { readConfig } from '../../src/app/config.js'
import type { PluginHost } from '../../src/app/plugin.js'
import { openVault } from '../../src/app/vault.js'
import type { LookUp } from '../../src/http/destination.js'
import { type Clock, systemClock } from '../../src/kit/clock.js'
import { systemRandom } from '../../src/kit/random.js'
import { destinationsOf, startDatabases } from '../../src/pgmon/databases/start-databases.js'
import type { DatabaseTiming } from '../../src/pgmon/databases/timing.js'
import { MIGRATIONS } from '../../src/pgmon/migrations.js'
import type { Server } from '../../src/pgmon/ports.js'
import { ServerCreate } from '../../src/pgmon/servers/bodies.js'
import { startServers } from '../../src/pgmon/servers/start-servers.js'
import type { MonitorTables } from '../../src/pgmon/tables.js'
import { openStore } from '../../src/store/index.js'
import { shortFolder } from '../support/short-folder.js'

interface WatchingOptions {
  /** Of the coordinator itself; the embedded database when absent. */
  readonly databaseUrl?: string
  readonly clock?: Clock
  readonly networks?: string
  readonly lookUp?: LookUp
  readonly timing?: Partial<DatabaseTiming>
}

/** Resolves with what watches servers; it stops when the test ends. */
export async function watching(t: Test, options: WatchingOptions = {}) {
  const { databaseUrl, clock = systemClock, networks = '127.0.0.1', lookUp, timing } = options
  const config = readConfig({
    flags: {},
    env: {
      NODE_ENV: 'test',
      BOSON_PGMON_NETWORKS: networks,
      ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
    },
  })
  const dataDir = shortFolder()
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const { overlay4, overlay6 } = config
  const store = await openStore({ dataDir, databaseUrl, overlay4, overlay6 })
  t.teardown(() => store.close())
  const host = {
    config,
    clock,
    random: systemRandom,
    log: { debug() {} },
    vault: openVault('a-key-that-is-known-to-this-test-only', systemRandom),
  } as unknown as PluginHost // all that the two parts ask of it
  const ground = { host, room: await store.room<MonitorTables>('pgmon', MIGRATIONS) }
  const list = await startServers(ground)
  const { servers } = list
  const { databases, stop } = startDatabases(ground, {
    servers,
    destinations: destinationsOf(ground, lookUp),
    timing,
  })
  t.teardown(async () => {
    await stop()
    await list.stop()
  })
  const add = (wish: object): Promise<Server> =>
    servers.add(ServerCreate.parse({ tls: 'disable', user: 'watcher', password: 'right', ...wish }), 'test')
  return { servers, databases, add }
}
