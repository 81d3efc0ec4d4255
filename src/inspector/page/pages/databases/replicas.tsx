/** Who follows a server, and how far behind: its replicas, and the slots that WAL is kept for. */
import type { Replication } from '../../databases/kinds.js'
import { seconds } from '../../databases/words.js'
import { bytes } from '../../ui/format.js'
import { Facts, Panel, Tag } from '../../ui/parts.js'
import { type Column, Table } from '../../ui/table.js'

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

export function Replicas({ of }: { readonly of: Replication }) {
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
