/** What the list of servers tells on the metrics page. */
import type { Figure } from '../../telemetry/figure.js'
import type { Looks, Servers } from '../ports.js'
import { STATUSES } from './forms.js'

export const serverFigures = (servers: Servers, looks: Pick<Looks, 'last'>): readonly Figure<void>[] => [
  {
    name: 'boson_pgmon_servers',
    help: 'Monitored servers by how they were at the last look.',
    type: 'gauge',
    read() {
      const counts = new Map<string, number>(STATUSES.map(status => [status, 0]))
      for (const { serverId, isEnabled } of servers.all()) {
        const status = isEnabled ? (looks.last(serverId)?.status ?? 'unknown') : 'disabled'
        counts.set(status, (counts.get(status) ?? 0) + 1)
      }
      return Array.from(counts, ([status, value]) => ({ labels: { status }, value }))
    },
  },
]
