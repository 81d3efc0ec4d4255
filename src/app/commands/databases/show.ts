/** `boson databases show`: one server, in all that it tells. */
import type { Command } from 'commander'
import type { ServerStats } from '../../../pgmon/figures/forms.js'
import { asBytes, asDuration, asPercent, columns, plain } from '../../columns.js'
import { Operator } from '../../operator.js'
import { addWatchOptions, show, showOptions } from '../../watching.js'
import { aboutServer, facts, optionsOf } from './about-server.js'

/** Returns the command. */
export const showCommand = (): Command =>
  addWatchOptions(aboutServer('show', 'show what a server tells of itself, and what it cannot tell')).action(
    async (name: string, _, command: Command) => {
      const options = optionsOf(command)
      const operator = new Operator(options)
      const path = `/pgmon/server_stats/${encodeURIComponent(name)}`
      await show(
        { look: () => operator.ask<ServerStats>('GET', path), page: serverPage },
        showOptions(options),
      )
    },
  )

/** Returns what a person sees. */
export function serverPage(stats: ServerStats): string {
  const parts = [
    facts([...identity(stats), ...load(stats), ...keeping(stats)]),
    table(
      ['DATABASE', 'OWNER', 'CONN', 'TX/S', 'HITS', 'SIZE'],
      stats.databases.map(row => [
        row.name,
        row.owner,
        row.connections,
        sum(row.commits_per_s, row.rollbacks_per_s),
        share(row.cache_hit_ratio),
        row.size_bytes === null ? null : asBytes(row.size_bytes),
      ]),
    ),
    table(
      ['REPLICA', 'ADDRESS', 'STATE', 'SYNC', 'LAG', 'BEHIND'],
      (stats.replication?.replicas ?? []).map(row => [
        row.name,
        row.address,
        row.state,
        row.sync,
        row.replay_lag_s === null ? null : asDuration(row.replay_lag_s),
        row.lag_bytes === null ? null : asBytes(row.lag_bytes),
      ]),
    ),
    table(
      ['MOUNT', 'SIZE', 'USED', 'FREE', 'DATA'],
      (stats.disks ?? []).map(row => [
        row.mount,
        asBytes(row.size_bytes),
        asPercent((100 * row.used_bytes) / Math.max(1, row.size_bytes)),
        asBytes(row.available_bytes),
        row.holds_data ? 'here' : null,
      ]),
    ),
    ...stats.unknown.map(({ what, why }) => `not known: ${plain(what)}: ${plain(why)}`),
  ]
  return parts.filter(part => part !== '').join('\n\n')
}

type Facts = readonly (readonly [name: string, value: string | null])[]

const identity = ({ fault, role, ...stats }: ServerStats): Facts => [
  ['server', `${plain(stats.name)}${stats.is_own ? ', the coordinator’s own' : ''}`],
  ['state', fault === null ? stats.status : `${stats.status}: ${plain(fault)}`],
  ['version', stats.version === null ? null : `${nameOfKind(stats.kind)} ${plain(stats.version)}`],
  ['up', stats.uptime_s === null ? null : asDuration(stats.uptime_s)],
  ['as', role === null ? null : [plain(role.name), ...rights(role)].join(', ')],
]

const nameOfKind = (kind: ServerStats['kind']): string => (kind === 'pglite' ? 'embedded,' : 'PostgreSQL')

const rights = (role: NonNullable<ServerStats['role']>): readonly string[] => [
  ...(role.is_superuser ? ['a superuser'] : []),
  ...(role.is_monitor ? [] : ['without pg_monitor']),
  ...(role.can_signal ? [] : ['without pg_signal_backend']),
]

const load = ({ connections, ...stats }: ServerStats): Facts => [
  [
    'connections',
    connections &&
      `${connections.total}${connections.max === null ? '' : ` of ${connections.max}`}: ${connections.active} active, ${connections.idle} idle, ${connections.idle_in_transaction} idle in a transaction, ${connections.waiting} waiting`,
  ],
  ['blocked', stats.blocked === null ? null : String(stats.blocked)],
  [
    'transactions',
    stats.commits_per_s === null
      ? null
      : `${rounded(stats.commits_per_s)} a second, ${rounded(stats.rollbacks_per_s ?? 0)} rolled back`,
  ],
  ['oldest', stats.oldest_transaction_s === null ? null : asDuration(stats.oldest_transaction_s)],
  ['cache hits', share(stats.cache_hit_ratio)],
  ['deadlocks', stats.deadlocks === null ? null : String(stats.deadlocks)],
]

const keeping = ({ wal, replication, ...stats }: ServerStats): Facts => [
  ['size', stats.size_bytes === null ? null : asBytes(stats.size_bytes)],
  ['freeze age', stats.freeze_age === null ? null : `${stats.freeze_age} transactions`],
  ['WAL', wal?.bytes_per_s == null ? null : `${asBytes(wal.bytes_per_s)} a second`],
  [
    'lag',
    replication?.is_replica === true && replication.lag_s !== null ? asDuration(replication.lag_s) : null,
  ],
  [
    'slots',
    (replication?.slots ?? [])
      .map(
        ({ name, active, retained_bytes }) =>
          `${plain(name)} (${active ? 'in use' : 'unused'}${retained_bytes === null ? '' : `, holds ${asBytes(retained_bytes)}`})`,
      )
      .join(', '),
  ],
]

const table = (...[heading, rows]: Parameters<typeof columns>): string =>
  rows.length === 0 ? '' : columns(heading, rows)

const share = (ratio: number | null): string | null => asPercent(ratio === null ? null : ratio * 100)

const rounded = (perS: number): string => (perS < 10 ? perS.toFixed(1) : String(Math.round(perS)))

const sum = (a: number | null, b: number | null): number | null =>
  a === null ? null : Math.round(a + (b ?? 0))
