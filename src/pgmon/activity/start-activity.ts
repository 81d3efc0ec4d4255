/** What goes on in the servers now, and what operators do about it. */
import type { Ground, Part } from '../part.js'
import type { ActivityParts } from './asked.js'
import { lockEndpoints } from './lock-endpoints.js'
import { sessionEndpoints } from './session-endpoints.js'
import { statementEndpoints } from './statement-endpoints.js'
import { tableEndpoints } from './table-endpoints.js'

export function startActivity({ host }: Ground, needs: Omit<ActivityParts, 'host'>): Part {
  const parts = { ...needs, host }
  return {
    routes: [sessionEndpoints, lockEndpoints, statementEndpoints, tableEndpoints].flatMap(endpoints =>
      endpoints(parts),
    ),
    async stop() {},
  }
}
