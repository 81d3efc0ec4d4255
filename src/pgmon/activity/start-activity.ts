/** What goes on in the servers now, and what operators do about it. */
import type { Ground, Part } from '../part.js'
import { adviceEndpoint } from './advice-endpoint.js'
import type { ActivityParts } from './asked.js'
import { lockEndpoints } from './lock-endpoints.js'
import { sessionEndpoints } from './session-endpoints.js'
import { statementEndpoints } from './statement-endpoints.js'
import { tableEndpoints } from './table-endpoints.js'

export function startActivity({ host }: Ground, needs: Omit<ActivityParts, 'host'>): Part {
  const parts = { ...needs, host }
  return {
    routes: [
      ...sessionEndpoints(parts),
      ...lockEndpoints(parts),
      ...statementEndpoints(parts),
      ...tableEndpoints(parts),
      adviceEndpoint(parts),
    ],
    async stop() {},
  }
}
