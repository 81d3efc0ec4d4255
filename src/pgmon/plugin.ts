/** The databases under the mesh: what each PostgreSQL tells of itself, now and before. */
import type { Plugin } from '../app/plugin.js'
import { MIGRATIONS } from './migrations.js'
import type { Part } from './part.js'
import type { MonitorTables } from './tables.js'

export const pgmon: Plugin = {
  name: 'pgmon',
  migrations: MIGRATIONS,
  async start(_mesh, host) {
    await host.room<MonitorTables>()
    const parts: readonly Part[] = []
    return {
      routes: parts.flatMap(({ routes }) => routes),
      figures: parts.flatMap(({ figures = [] }) => figures),
      async stop() {
        for (const part of parts.toReversed()) await part.stop()
      },
    }
  },
}
