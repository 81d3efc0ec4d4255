/** What goes on in a server: every session, what it does, for how long, and for whom it waits. */
import type { Activity as Answer, Session } from '../../databases/kinds.js'
import { Query } from '../../databases/marks.js'
import { cancelQuery, terminateSession } from '../../databases/session-actions.js'
import { seconds, toneOfSession } from '../../databases/words.js'
import { useView } from '../../live/hooks.js'
import { may } from '../../live/who.js'
import { route, to } from '../../route.js'
import { Act } from '../../ui/actions.js'
import { Choice, queryFor, TextFilter } from '../../ui/filters.js'
import { count, plural, UNKNOWN } from '../../ui/format.js'
import { Hold, useHold } from '../../ui/hold.js'
import { Empty, Fault, Tag } from '../../ui/parts.js'
import { sorted } from '../../ui/sorted.js'
import { type Column, Table } from '../../ui/table.js'
import { NotTold } from './not-told.js'

/** Sessions come and go: one wants to see them soon, and each look is a query there, ms. */
const EVERY_MS = 3000

export function Activity({ server }: { readonly server: string }) {
  const query = queryFor(['state', 'database', 'min_s'])
  const { value, fault } = useView<Answer>(
    `/pgmon/servers/${encodeURIComponent(server)}/activity${query}`,
    EVERY_MS,
  )
  const held = useHold(value)
  const { search = '', all: isAll, sort } = route.value.query
  const all = held.value?.sessions ?? []
  const shown = sorted(
    all.filter(session => (isAll === 'true' || !isBackground(session)) && found(session, search)),
    sort,
    keyOf,
  )
  return (
    <>
      <div class="filters">
        <TextFilter name="search" label="Query, user or application contains" wide />
        <Choice name="state" label="State" options={STATES.map(state => [state, state] as const)} />
        <TextFilter name="database" label="Database" />
        <Choice
          name="min_s"
          label="For at least"
          any="Any time"
          options={[
            ['1', '1 s'],
            ['10', '10 s'],
            ['60', '1 min'],
            ['600', '10 min'],
            ['3600', '1 h'],
          ]}
        />
        <Choice name="all" label="Whose" any="Clients’" options={[['true', 'All processes’']]} />
        <Hold of={held} />
      </div>
      {fault !== null && <Fault>{fault}</Fault>}
      {held.value === null ? (
        fault === null && <div class="table-place" aria-busy="true" />
      ) : shown.length === 0 ? (
        <Empty title={all.length === 0 ? 'Nobody is connected' : 'No session meets the filters'} />
      ) : (
        <>
          <Table caption="sessions" columns={columns(server)} rows={shown} keyOf={sessionKey} />
          <div class="table-foot">
            {plural(shown.length, 'session')}
            {held.value.total > all.length && `, of ${count(held.value.total)} in all`}
          </div>
        </>
      )}
      {held.value !== null && <NotTold of={held.value.unknown} />}
    </>
  )
}

/** As pg_stat_activity calls them. */
const STATES = ['active', 'idle', 'idle in transaction', 'idle in transaction (aborted)']

/** What always goes on: the monitor’s own questions, and processes of the server that wait for work. */
const isBackground = ({ is_ours: isOurs, state, kind }: Session): boolean =>
  isOurs || (state === null && kind !== 'client backend')

/** A pid is given again when its session has ended. */
export const sessionKey = ({ pid, started_at }: Session): string => `${pid} ${started_at}`

const found = ({ query, user, application, client, pid }: Session, search: string): boolean =>
  search === '' ||
  `${pid} ${user} ${application} ${client} ${query}`.toLowerCase().includes(search.toLowerCase())

const keyOf = (session: Session, name: string): string | number | null =>
  name === 'pid' || name === 'query_s' || name === 'transaction_s' || name === 'state' || name === 'user'
    ? session[name]
    : null

/** A transaction that is open for so long holds up vacuum, s. */
const LONG_S = 300

const columns = (server: string): readonly Column<Session>[] => [
  {
    name: 'PID',
    sort: 'pid',
    kind: 'tight',
    width: '7%',
    cell: ({ pid }) => <span class="mono">{pid === 0 ? UNKNOWN : pid}</span>,
  },
  { name: 'State', sort: 'state', width: '18%', cell: session => <Doing server={server} of={session} /> },
  {
    name: 'Query',
    sort: 'query_s',
    kind: 'number',
    width: '9%',
    about: 'How long it runs, or has been over',
    cell: ({ query_s: age }) => seconds(age),
  },
  {
    name: 'Transaction',
    sort: 'transaction_s',
    kind: 'number',
    width: '11%',
    about: 'How long it is open',
    cell: ({ transaction_s: age }) =>
      age === null ? '' : age >= LONG_S ? <Tag tone="warn">{seconds(age)}</Tag> : seconds(age),
  },
  {
    name: 'Who',
    sort: 'user',
    width: '15%',
    cell: ({ user, database, application, client, is_ours: isOurs }) => (
      <>
        {user} {database !== null && <span class="quiet">on {database}</span>}{' '}
        {isOurs && <Tag tone="accent">the monitor</Tag>}
        <span class="below quiet">{[application, client].filter(Boolean).join(', ')}</span>
      </>
    ),
  },
  {
    name: 'What',
    width: may('operator') ? '22%' : '40%',
    cell: ({ query }) => <Query of={query} />,
  },
  ...(may('operator')
    ? [
        {
          name: '',
          width: '18%',
          cell: (session: Session) => <SessionActions server={server} session={session} />,
        },
      ]
    : []),
]

/** What it is about, and what keeps it from that. */
const Doing = ({ server, of: session }: { readonly server: string; readonly of: Session }) => (
  <>
    <Tag tone={toneOfSession(session)}>{session.state ?? session.kind}</Tag>
    {session.state !== null && session.kind !== 'client backend' && (
      <span class="below quiet">{session.kind}</span>
    )}
    {session.blocked_by.length > 0 && (
      <a class="below" href={to(['databases', server, 'locks'])}>
        blocked by {session.blocked_by.join(', ')}
      </a>
    )}
    {session.wait !== null && session.state !== 'idle' && <span class="below quiet">{session.wait}</span>}
  </>
)

/** Nothing for viewers, and for sessions that may not be touched. */
export const SessionActions = ({
  server,
  session,
}: {
  readonly server: string
  readonly session: Session
}) =>
  may('operator') && !session.is_ours && session.kind === 'client backend' ? (
    <span class="session-actions">
      {session.state === 'active' && <Act isSmall question={cancelQuery(server, session)} label="Cancel" />}
      <Act isSmall question={terminateSession(server, session)} />
    </span>
  ) : null
