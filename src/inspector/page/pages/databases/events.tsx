/** What befell a server: that it went down and came back, restarted, ran short of something. */
import type { LogRow } from '../../databases/kinds.js'
import { useView } from '../../live/hooks.js'
import { to } from '../../route.js'
import { nowMs } from '../../ui/clock.js'
import { Choice } from '../../ui/filters.js'
import { moment } from '../../ui/format.js'
import { List } from '../../ui/list.js'
import { Empty, Panel, Tag, type Tone } from '../../ui/parts.js'
import { type Column, Table } from '../../ui/table.js'

const TONES: Readonly<Record<LogRow['level'], Tone>> = { info: 'accent', warn: 'warn', error: 'bad' }

const COLUMNS: readonly Column<LogRow>[] = [
  { name: 'When', kind: 'tight', width: '18%', cell: ({ at }) => moment(Date.parse(at), nowMs.value) },
  { name: 'Level', width: '9%', cell: ({ level }) => <Tag tone={TONES[level]}>{level}</Tag> },
  { name: 'What', width: '20%', cell: ({ kind }) => <span class="mono">{kind}</span> },
  { name: 'In words', width: '53%', cell: ({ message }) => message },
]

/** They are read from the database, ms. */
const EVERY_MS = 5000

export const Events = ({ server }: { readonly server: string }) => (
  <List
    path="/pgmon/logs"
    rows="logs"
    filters={['level']}
    fixed={{ server }}
    columns={COLUMNS}
    keyOf={({ id }: LogRow) => String(id)}
    noun="event"
    everyMs={EVERY_MS}
    empty={<Empty title="Nothing befell it">What happens to it is kept here for a month.</Empty>}
  >
    <Choice
      name="level"
      label="Level"
      options={[
        ['info', 'info'],
        ['warn', 'warn'],
        ['error', 'error'],
      ]}
    />
  </List>
)

/** How many are told where a server is down: what went before. */
const LAST = 5

/** The last few, for who wants to know what led to this. */
export function LastEvents({ server }: { readonly server: string }) {
  const { value } = useView<{ readonly logs: readonly LogRow[] }>(
    `/pgmon/logs?${new URLSearchParams({ server, limit: String(LAST) })}`,
    EVERY_MS,
  )
  if (value === null || value.logs.length === 0) return null
  return (
    <Panel title="What led to this" end={<a href={to(['databases', server, 'events'])}>all events</a>} flush>
      <Table caption="events" columns={COLUMNS} rows={value.logs} keyOf={({ id }) => String(id)} />
    </Panel>
  )
}
