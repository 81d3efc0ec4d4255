/** How a server is: what is wrong, its figures, the last minutes, the last months, and what it cannot tell. */
import { type Concern, lagOf } from '../../databases/concerns.js'
import type { Disk, Replication, ServerForm, ServerStats } from '../../databases/kinds.js'
import { Concerns, Meter } from '../../databases/marks.js'
import { millions, perSecond, ratio, seconds, TLS_WORDS } from '../../databases/words.js'
import { to } from '../../route.js'
import { bytes, count, moment, plural } from '../../ui/format.js'
import { nowMs } from '../../ui/clock.js'
import { useHistory } from '../../ui/history.js'
import { Facts, Panel, Stat, Tag } from '../../ui/parts.js'
import { Plot, PlotKey, type Points } from '../../ui/plot.js'
import { type Column, Table } from '../../ui/table.js'
import { Before } from './before.js'
import { NotTold } from './not-told.js'

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

export function Now(props: {
  readonly form: ServerForm
  readonly stats: ServerStats | null
  readonly live: Live
  readonly concerns: readonly Concern[]
}) {
  const { form, stats, live, concerns } = props
  // What is wrong is at the top already when it is down.
  const wrong = stats?.status === 'down' ? [] : concerns
  return (
    <>
      {wrong.length > 0 && (
        <Panel title="Needs a look">
          <Concerns of={wrong.map(concern => ({ server: form.name, isNamed: false, concern }))} />
        </Panel>
      )}
      <Figures form={form} stats={stats} />
      <Minutes live={live} />
      <Before path={`/pgmon/server/${encodeURIComponent(form.name)}/stats`} kind="server" />
      <div class="columns">
        <Panel title="Server">
          <About form={form} stats={stats} />
        </Panel>
        <Panel title="Disks" about="of its machine, by SSH">
          <Disks of={stats?.disks ?? null} form={form} />
        </Panel>
      </div>
      {stats?.replication != null && <Replicas of={stats.replication} />}
      {stats !== null && <NotTold of={stats.unknown} />}
    </>
  )
}

function Figures({ form, stats }: { readonly form: ServerForm; readonly stats: ServerStats | null }) {
  const wide = stats?.connections ?? null
  const place = (part: string) => to(['databases', form.name, part])
  return (
    <dl class="stats">
      <Stat
        label="Connections"
        about={
          wide === null
            ? ''
            : `${count(wide.active)} active, ${count(wide.idle_in_transaction)} idle in transaction`
        }
      >
        <a href={place('activity')}>
          {count(wide?.total)}
          {wide?.max != null && <span class="quiet"> / {count(wide.max)}</span>}
        </a>
      </Stat>
      <Stat label="Blocked" about="sessions that wait for a lock">
        <a href={place('locks')}>{count(stats?.blocked)}</a>
      </Stat>
      <Stat label="Oldest transaction" about={`longest query ${seconds(stats?.longest_query_s)}`}>
        <a href={place('activity')}>{seconds(stats?.oldest_transaction_s)}</a>
      </Stat>
      <Stat label="Transactions" about={`${perSecond(stats?.rollbacks_per_s)} rolled back`}>
        {perSecond(sum(stats?.commits_per_s, stats?.rollbacks_per_s))}
      </Stat>
      <Stat label="Cache hit" about="of blocks that were asked for">
        {ratio(stats?.cache_hit_ratio)}
      </Stat>
      <Stat label="Replication lag" about={lagAbout(stats)}>
        {seconds(stats === null ? null : lagOf(stats))}
      </Stat>
    </dl>
  )
}

const sum = (a: number | null | undefined, b: number | null | undefined): number | null =>
  typeof a === 'number' && typeof b === 'number' ? a + b : null

function lagAbout(stats: ServerStats | null): string {
  const replication = stats?.replication
  if (replication == null) return ''
  if (replication.is_replica) return 'behind its primary'
  return replication.replicas.length === 0
    ? 'it has no replica'
    : `of ${plural(replication.replicas.length, 'replica')}`
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

const Minutes = ({ live }: { readonly live: Live }) => (
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

function About({ form, stats }: { readonly form: ServerForm; readonly stats: ServerStats | null }) {
  const role = stats?.role ?? null
  const wal = stats?.wal ?? null
  const at = (text: string | null | undefined) => moment(text == null ? null : Date.parse(text), nowMs.value)
  return (
    <Facts
      of={[
        ['What it is', form.description],
        [
          'Size',
          stats === null ? null : (
            <a href={to(['databases', form.name, 'databases'])}>
              {bytes(stats.size_bytes)} in {plural(stats.databases.length, 'database')}
            </a>
          ),
        ],
        ['Where', form.host === '' ? 'in the coordinator' : `${form.host}:${form.port}, ${form.database}`],
        [
          'Asked as',
          role === null ? (
            form.user
          ) : (
            <>
              {role.name} {role.is_superuser && <Tag tone="warn">superuser</Tag>}
              {!role.is_superuser && !role.is_monitor && <Tag tone="warn">not in pg_monitor</Tag>}
              {role.can_signal && <Tag>may cancel and terminate</Tag>}
            </>
          ),
        ],
        ['Encryption', form.host === '' ? null : TLS_WORDS[form.tls]],
        ['Started', at(stats?.started_at)],
        ['WAL on disk', wal === null ? null : `${bytes(wal.directory_bytes)} in ${count(wal.files)} files`],
        [
          'Archive',
          wal === null || wal.archive_failures === null
            ? null
            : `last at ${at(wal.last_archived_at)}, ${plural(wal.archive_failures, 'failure')} so far`,
        ],
        ['Freeze age', stats?.freeze_age == null ? null : `${millions(stats.freeze_age)} transactions`],
        [
          'Deadlocks',
          stats?.deadlocks == null ? null : `${count(stats.deadlocks)} since its figures were reset`,
        ],
        ['Extensions', stats?.extensions.join(', ')],
        ['What was done', <a href={to(['audit'], { subject: form.name })}>its audit</a>],
      ]}
    />
  )
}

function Disks({ of, form }: { readonly of: readonly Disk[] | null; readonly form: ServerForm }) {
  if (of === null || of.length === 0)
    return (
      <p class="quiet">
        {form.ssh_auth === 'none'
          ? 'Nobody has said how its machine is reached by SSH: change the server to say so.'
          : form.ssh_host_key === null
            ? 'The key of its host is not pinned yet: “Test SSH” shows it.'
            : 'Nothing was told yet.'}
      </p>
    )
  return (
    <ul class="disks">
      {of.map(
        ({
          mount,
          filesystem,
          size_bytes: size,
          used_bytes: used,
          available_bytes: left,
          holds_data: data,
        }) => (
          <li key={mount}>
            <Meter label={`${mount} used`} share={size === 0 ? null : used / size}>
              <span class="disk-line">
                <span>
                  <span class="mono">{mount}</span> {data && <Tag tone="accent">its data</Tag>}
                </span>
                <span class="quiet">
                  {bytes(used)} of {bytes(size)}, {bytes(left)} left
                </span>
              </span>
            </Meter>
            <span class="hidden-visually">{filesystem}</span>
          </li>
        ),
      )}
    </ul>
  )
}

type Replica = Replication['replicas'][number]
type Slot = Replication['slots'][number]

const REPLICAS: readonly Column<Replica>[] = [
  { name: 'Replica', kind: 'name', cell: ({ name }) => name },
  { name: 'Address', kind: 'name', cell: ({ address }) => <span class="mono">{address}</span> },
  {
    name: 'State',
    cell: ({ state }) => <Tag tone={state === 'streaming' ? 'good' : 'warn'}>{state ?? 'unknown'}</Tag>,
  },
  { name: 'Commit waits', cell: ({ sync }) => sync },
  { name: 'Behind', kind: 'number', cell: ({ lag_bytes: lag }) => bytes(lag) },
  { name: 'Written', kind: 'number', cell: ({ write_lag_s: lag }) => seconds(lag) },
  { name: 'Flushed', kind: 'number', cell: ({ flush_lag_s: lag }) => seconds(lag) },
  { name: 'Replayed', kind: 'number', cell: ({ replay_lag_s: lag }) => seconds(lag) },
]

const SLOTS: readonly Column<Slot>[] = [
  { name: 'Slot', kind: 'name', cell: ({ name }) => <span class="mono">{name}</span> },
  { name: 'Kind', cell: ({ type, database }) => (database === null ? type : `${type}, ${database}`) },
  {
    name: 'Read',
    cell: ({ active }) => <Tag tone={active ? 'good' : 'warn'}>{active ? 'now' : 'by nobody'}</Tag>,
  },
  { name: 'WAL', cell: ({ wal_status: status }) => status },
  { name: 'Kept for it', kind: 'number', cell: ({ retained_bytes: kept }) => bytes(kept) },
]

function Replicas({ of }: { readonly of: Replication }) {
  const { is_replica: isReplica, replicas, slots } = of
  if (!isReplica && replicas.length === 0 && slots.length === 0) return null
  return (
    <>
      {isReplica && (
        <Panel title="Replication" about="from its primary">
          <Facts
            of={[
              ['Behind', `${seconds(of.lag_s)}, ${bytes(of.lag_bytes)}`],
              ['Receiver', of.receiver],
            ]}
          />
        </Panel>
      )}
      {replicas.length > 0 && (
        <Panel title="Replicas" flush>
          <Table
            caption="replicas"
            columns={REPLICAS}
            rows={replicas}
            keyOf={({ name, address }) => `${name} ${address}`}
          />
        </Panel>
      )}
      {slots.length > 0 && (
        <Panel title="Replication slots" about="what is kept until somebody has read it" flush>
          <Table caption="replication slots" columns={SLOTS} rows={slots} keyOf={({ name }) => name} />
        </Panel>
      )}
    </>
  )
}
