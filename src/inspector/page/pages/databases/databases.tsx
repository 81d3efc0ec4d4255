/** The databases of a server. */
import type { DatabaseRow, ServerStats } from '../../databases/kinds.js'
import { FREEZE_ABOUT, FreezeAge } from '../../databases/marks.js'
import { perSecond, ratio } from '../../databases/words.js'
import { route, to } from '../../route.js'
import { bytes, count } from '../../ui/format.js'
import { Empty } from '../../ui/parts.js'
import { sorted } from '../../ui/sorted.js'
import { type Column, Table } from '../../ui/table.js'
import { OneDatabase } from './database.js'

/** `database`: one of them; absent: all. */
export function Databases(props: {
  readonly server: string
  readonly stats: ServerStats | null
  readonly database: string | undefined
}) {
  const { server, stats, database } = props
  if (database !== undefined)
    return (
      <OneDatabase
        key={database}
        server={server}
        name={database}
        figures={stats?.databases.find(({ name }) => name === database) ?? null}
      />
    )
  if (stats === null) return <div class="table-place" aria-busy="true" />
  if (stats.databases.length === 0)
    return <Empty title="Nothing is known of its databases">It has told none.</Empty>
  return (
    <Table
      caption="databases"
      columns={databaseColumns(server)}
      rows={sorted(stats.databases, route.value.query['sort'], databaseKey)}
      keyOf={({ name }) => name}
      addressOf={({ name }) => to(['databases', server, 'databases', name])}
    />
  )
}

const databaseKey = (row: DatabaseRow, name: string): string | number | null =>
  (row as unknown as Readonly<Record<string, string | number | null>>)[name] ?? null // its fields are these

const databaseColumns = (server: string): readonly Column<DatabaseRow>[] => [
  {
    name: 'Database',
    sort: 'name',
    kind: 'name',
    cell: ({ name, owner }) => (
      <>
        <a href={to(['databases', server, 'databases', name])}>{name}</a>
        {owner !== null && <span class="below quiet">of {owner}</span>}
      </>
    ),
  },
  { name: 'Size', sort: 'size_bytes', kind: 'number', cell: row => bytes(row.size_bytes) },
  { name: 'Connections', sort: 'connections', kind: 'number', cell: row => count(row.connections) },
  { name: 'Commits', sort: 'commits_per_s', kind: 'number', cell: row => perSecond(row.commits_per_s) },
  {
    name: 'Rolled back',
    sort: 'rollbacks_per_s',
    kind: 'number',
    cell: row => perSecond(row.rollbacks_per_s),
  },
  { name: 'Cache hit', sort: 'cache_hit_ratio', kind: 'number', cell: row => ratio(row.cache_hit_ratio) },
  {
    name: 'Rows read',
    sort: 'tuples_read_per_s',
    kind: 'number',
    cell: row => perSecond(row.tuples_read_per_s),
  },
  {
    name: 'Rows written',
    sort: 'tuples_written_per_s',
    kind: 'number',
    cell: row => perSecond(row.tuples_written_per_s),
  },
  { name: 'Deadlocks', sort: 'deadlocks', kind: 'number', cell: row => count(row.deadlocks) },
  {
    name: 'Freeze age',
    sort: 'freeze_age',
    kind: 'number',
    about: FREEZE_ABOUT,
    cell: row => <FreezeAge of={row.freeze_age} />,
  },
]
