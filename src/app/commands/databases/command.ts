/** `boson databases`: the PostgreSQL servers under the mesh. */
import type { Command } from 'commander'
import type { ServerRow } from '../../../pgmon/servers/forms.js'
import { asBytes, asDuration, asPercent, plain } from '../../columns.js'
import { listCommand, type ListSpec } from '../list-command.js'
import { addCommands } from './add.js'
import { importCommand } from './import.js'
import { showCommand } from './show.js'
import { testCommands } from './test.js'
import { workCommands } from './work.js'

const LIST: Omit<ListSpec<ServerRow>, 'name'> = {
  field: 'servers',
  path: '/pgmon/servers',
  description:
    'list the PostgreSQL servers under the mesh, at a glance; `show`, `locks` and others tell more',
  examples: [
    'boson databases                               the coordinator’s own first',
    'boson databases --status down --watch',
    'pass show pg/db1 | boson databases add db1 --host db1.example.org --user boson_monitor --password-file -',
    'boson databases test db1                      whether it lets us in, and what the role may do',
    'boson databases show db1',
    'boson databases locks db1 --watch             who waits for whom',
    'boson databases statements db1 --by reads     what costs the most',
    'boson databases remove db1',
  ],
  filters: { status: 'only those that are up, down, disabled or unknown' },
  sorts: ['name', 'host', 'status', 'uptime_s', 'connections', 'transactions_per_s', 'size_bytes'],
  heading: [
    'NAME',
    'STATE',
    'VERSION',
    'UP',
    'CONN',
    'BLOCKED',
    'TX/S',
    'HITS',
    'LAG',
    'SIZE',
    'DISK',
    'WHY',
  ],
  row: ({ name, status, version, is_replica, ...row }) => [
    name,
    is_replica === true && status === 'up' ? 'up, replica' : status,
    version,
    row.uptime_s === null ? null : asDuration(row.uptime_s),
    row.connections === null
      ? null
      : row.connections_max === null
        ? row.connections
        : `${row.connections} of ${row.connections_max}`,
    row.blocked,
    row.transactions_per_s === null ? null : Math.round(row.transactions_per_s),
    share(row.cache_hit_ratio),
    row.replication_lag_s === null ? null : asDuration(row.replication_lag_s),
    row.size_bytes === null ? null : asBytes(row.size_bytes),
    share(row.disk_used_ratio),
    row.fault === null ? null : plain(row.fault, WHY_MAX),
  ],
  none: 'no server: `boson databases add <name>` begins to watch one',
}

/** Why a server is down; `show` says all of it. Characters. */
const WHY_MAX = 60

const share = (ratio: number | null): string | null => asPercent(ratio === null ? null : ratio * 100)

/** Returns the command. */
export function databasesCommand(): Command {
  const databases = listCommand<ServerRow>({ ...LIST, name: 'databases' }).enablePositionalOptions()
  const subcommands = [
    listCommand<ServerRow>({ ...LIST, name: 'list', description: 'list servers, at a glance' }),
    showCommand(),
    ...addCommands(),
    ...testCommands(),
    ...workCommands(),
    importCommand(),
  ]
  for (const command of subcommands) databases.addCommand(command)
  return databases
}
