/** The databases of a server, and one of them with its largest tables. */
import type { DatabaseRow, DatabaseStats, ServerStats, Table as Relation } from '../../databases/kinds.js'
import { Meter } from '../../databases/marks.js'
import { millions, perSecond, ratio, roughly } from '../../databases/words.js'
import { useView } from '../../live/hooks.js'
import { route, to } from '../../route.js'
import { nowMs } from '../../ui/clock.js'
import { bytes, compact, count, moment } from '../../ui/format.js'
import { Empty, Fault, Panel, Stat, Tag } from '../../ui/parts.js'
import { sorted } from '../../ui/sorted.js'
import { type Column, Table } from '../../ui/table.js'
import { Before } from './before.js'
import { NotTold } from './not-told.js'

/** `database`: one of them; absent: all. */
export function Databases(props: {
  readonly server: string
  readonly stats: ServerStats | null
  readonly database: string | undefined
}) {
  const { server, stats, database } = props
  if (database !== undefined) return <One key={database} server={server} name={database} />
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

/** Transactions: from here on PostgreSQL freezes whatever it costs, and at twice of it stops. */
const FREEZE_AT = 2_000_000_000

const freeze = (age: number | null) => (
  <Meter label="On the way to a stop" share={age === null ? null : age / FREEZE_AT}>
    {millions(age)}
  </Meter>
)
const FREEZE_ABOUT = 'Transactions since its oldest row was frozen; at 2,000 million it stops'

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
    cell: row => freeze(row.freeze_age),
  },
]

/** Its largest tables are looked at anew at most this often, ms: that is dearer than a look at the server. */
const EVERY_MS = 15_000

function One({ server, name }: { readonly server: string; readonly name: string }) {
  const path = `/pgmon/server/${encodeURIComponent(server)}/db/${encodeURIComponent(name)}`
  const { value, fault, status } = useView<DatabaseStats>(path, EVERY_MS)
  const all = <a href={to(['databases', server, 'databases'])}>All databases of {server}</a>
  if (status === 404) return <Empty title={`There is no database ${name}`}>{all}</Empty>
  return (
    <>
      <p class="crumbs">
        {all} <span aria-hidden="true">›</span> <strong>{name}</strong>
      </p>
      {fault !== null && <Fault>{fault}</Fault>}
      {value === null ? (
        fault === null && <div class="table-place" aria-busy="true" />
      ) : (
        <Whole of={value} path={path} />
      )}
    </>
  )
}

const Whole = ({
  of: { database, tables, unknown },
  path,
}: {
  readonly of: DatabaseStats
  readonly path: string
}) => (
  <>
    <dl class="stats">
      <Stat label="Size">{bytes(database.size_bytes)}</Stat>
      <Stat label="Connections">{count(database.connections)}</Stat>
      <Stat label="Commits" about={`${perSecond(database.rollbacks_per_s)} rolled back`}>
        {perSecond(database.commits_per_s)}
      </Stat>
      <Stat label="Cache hit" about="since the look before">
        {ratio(database.cache_hit_ratio)}
      </Stat>
      <Stat label="Deadlocks" about={since(database)}>
        {count(database.deadlocks)}
      </Stat>
      <Stat label="Temporary files" about={since(database)}>
        {bytes(database.temp_bytes)}
      </Stat>
    </dl>
    <Panel title="Tables" about="the largest first" flush={tables.length > 0}>
      {tables.length === 0 ? (
        <p class="quiet">It has no tables that are seen.</p>
      ) : (
        <Table
          caption="tables"
          columns={TABLES}
          rows={sorted(tables, route.value.query['sort'], tableKey)}
          keyOf={tableName}
        />
      )}
    </Panel>
    <Before path={`${path}/stats`} kind="database" />
    <NotTold of={unknown} />
  </>
)

const since = ({ stats_reset_at: at }: DatabaseRow): string =>
  at === null ? 'since the beginning' : `since ${moment(Date.parse(at), nowMs.value)}`

const tableName = ({ schema, name }: Relation): string => (schema === 'public' ? name : `${schema}.${name}`)

function tableKey(table: Relation, name: string): string | number | null {
  if (name === 'table') return tableName(table)
  if (name === 'dead') return deadShare(table)
  return (table as unknown as Readonly<Record<string, string | number | null>>)[name] ?? null // its fields are these
}

const deadShare = ({ live_rows: live, dead_rows: dead }: Relation): number | null =>
  live + dead === 0 ? null : dead / (live + dead)

/** From this share of dead rows on vacuum is behind: it comes at a fifth by itself. */
const DEAD = 0.25

const TABLES: readonly Column<Relation>[] = [
  { name: 'Table', sort: 'table', kind: 'name', cell: table => <span class="mono">{tableName(table)}</span> },
  {
    name: 'Size',
    sort: 'total_bytes',
    kind: 'number',
    about: 'With its indexes and what is stored beside it',
    cell: ({ total_bytes: total }) => bytes(total),
  },
  { name: 'Indexes', sort: 'index_bytes', kind: 'number', cell: ({ index_bytes: size }) => bytes(size) },
  { name: 'Rows', sort: 'live_rows', kind: 'number', cell: ({ live_rows: rows }) => compact(rows) },
  {
    name: 'Dead',
    sort: 'dead',
    kind: 'number',
    about: 'Share of rows that nobody sees any more, until vacuum',
    cell: table => {
      const dead = deadShare(table)
      return dead !== null && dead >= DEAD ? <Tag tone="warn">{ratio(dead)}</Tag> : ratio(dead)
    },
  },
  {
    name: 'Bloat',
    sort: 'bloat_bytes',
    kind: 'number',
    about: 'An estimate: wrong by a tenth at best',
    cell: ({ bloat_bytes: bloat }) => (bloat === null ? bytes(null) : `≈ ${bytes(bloat)}`),
  },
  {
    name: 'Scans',
    sort: 'sequential_scans',
    kind: 'number',
    about: 'Sequential, and by an index',
    cell: ({ sequential_scans: whole, index_scans: by }) => `${compact(whole)} / ${compact(by)}`,
  },
  {
    name: 'Vacuumed',
    sort: 'last_vacuum_at',
    kind: 'number',
    cell: ({ last_vacuum_at: at }) => <Since at={at} />,
  },
  {
    name: 'Analyzed',
    sort: 'last_analyze_at',
    kind: 'number',
    cell: ({ last_analyze_at: at }) => <Since at={at} />,
  },
  {
    name: 'Freeze age',
    sort: 'freeze_age',
    kind: 'number',
    about: FREEZE_ABOUT,
    cell: row => freeze(row.freeze_age),
  },
]

const Since = ({ at }: { readonly at: string | null }) =>
  at === null ? (
    <span class="quiet">never</span>
  ) : (
    <time dateTime={at} title={moment(Date.parse(at), nowMs.value)}>
      {roughly((nowMs.value - Date.parse(at)) / 1000)}
    </time>
  )
