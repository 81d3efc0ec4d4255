/** What nodes were told to do, and what came of it. */
import { ask } from '../live/hooks.js'
import { may } from '../live/who.js'
import { Act, Pick } from '../ui/actions.js'
import type { Question } from '../ui/dialog.js'
import { Choice, TextFilter } from '../ui/filters.js'
import { count } from '../ui/format.js'
import { List } from '../ui/list.js'
import { ActorLink, Ago, Empty, Heading, Tag, type Tone } from '../ui/parts.js'
import type { Column } from '../ui/table.js'

const STATES = ['pending', 'delivered', 'done', 'failed', 'expired', 'cancelled'] as const

interface Job {
  readonly id: number
  readonly server_id: string
  readonly type: string
  readonly payload: unknown
  readonly status: (typeof STATES)[number]
  readonly result: unknown
  readonly created_at: string
  readonly created_by: string
  readonly expires_at: string
  readonly deliveries: number
  /** What the node says it is at; null when it has said nothing. */
  readonly step: string | null
}

const TONES: Readonly<Record<Job['status'], Tone>> = {
  pending: 'plain',
  delivered: 'accent',
  done: 'good',
  failed: 'bad',
  expired: 'warn',
  cancelled: 'plain',
}

const json = (value: unknown) => value !== null && <code>{JSON.stringify(value)}</code>

const COLUMNS: readonly Column<Job>[] = [
  { name: 'Job', sort: 'id', kind: 'tight', cell: ({ id }) => count(id) },
  {
    name: 'Node',
    cell: ({ server_id: id }) => <ActorLink id={`node/${id}`}>{id}</ActorLink>,
  },
  { name: 'What', cell: ({ type, payload }) => [type, ' ', json(payload)] },
  {
    name: 'State',
    cell: ({ status, step }) => [
      <Tag key="state" tone={TONES[status]}>
        {status}
      </Tag>,
      step !== null && ` ${step}`,
    ],
  },
  { name: 'Result', cell: ({ result }) => json(result) },
  { name: 'Told', kind: 'number', cell: ({ deliveries }) => `${count(deliveries)} ×` },
  { name: 'By', cell: ({ created_by }) => <span class="mono">{created_by}</span> },
  { name: 'Age', kind: 'number', cell: ({ created_at }) => <Ago atMs={Date.parse(created_at)} /> },
  {
    name: '',
    kind: 'tight',
    cell: ({ id, status }) =>
      may('operator') && (status === 'pending' || status === 'delivered') && <Act question={cancel(id)} />,
  },
]

const order: Question = {
  title: 'Order a job',
  verb: 'Order',
  consequence: (
    <p>The node is told at once when it is connected, and again until it has done it or the time is over.</p>
  ),
  fields: (
    <>
      <label class="field">
        <span>Node</span>
        <input class="input" name="node" required autocomplete="off" spellcheck={false} />
      </label>
      <Pick
        name="type"
        label="What"
        options={[
          ['reprobe', 'Look at its network anew'],
          ['bundle', 'Send a debug bundle'],
          ['logLevel', 'Log more for ten minutes'],
          ['restart', 'Restart the agent'],
        ]}
      />
    </>
  ),
  async act({ node = '', type = '' }) {
    const job = await ask<Job>('POST', `/api/v1/nodes/${encodeURIComponent(node.trim())}/jobs`, {
      type,
      ...(type === 'logLevel' && { payload: { level: 'debug', forMs: 600_000 } }),
    })
    return `Job ${job.id} is ordered.`
  },
}

const cancel = (id: number): Question => ({
  title: `Cancel job ${id}`,
  verb: 'Cancel',
  consequence: <p>It is told no more. A node that has begun it is not stopped.</p>,
  async act() {
    await ask('DELETE', `/api/v1/jobs/${id}`)
    return `Job ${id} is cancelled.`
  },
})

/** Jobs are read from the database, ms. */
const EVERY_MS = 2000

export const Jobs = () => (
  <>
    <Heading title="Jobs" about="what nodes were told to do, and what came of it">
      {may('operator') && <Act question={order} />}
    </Heading>
    <List
      path="/api/v1/jobs"
      rows="jobs"
      filters={['node', 'status']}
      columns={COLUMNS}
      keyOf={({ id }) => String(id)}
      noun="job"
      everyMs={EVERY_MS}
      empty={
        <Empty title="There are no jobs">
          Order one here, or with <code>boson jobs order</code>.
        </Empty>
      }
    >
      <TextFilter name="node" label="Node" />
      <Choice name="status" label="State" options={STATES.map(each => [each, each] as const)} />
    </List>
  </>
)
