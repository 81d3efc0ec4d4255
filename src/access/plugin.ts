/** Who may do what here: people and their accounts, what they bought, and the peers that it lets into the mesh. */
import type { Plugin } from '../app/plugin.js'
import { MIGRATIONS } from './migrations.js'
import type { Part } from './part.js'
import { startEntitlements } from './entitlements/start-entitlements.js'
import { startPayments } from './payments/start-payments.js'
import { startPeers } from './peers/start-peers.js'
import { startPeople } from './people.js'
import { provisionersOf } from './provisioners.js'
import type { AccessTables } from './tables.js'
import { startTariffs } from './tariffs/start-tariffs.js'

export const access: Plugin = {
  name: 'access',
  migrations: MIGRATIONS,
  async start(mesh, host) {
    const room = await host.room<AccessTables>()
    const ground = { mesh, host, room }
    const people = await startPeople(ground)
    const entitled = await startEntitlements(ground, people)
    const tariffs = startTariffs(ground, people, entitled)
    const peers = startPeers(ground, { ...entitled, provisioners: await provisionersOf(ground) })
    const payments = startPayments(ground, { people, ...entitled, ...peers })
    const parts: readonly Part[] = [people, entitled, tariffs, peers, payments]
    return {
      routes: parts.flatMap(({ routes }) => routes),
      figures: parts.flatMap(({ figures = [] }) => figures),
      recognise: people.recognise,
      rows: entitled.rows,
      async stop() {
        for (const part of parts.toReversed()) await part.stop()
      },
    }
  },
}
