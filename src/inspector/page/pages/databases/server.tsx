/** One server: how it is now, and a part of it as the address says. */
import type { ComponentChildren } from 'preact'
import { concernsOf } from '../../databases/concerns.js'
import type { ServerForm, ServerStats } from '../../databases/kinds.js'
import { StatusTag } from '../../databases/marks.js'
import { changeServer, enableServer, removeServer } from '../../databases/server-actions.js'
import { testSsh } from '../../databases/ssh-sheet.js'
import { testServer } from '../../databases/test-sheet.js'
import { seconds } from '../../databases/words.js'
import { useView } from '../../live/hooks.js'
import { may } from '../../live/who.js'
import { to } from '../../route.js'
import { Act } from '../../ui/actions.js'
import { count } from '../../ui/format.js'
import { Empty, Fault, Heading } from '../../ui/parts.js'
import { Activity } from './activity.js'
import { Databases } from './databases.js'
import { Events } from './events.js'
import { Locks } from './locks.js'
import { useLive } from './minutes.js'
import { Now } from './now.js'
import { Statements } from './statements.js'

/** The coordinator looks at a server at most this often, ms. */
const EVERY_MS = 5000
/** What was typed about it changes seldom, ms. */
const FORM_EVERY_MS = 15_000

/** `id`: its name. `below`: which part of it. */
export function OneServer({ id: name, below }: { readonly id: string; readonly below: readonly string[] }) {
  const path = encodeURIComponent(name)
  const { value: form, fault, status } = useView<ServerForm>(`/pgmon/servers/${path}`, FORM_EVERY_MS)
  const { value: stats, fault: unseen } = useView<ServerStats>(
    form?.enabled === true ? `/pgmon/server_stats/${path}` : null,
    EVERY_MS,
  )
  // Kept here, so that the plots go on while one looks at another part.
  const live = useLive(stats)
  if (status === 404)
    return (
      <Empty title={`There is no server ${name}`}>
        <a href={to(['databases'])}>All servers</a>
      </Empty>
    )
  const part = below[0] ?? ''
  return (
    <>
      <Heading
        title={<Title name={name} form={form} stats={stats} />}
        about={form?.enabled === false ? '' : about(stats)}
      >
        {form !== null && may('operator') && <Actions form={form} />}
      </Heading>
      <Parts name={name} now={part} blocked={stats?.blocked ?? 0} />
      {(fault ?? unseen) !== null && <Fault>{fault ?? unseen}</Fault>}
      {stats?.status === 'down' && <Fault>It is down: {stats.fault ?? 'it does not answer'}</Fault>}
      {form?.enabled === false && part !== 'events' && (
        <p class="notice">It is disabled: nothing is asked of it.</p>
      )}
      {form !== null && (
        <Part part={part} below={below.slice(1)} form={form} stats={stats}>
          <Now form={form} stats={stats} live={live} concerns={stats === null ? [] : concernsOf(stats)} />
        </Part>
      )}
    </>
  )
}

const Title = (props: {
  readonly name: string
  readonly form: ServerForm | null
  readonly stats: ServerStats | null
}) => (
  <span class="server-line">
    {props.name}{' '}
    {props.form?.enabled === false ? (
      <StatusTag of="disabled" />
    ) : (
      props.stats !== null && <StatusTag of={props.stats.status} />
    )}
  </span>
)

function about(stats: ServerStats | null): string {
  if (stats === null) return 'asking it …'
  const { kind, version, uptime_s: uptime, replication } = stats
  return [
    `${kind === 'pglite' ? 'PGlite' : 'PostgreSQL'} ${version ?? ''}`.trim(),
    replication?.is_replica === true ? 'replica' : '',
    uptime === null ? '' : `up for ${seconds(uptime)}`,
  ]
    .filter(Boolean)
    .join(', ')
}

const Actions = ({ form }: { readonly form: ServerForm }) => (
  <>
    {form.enabled && <Opener verb="Test" open={() => testServer(form.name)} />}
    {form.ssh_auth !== 'none' && <Opener verb="Test SSH" open={() => testSsh(form)} />}
    <Act question={changeServer(form)} />
    <Act question={enableServer(form)} />
    {!form.is_own && <Act question={removeServer(form)} />}
  </>
)

const Opener = ({ verb, open }: { readonly verb: string; readonly open: () => void }) => (
  <button type="button" class="button" onClick={open}>
    {verb}
  </button>
)

const PARTS = [
  ['', 'Overview'],
  ['databases', 'Databases'],
  ['activity', 'Activity'],
  ['locks', 'Locks'],
  ['statements', 'Slow queries'],
  ['events', 'Events'],
] as const

const Parts = ({
  name,
  now,
  blocked,
}: {
  readonly name: string
  readonly now: string
  readonly blocked: number
}) => (
  <nav class="tabs" aria-label={`Parts of ${name}`}>
    {PARTS.map(([part, title]) => (
      <a
        key={part}
        class="tab"
        href={to(part === '' ? ['databases', name] : ['databases', name, part])}
        {...(part === now && { 'aria-current': 'page' as const })}
      >
        {title}
        {part === 'locks' && blocked > 0 && <span class="tab-count">{count(blocked)}</span>}
      </a>
    ))}
  </nav>
)

function Part(props: {
  readonly part: string
  readonly below: readonly string[]
  readonly form: ServerForm
  readonly stats: ServerStats | null
  /** The overview. */
  readonly children: ComponentChildren
}) {
  const { part, below, form, stats, children } = props
  switch (part) {
    case '':
      return <>{children}</>
    case 'databases':
      return <Databases server={form.name} stats={stats} database={below[0]} />
    case 'activity':
      return <Activity server={form.name} />
    case 'locks':
      return <Locks server={form.name} />
    case 'statements':
      return <Statements server={form.name} />
    case 'events':
      return <Events server={form.name} />
    default:
      return (
        <Empty title="There is no such part">
          <a href={to(['databases', form.name])}>Its overview</a>
        </Empty>
      )
  }
}
