/** What a server spends its time with: statements by time, by calls, by what they read from disk. */
import type { Statement, Statements as Answer } from '../../databases/kinds.js'
import { Query, Share } from '../../databases/marks.js'
import { ratio } from '../../databases/words.js'
import { useView } from '../../live/hooks.js'
import { narrow, route } from '../../route.js'
import { nowMs } from '../../ui/clock.js'
import { compact, moment, ms } from '../../ui/format.js'
import { Empty, Fault } from '../../ui/parts.js'
import { type Column, Table } from '../../ui/table.js'
import { NotTold } from './not-told.js'

const ORDERS = [
  ['time', 'Time'],
  ['calls', 'Calls'],
  ['reads', 'Reads'],
] as const

/** It is counted over days, ms. */
const EVERY_MS = 10_000
/** Statements: the rest takes next to nothing. */
const MOST = 50

export function Statements({ server }: { readonly server: string }) {
  const by = ORDERS.find(([order]) => order === route.value.query['by'])?.[0] ?? 'time'
  const { value, fault } = useView<Answer>(
    `/pgmon/servers/${encodeURIComponent(server)}/statements?by=${by}&limit=${MOST}`,
    EVERY_MS,
  )
  return (
    <>
      <div class="filters" role="group" aria-label="Most by">
        {ORDERS.map(([order, label]) => (
          <button
            key={order}
            type="button"
            class="button"
            aria-pressed={by === order}
            onClick={() => narrow({ by: order === 'time' ? undefined : order })}
          >
            {label}
          </button>
        ))}
        {value?.since != null && (
          <span class="filters-said">counted since {moment(Date.parse(value.since), nowMs.value)}</span>
        )}
      </div>
      {fault !== null && <Fault>{fault}</Fault>}
      {value !== null && <NotTold of={value.unknown} />}
      {value === null ? (
        fault === null && <div class="table-place" aria-busy="true" />
      ) : value.statements.length === 0 ? (
        value.unknown.length === 0 && <Empty title="No statement was counted yet" />
      ) : (
        <Table
          caption="statements"
          columns={COLUMNS}
          rows={value.statements}
          keyOf={({ id, database, user }) => `${id} ${database} ${user}`}
        />
      )}
    </>
  )
}

const COLUMNS: readonly Column<Statement>[] = [
  {
    name: 'Share',
    kind: 'number',
    width: '9%',
    about: 'Of the time of all statements',
    cell: ({ time_ratio: share }) => (
      <span class="meter">
        <span>{ratio(share)}</span>
        <Share of={share} />
      </span>
    ),
  },
  { name: 'Statement', width: '27%', cell: ({ query }) => <Query of={query} /> },
  {
    name: 'Whose',
    width: '15%',
    cell: ({ user, database }) => (
      <>
        {user} <span class="quiet">on {database}</span>
      </>
    ),
  },
  { name: 'Calls', kind: 'number', width: '8%', cell: ({ calls }) => compact(calls) },
  {
    name: 'Mean',
    kind: 'number',
    width: '11%',
    about: 'And the longest',
    cell: ({ mean_ms: mean, max_ms: max }) => (
      <>
        {ms(mean)}
        <span class="below quiet">max {ms(max)}</span>
      </>
    ),
  },
  { name: 'Total', kind: 'number', width: '11%', cell: ({ total_ms: total }) => ms(total) },
  { name: 'Rows', kind: 'number', width: '8%', cell: ({ rows }) => compact(rows) },
  {
    name: 'Read',
    kind: 'number',
    width: '11%',
    about: 'Blocks that were not in shared buffers, and the share that was',
    cell: ({ blocks_read: read, cache_hit_ratio: hit }) => (
      <>
        {compact(read)}
        {hit !== null && <span class="below quiet">{ratio(hit)} hit</span>}
      </>
    ),
  },
]
