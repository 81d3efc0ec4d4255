/** The last minutes of a server, from the moment one looks at it. */
import type { ServerStats } from '../../databases/kinds.js'
import { mean, perSecond, ratio } from '../../databases/words.js'
import { bytes } from '../../ui/format.js'
import { useHistory } from '../../ui/history.js'
import { Panel } from '../../ui/parts.js'
import { type Line, Plot, PlotKey, type Points } from '../../ui/plot.js'

/** What the plots of the last minutes show. */
export interface Live {
  readonly transactions: Points
  readonly connections: Points
  readonly cache: Points
  readonly rows: Points
  readonly wal: Points
  readonly temp: Points
}

/** Returns the points so far: one more with each look. */
export function useLive(stats: ServerStats | null): Live {
  return {
    transactions: useHistory(
      stats,
      now => now.commits_per_s,
      now => now.rollbacks_per_s,
    ),
    connections: useHistory(
      stats,
      now => now.connections?.active ?? null,
      now => now.connections?.idle ?? null,
      now => now.connections?.idle_in_transaction ?? null,
    ),
    cache: useHistory(stats, now => now.cache_hit_ratio),
    rows: useHistory(
      stats,
      now => now.tuples_read_per_s,
      now => now.tuples_written_per_s,
    ),
    wal: useHistory(stats, now => now.wal?.bytes_per_s ?? null),
    temp: useHistory(stats, now => now.temp_bytes_per_s),
  }
}

const TRANSACTIONS = [
  { label: 'committed', colour: 'accent' },
  { label: 'rolled back', colour: 'relayed' },
]
const CONNECTIONS = [
  { label: 'active', colour: 'direct' },
  { label: 'idle', colour: 'accent' },
  { label: 'idle in transaction', colour: 'relayed' },
]
const ROWS = [
  { label: 'read', colour: 'accent' },
  { label: 'written', colour: 'turned' },
]
const HIT = [{ label: 'hit', colour: 'direct' }]
const WAL = [{ label: 'WAL', colour: 'turned' }]
const TEMPORARY = [{ label: 'temporary', colour: 'relayed' }]

const bytesPerSecond = (value: number): string => `${bytes(value)}/s`

export const Minutes = ({ live }: { readonly live: Live }) => (
  <div class="columns small">
    <Minute
      title="Transactions"
      about="a second"
      lines={TRANSACTIONS}
      points={live.transactions}
      unit={perSecond}
    />
    <Minute title="Connections" lines={CONNECTIONS} points={live.connections} unit={mean} />
    <Minute title="Cache hit" lines={HIT} points={live.cache} unit={ratio} most={1} />
    <Minute title="Rows" about="a second" lines={ROWS} points={live.rows} unit={perSecond} />
    <Minute title="WAL" about="written a second" lines={WAL} points={live.wal} unit={bytesPerSecond} />
    <Minute
      title="Temporary files"
      about="written a second"
      lines={TEMPORARY}
      points={live.temp}
      unit={bytesPerSecond}
    />
  </div>
)

/** The key is below: so plots beside each other lie alike, however many lines they have. */
const Minute = (props: {
  readonly title: string
  readonly about?: string
  readonly lines: readonly Line[]
  readonly points: Points
  readonly unit: (value: number) => string
  readonly most?: number
}) => {
  const { title, about, ...plot } = props
  return (
    <Panel title={title} {...(about !== undefined && { about })}>
      <Plot label={about === undefined ? title : `${title}, ${about}`} {...plot} />
      {plot.lines.length > 1 && <PlotKey lines={plot.lines} />}
    </Panel>
  )
}
