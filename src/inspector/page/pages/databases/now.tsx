/** How a server is: what is wrong, its figures, the last minutes, the last months, and what it cannot tell. */
import { type Concern, lagOf } from '../../databases/concerns.js'
import type { ServerForm, ServerStats } from '../../databases/kinds.js'
import { Concerns } from '../../databases/marks.js'
import { millions, perSecond, ratio, roughly, seconds, TLS_WORDS } from '../../databases/words.js'
import { to } from '../../route.js'
import { bytes, count, moment, plural } from '../../ui/format.js'
import { nowMs } from '../../ui/clock.js'
import { Facts, Panel, Stat, Tag } from '../../ui/parts.js'
import { Advised } from './advised.js'
import { Before } from './before.js'
import { Disks } from './disks.js'
import { LastEvents } from './events.js'
import { type Live, Minutes } from './minutes.js'
import { NotTold } from './not-told.js'
import { Replicas } from './replicas.js'

export function Now(props: {
  readonly form: ServerForm
  readonly stats: ServerStats | null
  readonly live: Live
  readonly concerns: readonly Concern[]
}) {
  const { form, stats, live, concerns } = props
  const isDown = stats?.status === 'down'
  return (
    <>
      {isDown ? (
        // What is wrong is at the top already, and there are no figures.
        <LastEvents server={form.name} />
      ) : (
        <>
          {concerns.length > 0 && (
            <Panel title="Needs a look">
              <Concerns of={concerns.map(concern => ({ server: form.name, isNamed: false, concern }))} />
            </Panel>
          )}
          <Figures form={form} stats={stats} />
          <Minutes live={live} />
          {stats?.status === 'up' && <Advised server={form.name} />}
        </>
      )}
      <Before server={form.name} />
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
      <Stat label="Oldest transaction" about={`longest query ${roughly(stats?.longest_query_s)}`}>
        <a href={place('activity')}>{roughly(stats?.oldest_transaction_s)}</a>
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
          stats === null || stats.size_bytes === null ? null : (
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
