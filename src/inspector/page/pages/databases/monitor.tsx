/** How servers are asked: what is kept and for how long, when each was asked last, and the connections to them. */
import type { Collector, PoolProfile, RoundForm, SettingsForm } from '../../databases/kinds.js'
import { ServerLink } from '../../databases/marks.js'
import { changeSettings, SETTINGS } from '../../databases/settings-actions.js'
import { roughly } from '../../databases/words.js'
import { useView } from '../../live/hooks.js'
import { may } from '../../live/who.js'
import { route } from '../../route.js'
import { Act } from '../../ui/actions.js'
import { nowMs } from '../../ui/clock.js'
import { count, moment, ms, UNKNOWN } from '../../ui/format.js'
import { Facts, Fault, Heading, Panel, Tag } from '../../ui/parts.js'
import { sorted } from '../../ui/sorted.js'
import { type Column, Table } from '../../ui/table.js'

/** They change by the minute, ms. */
const EVERY_MS = 5000

export function Monitor() {
  const { value: settings, fault } = useView<SettingsForm>('/pgmon/settings', EVERY_MS)
  const { value: rounds } = useView<{ readonly rounds: readonly RoundForm[] }>('/pgmon/collectors', EVERY_MS)
  const { value: pools } = useView<{ readonly pools: readonly Pool[] }>('/pgmon/api/pools/status', EVERY_MS)
  const { sort } = route.value.query
  return (
    <>
      <Heading title="Collection" about="how servers are asked, and what is kept">
        {settings !== null && may('admin') && <Act question={changeSettings(settings)} />}
      </Heading>
      {fault !== null && <Fault>{fault}</Fault>}
      <Panel title="What is kept">
        {settings === null ? (
          <div class="skeleton" />
        ) : (
          <Facts
            of={SETTINGS.map(([name, label, unit]) => [label, `${count(settings[name])} ${unit}`] as const)}
          />
        )}
      </Panel>
      <Panel title="Rounds" about="when each was asked last, and is next" flush>
        {rounds === null ? (
          <div class="table-place" aria-busy="true" />
        ) : (
          <Table
            caption="rounds"
            columns={ROUNDS}
            rows={sorted(byServer(rounds.rounds), sort, ({ server }) => server)}
            keyOf={({ server }) => server}
            toneOf={({ rounds: all }) => (all.some(({ error }) => error !== null) ? 'bad' : 'plain')}
          />
        )}
      </Panel>
      <Panel title="Connections" about="to databases, now" flush={pools !== null && pools.pools.length > 0}>
        {pools === null ? (
          <div class="skeleton" />
        ) : pools.pools.length === 0 ? (
          <p class="quiet">None is open.</p>
        ) : (
          <Table
            caption="pools"
            columns={POOLS}
            rows={pools.pools}
            keyOf={({ server, database }) => `${server} ${database}`}
          />
        )}
      </Panel>
    </>
  )
}

interface Rounds {
  readonly server: string
  readonly rounds: readonly RoundForm[]
}

const byServer = (rounds: readonly RoundForm[]): readonly Rounds[] =>
  [...new Set(rounds.map(({ server }) => server))].map(server => ({
    server,
    rounds: rounds.filter(round => round.server === server),
  }))

const collected = (name: string, collector: Collector): Column<Rounds> => ({
  name,
  width: '14%',
  cell: ({ rounds }) => {
    const round = rounds.find(each => each.collector === collector)
    return round === undefined ? <span class="quiet">{UNKNOWN}</span> : <When of={round} />
  },
})

const When = ({ of: { ended_at: at, took_ms: took, due_at: due } }: { readonly of: RoundForm }) => (
  <>
    {at === null ? (
      <span class="quiet">not yet</span>
    ) : (
      <time dateTime={at} title={`${moment(Date.parse(at), nowMs.value)}; it took ${ms(took)}`}>
        {roughly((nowMs.value - Date.parse(at)) / 1000)} ago
      </time>
    )}
    <span class="below quiet">
      next <Next at={Date.parse(due)} />
    </span>
  </>
)

const ROUNDS: readonly Column<Rounds>[] = [
  { name: 'Server', sort: 'server', width: '20%', cell: ({ server }) => <ServerLink name={server} /> },
  collected('Work', 'activity'),
  collected('Sizes', 'sizes'),
  collected('File systems', 'disk'),
  collected('Tables', 'upkeep'),
  {
    name: 'What was wrong',
    width: '24%',
    cell: ({ rounds }) =>
      [...new Set(rounds.flatMap(({ error }) => error ?? []))].map(error => (
        <span key={error} class="below server-fault">
          {error}
        </span>
      )),
  },
]

const Next = ({ at }: { readonly at: number }) => (
  <time dateTime={new Date(at).toISOString()} title={moment(at, nowMs.value)}>
    {at <= nowMs.value ? 'now' : `in ${roughly(Math.ceil((at - nowMs.value) / 1000))}`}
  </time>
)

/** As `GET /pgmon/api/pools/status` tells one. */
interface Pool {
  readonly server: string
  readonly database: string
  readonly profile: PoolProfile
  readonly min: number
  readonly max: number
  readonly total: number
  readonly idle: number
  readonly waiting: number
  readonly state: 'open' | 'away'
  readonly fault: string | null
  readonly retry_at: string | null
}

const POOLS: readonly Column<Pool>[] = [
  { name: 'Server', width: '20%', cell: ({ server }) => <ServerLink name={server} /> },
  { name: 'Database', width: '17%', cell: ({ database }) => database },
  {
    name: 'State',
    width: '29%',
    cell: ({ state, fault, retry_at: retryAt }) => (
      <>
        <Tag tone={state === 'open' ? 'good' : 'bad'}>{state}</Tag> {fault}{' '}
        {retryAt !== null && (
          <span class="quiet">
            tried again <Next at={Date.parse(retryAt)} />
          </span>
        )}
      </>
    ),
  },
  {
    name: 'Open',
    kind: 'number',
    width: '12%',
    cell: ({ total, max }) => (
      <>
        {count(total)} <span class="quiet">/ {count(max)}</span>
      </>
    ),
  },
  { name: 'Idle', kind: 'number', width: '8%', cell: ({ idle }) => count(idle) },
  {
    name: 'Waiting',
    kind: 'number',
    width: '14%',
    about: 'Questions that wait for a connection',
    cell: ({ waiting }) => count(waiting),
  },
]
