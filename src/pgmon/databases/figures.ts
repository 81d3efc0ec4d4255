/** What connections to servers tell on the metrics page. */
import type { Figure, Sample } from '../../telemetry/figure.js'
import type { PoolView, ServerFaultCode } from '../ports.js'

export interface ConnectionSources {
  readonly pools: () => readonly PoolView[]
  readonly faults: ReadonlyMap<ServerFaultCode, number>
}

export const connectionFigures = ({ pools, faults }: ConnectionSources): readonly Figure<void>[] => [
  {
    name: 'boson_pgmon_connections',
    help: 'Connections to monitored servers by server and state: lent to a question, idle, or wanted by questions that wait.',
    type: 'gauge',
    read: () => connections(pools()),
  },
  {
    name: 'boson_pgmon_faults_total',
    help: 'Questions to monitored servers that had no answer by why: away, busy, refused, destination, disabled, secret.',
    type: 'counter',
    read: () =>
      Array.from(faults, ([code, value]) => ({
        labels: { why: code.replace('SERVER_', '').toLowerCase() },
        value,
      })),
  },
]

/** All databases of a server together: there are few servers, and any number of databases. */
function connections(pools: readonly PoolView[]): Sample[] {
  const byServer = new Map<string, { lent: number; idle: number; wanted: number }>()
  for (const { server, total, idle, waiting } of pools) {
    const sums = byServer.get(server) ?? { lent: 0, idle: 0, wanted: 0 }
    sums.lent += total - idle
    sums.idle += idle
    sums.wanted += waiting
    byServer.set(server, sums)
  }
  return [...byServer].flatMap(([server, sums]) =>
    Object.entries(sums).map(([state, value]) => ({ labels: { server, state }, value })),
  )
}
