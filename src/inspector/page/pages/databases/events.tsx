/** What befell a server: that it went down and came back, restarted, ran short of something. */
import type { LogRow } from '../../databases/kinds.js'
import { nowMs } from '../../ui/clock.js'
import { Choice } from '../../ui/filters.js'
import { moment } from '../../ui/format.js'
import { List } from '../../ui/list.js'
import { Empty, Tag, type Tone } from '../../ui/parts.js'
import type { Column } from '../../ui/table.js'

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
