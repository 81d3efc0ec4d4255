/** One database of a server: its figures, its largest tables, what they cost. */
import type {
  DatabaseRow,
  Table as Relation,
  Tables,
  TablesGrowth,
  UnusedIndex,
} from '../../databases/kinds.js'
import { FREEZE_ABOUT, FreezeAge } from '../../databases/marks.js'
import { perSecond, ratio, roughly } from '../../databases/words.js'
import { useView } from '../../live/hooks.js'
import { route, to } from '../../route.js'
import { nowMs } from '../../ui/clock.js'
import { bytes, compact, count, moment } from '../../ui/format.js'
import { Empty, Fault, Panel, Stat, Tag } from '../../ui/parts.js'
import { sorted } from '../../ui/sorted.js'
import { type Column, Table } from '../../ui/table.js'
import { Before } from './before.js'
import { NotTold } from './not-told.js'

/** Its largest tables are looked at anew at most this often, ms: that is dearer than a look at the server. */
const EVERY_MS = 15_000
/** Kept once a day, ms. */
const GROWTH_EVERY_MS = 300_000

/** `figures`: what the server tells of it; null: nothing yet. */
export function OneDatabase(props: {
  readonly server: string
  readonly name: string
  readonly figures: DatabaseRow | null
}) {
  const { server, name, figures } = props
  const path = `/pgmon/server/${encodeURIComponent(server)}/db/${encodeURIComponent(name)}/tables`
  const { value, fault, status } = useView<Tables>(path, EVERY_MS)
  const { value: growth } = useView<TablesGrowth>(`${path}/stats`, GROWTH_EVERY_MS)
  const all = <a href={to(['databases', server, 'databases'])}>All databases of {server}</a>
  if (status === 404 && figures === null) return <Empty title={`There is no database ${name}`}>{all}</Empty>
  return (
    <>
      <p class="crumbs">
        {all} <span aria-hidden="true">›</span> <strong>{name}</strong>
      </p>
      {figures !== null && <Figures of={figures} />}
      {fault !== null && <Fault>{fault}</Fault>}
      {value === null ? (
        fault === null && <div class="table-place" aria-busy="true" />
      ) : (
        <Largest of={value} before={sizesBefore(growth)} />
      )}
      <Before server={server} database={name} />
      {value !== null && <NotTold of={value.unknown} />}
    </>
  )
}

const Figures = ({ of }: { readonly of: DatabaseRow }) => (
  <dl class="stats">
    <Stat label="Size">{bytes(of.size_bytes)}</Stat>
    <Stat label="Connections">{count(of.connections)}</Stat>
    <Stat label="Commits" about={`${perSecond(of.rollbacks_per_s)} rolled back`}>
      {perSecond(of.commits_per_s)}
    </Stat>
    <Stat label="Cache hit" about="since the look before">
      {ratio(of.cache_hit_ratio)}
    </Stat>
    <Stat label="Deadlocks" about={since(of)}>
      {count(of.deadlocks)}
    </Stat>
    <Stat label="Temporary files" about={since(of)}>
      {bytes(of.temp_bytes)}
    </Stat>
  </dl>
)

/** What tables had when they were first kept within the last 30 days, bytes, by name. */
type Sizes = ReadonlyMap<string, number>

const sizesBefore = (growth: TablesGrowth | null): Sizes =>
  new Map((growth?.tables ?? []).map(table => [tableName(table), table.total_bytes[0] ?? 0]))

const Largest = (props: { readonly of: Tables; readonly before: Sizes }) => {
  const {
    of: { tables, unused_indexes: unused },
    before,
  } = props
  const grown = (table: Relation) => grownBy(table, before)
  return (
    <>
      <Panel title="Tables" about="the largest first" flush={tables.length > 0}>
        {tables.length === 0 ? (
          <p class="quiet">It has no tables that are seen.</p>
        ) : (
          <Table
            caption="tables"
            columns={columnsOf(grown)}
            rows={sorted(tables, route.value.query['sort'], (table, name) => tableKey(table, name, grown))}
            keyOf={tableName}
          />
        )}
      </Panel>
      {unused.length > 0 && (
        <Panel
          title="Indexes that nothing was looked up in"
          about="since the figures were reset; a replica counts for itself"
          flush
        >
          <Table caption="unused indexes" columns={UNUSED} rows={unused} keyOf={tableName} />
        </Panel>
      )}
    </>
  )
}

const since = ({ stats_reset_at: at }: DatabaseRow): string =>
  at === null ? 'since the beginning' : `since ${moment(Date.parse(at), nowMs.value)}`

const tableName = ({ schema, name }: Pick<Relation, 'schema' | 'name'>): string =>
  schema === 'public' ? name : `${schema}.${name}`

const grownBy = (table: Relation, before: Sizes): number | null => {
  const then = before.get(tableName(table))
  return then === undefined ? null : table.total_bytes - then
}

/** A difference, with its sign. */
const change = (size: number | null): string =>
  size === null || size === 0 ? bytes(size) : `${size < 0 ? '−' : '+'}${bytes(Math.abs(size))}`

function tableKey(
  table: Relation,
  name: string,
  grown: (table: Relation) => number | null,
): string | number | null {
  if (name === 'table') return tableName(table)
  if (name === 'grown') return grown(table)
  if (name === 'dead') return deadShare(table)
  return (table as unknown as Readonly<Record<string, string | number | null>>)[name] ?? null // its fields are these
}

const deadShare = ({ live_rows: live, dead_rows: dead }: Relation): number | null =>
  live + dead === 0 ? null : dead / (live + dead)

/** From this share of dead rows on vacuum is behind: it comes at a fifth by itself. Of small tables nobody notices. */
const DEAD = { share: 0.25, rows: 10_000 }

const columnsOf = (grown: (table: Relation) => number | null): readonly Column<Relation>[] => [
  { name: 'Table', sort: 'table', kind: 'name', cell: table => <span class="mono">{tableName(table)}</span> },
  {
    name: 'Size',
    sort: 'total_bytes',
    kind: 'number',
    about: 'With its indexes and what is stored beside it',
    cell: ({ total_bytes: total }) => bytes(total),
  },
  {
    name: 'Grown',
    sort: 'grown',
    kind: 'number',
    about: 'Since it was first kept within the last 30 days',
    cell: table => change(grown(table)),
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
      return dead !== null && dead >= DEAD.share && table.dead_rows >= DEAD.rows ? (
        <Tag tone="warn">{ratio(dead)}</Tag>
      ) : (
        ratio(dead)
      )
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
    cell: row => <FreezeAge of={row.freeze_age} />,
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

const UNUSED: readonly Column<UnusedIndex>[] = [
  { name: 'Index', width: '45%', cell: index => <span class="mono">{tableName(index)}</span> },
  { name: 'Of table', width: '40%', cell: ({ table }) => <span class="mono">{table}</span> },
  { name: 'Size', kind: 'number', width: '15%', cell: ({ size_bytes: size }) => bytes(size) },
]
