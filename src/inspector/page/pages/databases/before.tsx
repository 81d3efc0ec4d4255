/** The last day, or the last months: a plot of each figure that was kept, all of the same time. */
import type { History } from '../../databases/kinds.js'
import { bandOf, spanFrom, SPANS, WIDTH_WORDS } from '../../databases/series.js'
import { mean, perSecond, ratio, seconds } from '../../databases/words.js'
import { collectNow } from '../../databases/server-actions.js'
import { useView } from '../../live/hooks.js'
import { may } from '../../live/who.js'
import { narrow, route } from '../../route.js'
import { Act } from '../../ui/actions.js'
import { BandPlot } from '../../ui/band-plot.js'
import { nowMs } from '../../ui/clock.js'
import { bytes } from '../../ui/format.js'
import { Fault, Panel } from '../../ui/parts.js'

interface Figure {
  readonly name: string
  readonly label: string
  readonly colour: string
  readonly unit: (value: number) => string
  readonly most?: number
}

const bytesPerSecond = (value: number): string => `${bytes(value)}/s`

/** In the order in which one looks at them. */
const FIGURES: Readonly<Record<'server' | 'database', readonly Figure[]>> = {
  server: [
    { name: 'connections', label: 'Connections', colour: 'accent', unit: mean },
    { name: 'commits_per_s', label: 'Commits', colour: 'accent', unit: perSecond },
    { name: 'cache_hit_ratio', label: 'Cache hit', colour: 'direct', unit: ratio, most: 1 },
    { name: 'blocked', label: 'Blocked sessions', colour: 'relayed', unit: mean },
    { name: 'oldest_transaction_s', label: 'Oldest transaction', colour: 'relayed', unit: seconds },
    { name: 'replication_lag_s', label: 'Replication lag', colour: 'relayed', unit: seconds },
    { name: 'wal_bytes_per_s', label: 'WAL', colour: 'turned', unit: bytesPerSecond },
    { name: 'temp_bytes_per_s', label: 'Temporary files', colour: 'turned', unit: bytesPerSecond },
    { name: 'tuples_read_per_s', label: 'Rows read', colour: 'accent', unit: perSecond },
    { name: 'tuples_written_per_s', label: 'Rows written', colour: 'turned', unit: perSecond },
    { name: 'size_bytes', label: 'Size', colour: 'accent', unit: bytes },
    { name: 'disk_used_bytes', label: 'Disk used', colour: 'accent', unit: bytes },
  ],
  database: [
    { name: 'connections', label: 'Connections', colour: 'accent', unit: mean },
    { name: 'commits_per_s', label: 'Commits', colour: 'accent', unit: perSecond },
    { name: 'cache_hit_ratio', label: 'Cache hit', colour: 'direct', unit: ratio, most: 1 },
    { name: 'tuples_read_per_s', label: 'Rows read', colour: 'accent', unit: perSecond },
    { name: 'tuples_written_per_s', label: 'Rows written', colour: 'turned', unit: perSecond },
    { name: 'size_bytes', label: 'Size', colour: 'accent', unit: bytes },
  ],
}

/** What was kept changes every ten minutes, ms. */
const EVERY_MS = 60_000

/** Of a server, or of one of its databases. */
export function Before({ server, database }: { readonly server: string; readonly database?: string }) {
  const kind = database === undefined ? 'server' : 'database'
  const of = database === undefined ? '' : `/db/${encodeURIComponent(database)}`
  const path = `/pgmon/server/${encodeURIComponent(server)}${of}/stats`
  const { span } = route.value.query
  const from = spanFrom(span, nowMs.value)
  const query = new URLSearchParams({ from, figures: FIGURES[kind].map(({ name }) => name).join(',') })
  const { value: history, fault } = useView<History>(`${path}?${query}`, EVERY_MS)
  return (
    <Panel
      title="History"
      {...(history !== null && { about: WIDTH_WORDS[history.width] })}
      end={
        <span class="filters">
          <Spans now={span ?? '24h'} />
          {may('operator') && <Act isSmall question={collectNow(server)} />}
        </span>
      }
    >
      {fault !== null && <Fault>{fault}</Fault>}
      {history === null ? (
        fault === null && <div class="plots" aria-busy="true" />
      ) : (
        <Plots of={history} kind={kind} />
      )}
    </Panel>
  )
}

const Spans = ({ now }: { readonly now: string }) => (
  <span class="filters" role="group" aria-label="How far back">
    {SPANS.map(([name, label]) => (
      <button
        key={name}
        type="button"
        class="button"
        data-size="small"
        aria-pressed={name === now}
        onClick={() => narrow({ span: name === '24h' ? undefined : name })}
      >
        {label}
      </button>
    ))}
  </span>
)

function Plots({ of, kind }: { readonly of: History; readonly kind: 'server' | 'database' }) {
  const [from, to] = [Date.parse(of.from) / 1000, Date.parse(of.to) / 1000]
  const plots = FIGURES[kind].flatMap(figure => {
    const band = bandOf(of, figure.name)
    return band === null ? [] : [{ figure, band }]
  })
  if (plots.length === 0)
    return (
      <p class="quiet">Nothing was kept of this time. Figures are kept every few minutes, from now on.</p>
    )
  return (
    <div class="plots">
      {plots.map(({ figure: { name, label, ...look }, band }) => (
        <section key={name}>
          <h3>{label}</h3>
          <BandPlot label={label} band={band} from={from} to={to} sync={kind} {...look} />
        </section>
      ))}
    </div>
  )
}
