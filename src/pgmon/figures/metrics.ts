/** What looks at servers tell on the metrics page: how they went, and of each server what somebody may be woken for. */
import { Histogram } from '../../kit/histogram.js'
import type { Figure, Sample } from '../../telemetry/figure.js'
import type { Looks, Servers } from '../ports.js'
import type { ServerStats } from './forms.js'
import { diskUsedOf, lagOf } from './glance.js'

/** Servers that have lines of their own. */
const SERVERS_MAX = 200

/** Counts since the start. */
export class LookCounts {
  readonly #outcomes = { up: 0, down: 0 }
  readonly #ms = new Histogram([5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000])

  looked({ status, took_ms: tookMs }: ServerStats): void {
    this.#outcomes[status === 'up' ? 'up' : 'down']++
    this.#ms.observe(tookMs ?? 0)
  }

  figures(): readonly Figure<void>[] {
    return [
      {
        name: 'boson_pgmon_looks_total',
        help: 'Looks at monitored servers, by whether the server answered.',
        type: 'counter',
        read: () =>
          Object.entries(this.#outcomes).map(([outcome, value]) => ({ labels: { outcome }, value })),
      },
      {
        name: 'boson_pgmon_look_duration_seconds',
        help: 'How long a look at a monitored server took, whether it answered or not.',
        type: 'histogram',
        scale: 0.001,
        read: () => this.#ms,
      },
    ]
  }
}

interface Gauge {
  readonly name: string
  readonly help: string
  readonly type: 'gauge' | 'counter'
  readonly of: (stats: ServerStats) => number | null
}

const GAUGES: readonly Gauge[] = [
  {
    name: 'boson_pgmon_server_up',
    help: 'Whether a monitored server answered at the last look.',
    type: 'gauge',
    of: ({ status }) => Number(status === 'up'),
  },
  {
    name: 'boson_pgmon_server_connections_ratio',
    help: 'Connections of a monitored server, of those that it allows to others than superusers; 0 where there is no limit.',
    type: 'gauge',
    of: ({ connections }) => {
      if (connections === null) return null
      const { total, max, reserved } = connections
      return max === null ? 0 : total / Math.max(1, max - (reserved ?? 0))
    },
  },
  {
    name: 'boson_pgmon_server_replication_lag_seconds',
    help: 'How far a monitored replica is behind, or the slowest replica of a server; 0 where there is none.',
    type: 'gauge',
    of: stats => {
      const { replication } = stats
      const isAlone = replication?.is_replica === false && replication.replicas.length === 0
      return isAlone ? 0 : lagOf(stats)
    },
  },
  {
    name: 'boson_pgmon_server_slot_retained_bytes',
    help: 'WAL that the replication slots of a monitored server hold back, by the one that holds the most.',
    type: 'gauge',
    of: ({ replication }) =>
      replication === null
        ? null
        : Math.max(0, ...replication.slots.map(({ retained_bytes: bytes }) => bytes ?? 0)),
  },
  {
    name: 'boson_pgmon_server_freeze_age_transactions',
    help: 'Transactions since the oldest row of a monitored server was frozen; near 2,100,000,000 it takes no more writes.',
    type: 'gauge',
    of: ({ freeze_age: age }) => age,
  },
  {
    name: 'boson_pgmon_server_cache_hit_ratio',
    help: 'Blocks that a monitored server found in its cache, of those it wanted between the last two looks.',
    type: 'gauge',
    of: ({ cache_hit_ratio: ratio }) => ratio,
  },
  {
    name: 'boson_pgmon_server_disk_used_ratio',
    help: 'How full the file system is that the data of a monitored server is on, where SSH tells it.',
    type: 'gauge',
    of: diskUsedOf,
  },
  {
    name: 'boson_pgmon_server_deadlocks_total',
    help: 'Deadlocks that a monitored server has counted.',
    type: 'counter',
    of: ({ deadlocks }) => deadlocks,
  },
]

/** Returns figures of each server, from what was last seen of it. */
export const serverFigures = (servers: Servers, looks: Pick<Looks, 'last'>): readonly Figure<void>[] =>
  GAUGES.map(({ of, ...figure }) => ({ ...figure, read: () => samplesOf(servers, looks, of) }))

function samplesOf(servers: Servers, looks: Pick<Looks, 'last'>, of: Gauge['of']): readonly Sample[] {
  return servers
    .all()
    .slice(0, SERVERS_MAX)
    .flatMap(({ serverId, name, isEnabled }) => {
      const stats = isEnabled ? looks.last(serverId) : null
      const value = stats === null ? null : of(stats)
      return value === null ? [] : [{ labels: { server: name }, value }]
    })
}
