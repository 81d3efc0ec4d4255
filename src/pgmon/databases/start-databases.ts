/** Connections to the servers that are watched. */
import { Destinations, type LookUp } from '../../http/destination.js'
import type { Ground, Part } from '../part.js'
import type { Servers } from '../ports.js'
import { databaseEndpoints } from './endpoints.js'
import { connectionFigures } from './figures.js'
import { ServerDatabases } from './server-databases.js'
import { type DatabaseTiming, TIMING } from './timing.js'

/** Returns what says where a server, and its machine, may be. */
export const destinationsOf = ({ host: { config } }: Ground, lookUp?: LookUp): Destinations =>
  new Destinations({
    allowed: config.pgmonNetworks,
    denied: [config.overlay4, config.overlay6],
    setting: 'BOSON_PGMON_NETWORKS',
    ...(lookUp && { lookUp }),
  })

export interface DatabasesNeeds {
  readonly servers: Servers
  readonly destinations: Destinations
  readonly timing?: Partial<DatabaseTiming> | undefined
}

export function startDatabases(
  ground: Ground,
  { servers, destinations, timing }: DatabasesNeeds,
): Part & { readonly databases: ServerDatabases } {
  const databases = new ServerDatabases({
    ground,
    servers,
    destinations,
    timing: { ...TIMING, ...timing },
  })
  return {
    databases,
    routes: databaseEndpoints(databases),
    figures: connectionFigures({ pools: () => databases.pools(), faults: databases.faults }),
    async stop() {
      databases.stop()
    },
  }
}
