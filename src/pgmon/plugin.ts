/** The databases under the mesh: what each PostgreSQL tells of itself, now and before. */
import type { Plugin, PluginHost } from '../app/plugin.js'
import type { LookUp } from '../http/destination.js'
import { startActivity } from './activity/start-activity.js'
import { destinationsOf, startDatabases } from './databases/start-databases.js'
import { startDisks } from './disks/start-disks.js'
import { startFigures } from './figures/start-figures.js'
import { startHistory } from './history/start-history.js'
import { importEndpoint } from './import/import-endpoint.js'
import { MIGRATIONS } from './migrations.js'
import type { Part } from './part.js'
import { serverFigures } from './servers/figures.js'
import { serverEndpoints } from './servers/server-endpoints.js'
import { startServers } from './servers/start-servers.js'
import { startSshKeys } from './ssh-keys/start-ssh-keys.js'
import type { MonitorTables } from './tables.js'

export interface PgmonOptions {
  readonly lookUp?: LookUp
}

/** Returns the plug-in; its look-ups may be others in a test. */
export const pgmonPlugin = (options: PgmonOptions = {}): Plugin => ({
  name: 'pgmon',
  migrations: MIGRATIONS,
  start: (_mesh, host) => start(host, options),
})

export const pgmon: Plugin = pgmonPlugin()

async function start(host: PluginHost, { lookUp }: PgmonOptions): ReturnType<Plugin['start']> {
  const ground = { host, room: await host.room<MonitorTables>() }
  const destinations = destinationsOf(ground, lookUp)
  const sshKeys = startSshKeys(ground)
  const servers = await startServers(ground)
  const databases = startDatabases(ground, { ...servers, destinations })
  const disks = startDisks(ground, { ...servers, ...sshKeys, destinations })
  const figures = startFigures(ground, { ...servers, ...databases, ...disks })
  const activity = startActivity(ground, { ...servers, ...databases })
  const history = await startHistory(ground, { ...servers, ...databases, ...figures, ...disks })
  const parts: readonly Part[] = [sshKeys, servers, databases, disks, figures, activity, history]
  return {
    routes: [
      ...serverEndpoints(ground, { ...servers, ...databases, destinations, looks: figures.looks }),
      importEndpoint({ ...servers, ...sshKeys, destinations, audit: event => host.audit(event) }),
      ...parts.flatMap(({ routes }) => routes),
    ],
    figures: [
      ...serverFigures(servers.servers, figures.looks),
      ...parts.flatMap(({ figures: more = [] }) => more),
    ],
    async stop() {
      for (const part of parts.toReversed()) await part.stop()
    },
  }
}
