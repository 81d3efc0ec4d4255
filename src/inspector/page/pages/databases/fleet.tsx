/** Every server that is watched, at a glance: what is wrong first, then each with its figures. */
import { byWeight, concernsOfRow } from '../../databases/concerns.js'
import type { ServerRow } from '../../databases/kinds.js'
import { Concerns, Meter, ServerLink, StatusTag } from '../../databases/marks.js'
import { addServer } from '../../databases/server-actions.js'
import { perSecond, ratio, seconds, STATUS_WORDS } from '../../databases/words.js'
import { useView } from '../../live/hooks.js'
import { may } from '../../live/who.js'
import { route, to } from '../../route.js'
import { Act } from '../../ui/actions.js'
import { Choice, TextFilter } from '../../ui/filters.js'
import { bytes, count, plural, UNKNOWN } from '../../ui/format.js'
import { Empty, Fault, Heading, Panel, Tag } from '../../ui/parts.js'
import { sorted } from '../../ui/sorted.js'
import { type Column, Table } from '../../ui/table.js'

/** As many as there can be: order and filters need no other look. */
const PATH = '/pgmon/servers?limit=200'
/** The coordinator itself looks at servers this often while somebody sees them, ms. */
const EVERY_MS = 5000
/** Concerns that are listed; the table has the rest. */
const MOST = 8

export function Fleet() {
  const { value, fault } = useView<{ readonly servers: readonly ServerRow[] }>(PATH, EVERY_MS)
  const { search = '', status, sort } = route.value.query
  const all = value?.servers ?? []
  const shown = sorted(
    all.filter(
      row =>
        `${row.name} ${row.host} ${row.description}`.toLowerCase().includes(search.toLowerCase()) &&
        (status === undefined || row.status === status),
    ),
    sort,
    keyOf,
  )
  const concerns = all.flatMap(row =>
    concernsOfRow(row).map(concern => ({ server: row.name, isNamed: true, concern })),
  )
  return (
    <>
      <Heading title="Servers" about={value === null ? '' : inShort(all)}>
        {may('operator') && <Act question={addServer} />}
      </Heading>
      {fault !== null && <Fault>{fault}</Fault>}
      {concerns.length > 0 && (
        <Panel
          title="Needs a look"
          {...(concerns.length > MOST && { about: `the first ${MOST} of ${count(concerns.length)}` })}
        >
          <Concerns of={concerns.toSorted((a, b) => byWeight(a.concern, b.concern)).slice(0, MOST)} />
        </Panel>
      )}
      {all.length > FEW && (
        <div class="filters">
          <TextFilter name="search" label="Name or host contains" wide />
          <Choice
            name="status"
            label="State"
            options={Object.entries(STATUS_WORDS).map(([name, { word }]) => [name, word] as const)}
          />
        </div>
      )}
      {value === null ? (
        fault === null && <div class="table-place" aria-busy="true" />
      ) : shown.length === 0 ? (
        <Empty title={all.length === 0 ? 'No server is watched yet' : 'No server meets the filters'}>
          {all.length === 0 && 'Add one: it needs a role that may connect and read statistics.'}
        </Empty>
      ) : (
        <Table
          caption="servers"
          columns={COLUMNS}
          rows={shown}
          keyOf={({ name }) => name}
          addressOf={({ name }) => to(['databases', name])}
          toneOf={({ status: now }) => (now === 'down' ? 'bad' : 'plain')}
        />
      )}
    </>
  )
}

/** From more than this on they are searched. */
const FEW = 8

/** `5 servers: 1 down, 4 up`. */
function inShort(all: readonly ServerRow[]): string {
  const of = (status: ServerRow['status']) => all.filter(row => row.status === status).length
  const parts = (['down', 'up', 'disabled', 'unknown'] as const).flatMap(status =>
    of(status) === 0 ? [] : `${count(of(status))} ${STATUS_WORDS[status].word}`,
  )
  return parts.length === 0 ? '' : `${plural(all.length, 'server')}: ${parts.join(', ')}`
}

const share = (part: number | null, whole: number | null): number | null =>
  part === null || whole === null || whole === 0 ? null : part / whole

/** What each column is ordered by. */
function keyOf(row: ServerRow, name: string): string | number | null {
  switch (name) {
    case 'name':
      return row.name
    case 'connections':
      return share(row.connections, row.connections_max)
    case 'uptime_s':
    case 'blocked':
    case 'transactions_per_s':
    case 'cache_hit_ratio':
    case 'replication_lag_s':
    case 'size_bytes':
    case 'disk_used_ratio':
      return row[name]
    default:
      return null
  }
}

/** A column of figures: only a server that answers has any. */
const figure = (column: Omit<Column<ServerRow>, 'kind'>): Column<ServerRow> => ({
  ...column,
  kind: 'number',
  cell: row => (row.status === 'up' ? column.cell(row) : <span class="not-asked quiet">{UNKNOWN}</span>),
})

const COLUMNS: readonly Column<ServerRow>[] = [
  {
    name: 'Server',
    sort: 'name',
    width: '25%',
    cell: row => (
      <span class="server-name">
        <span class="server-line">
          <ServerLink name={row.name} /> <StatusTag of={row.status} />
          {row.is_own && <Tag tone="accent">own</Tag>}
          {row.is_replica === true && <Tag>replica</Tag>}
        </span>
        {row.fault === null ? (
          <span class="quiet">{about(row)}</span>
        ) : (
          <span class="server-fault">{row.fault}</span>
        )}
      </span>
    ),
  },
  figure({ name: 'Up for', sort: 'uptime_s', width: '9%', cell: row => seconds(row.uptime_s) }),
  figure({
    name: 'Connections',
    sort: 'connections',
    width: '12%',
    about: 'Taken, of max_connections',
    cell: ({ connections, connections_max: max }) => (
      <Meter label="Connections taken" share={share(connections, max)}>
        {count(connections)}
        {max !== null && <span class="quiet"> / {count(max)}</span>}
      </Meter>
    ),
  }),
  figure({
    name: 'Blocked',
    sort: 'blocked',
    width: '8%',
    about: 'Sessions that wait for another one’s lock',
    cell: ({ name, blocked }) =>
      blocked !== null && blocked > 0 ? (
        <a href={to(['databases', name, 'locks'])}>
          <Tag tone="bad">{count(blocked)}</Tag>
        </a>
      ) : (
        count(blocked)
      ),
  }),
  figure({
    name: 'Transactions',
    sort: 'transactions_per_s',
    width: '10%',
    cell: row => perSecond(row.transactions_per_s),
  }),
  figure({
    name: 'Cache hit',
    sort: 'cache_hit_ratio',
    width: '8%',
    about: 'Blocks found in shared buffers, since the look before',
    cell: row => ratio(row.cache_hit_ratio),
  }),
  figure({
    name: 'Lag',
    sort: 'replication_lag_s',
    width: '8%',
    about: 'Of a replica, or of the slowest one it has',
    cell: row => seconds(row.replication_lag_s),
  }),
  figure({ name: 'Size', sort: 'size_bytes', width: '9%', cell: row => bytes(row.size_bytes) }),
  figure({
    name: 'Disk',
    sort: 'disk_used_ratio',
    width: '11%',
    about: 'Of the file system that its data is on',
    cell: ({ disk_used_ratio: used }) => (
      <Meter label="Disk used" share={used}>
        {ratio(used)}
      </Meter>
    ),
  }),
]

const about = ({ kind, version, host, port, description }: ServerRow): string =>
  [
    kind === 'pglite' ? 'PGlite' : version === null ? 'PostgreSQL' : `PostgreSQL ${version}`,
    kind === 'postgres' && host !== '' ? `${host}:${port}` : '',
    description,
  ]
    .filter(Boolean)
    .join(' · ')
