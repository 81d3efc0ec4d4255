/** The last minutes of a server, from the moment one looks at it. */
import type { ServerStats } from '../../databases/kinds.js'
import { perSecond, ratio } from '../../databases/words.js'
import { bytes, count } from '../../ui/format.js'
import { useHistory } from '../../ui/history.js'
import { Panel } from '../../ui/parts.js'
import { Plot, PlotKey, type Points } from '../../ui/plot.js'

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
const ONE = (label: string, colour: string) => [{ label, colour }]

const bytesPerSecond = (value: number): string => `${bytes(value)}/s`

export const Minutes = ({ live }: { readonly live: Live }) => (
  <div class="columns small">
    <Panel title="Transactions" about="a second" end={<PlotKey lines={TRANSACTIONS} />}>
      <Plot label="Transactions a second" lines={TRANSACTIONS} points={live.transactions} unit={perSecond} />
    </Panel>
    <Panel title="Connections" end={<PlotKey lines={CONNECTIONS} />}>
      <Plot label="Connections" lines={CONNECTIONS} points={live.connections} unit={count} />
    </Panel>
    <Panel title="Cache hit">
      <Plot label="Cache hit ratio" lines={ONE('hit', 'direct')} points={live.cache} unit={ratio} most={1} />
    </Panel>
    <Panel title="Rows" about="a second" end={<PlotKey lines={ROWS} />}>
      <Plot label="Rows a second" lines={ROWS} points={live.rows} unit={perSecond} />
    </Panel>
    <Panel title="WAL" about="written a second">
      <Plot label="WAL a second" lines={ONE('WAL', 'turned')} points={live.wal} unit={bytesPerSecond} />
    </Panel>
    <Panel title="Temporary files" about="written a second">
      <Plot
        label="Temporary files a second"
        lines={ONE('temporary', 'relayed')}
        points={live.temp}
        unit={bytesPerSecond}
      />
    </Panel>
  </div>
)
