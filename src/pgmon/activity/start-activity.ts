/** What goes on in the servers now, and what operators do about it. */
import type { Ground, Part } from '../part.js'
import type { Databases, Servers } from '../ports.js'
import { sessionEndpoints } from './session-endpoints.js'

export interface ActivityNeeds {
  readonly servers: Servers
  readonly databases: Databases
}

export function startActivity({ host }: Ground, { servers, databases }: ActivityNeeds): Part {
  const parts = { servers, databases, clock: host.clock, audit: host.audit }
  return { routes: sessionEndpoints(parts), async stop() {} }
}
