/** The audit: who changed what, and when; kept for ever. */
import type { AuditEvent } from '../../../actors/ports.js'
import { TextFilter } from '../ui/filters.js'
import { nowMs } from '../ui/clock.js'
import { moment } from '../ui/format.js'
import { List } from '../ui/list.js'
import { Empty, Heading } from '../ui/parts.js'
import type { Column } from '../ui/table.js'

const COLUMNS: readonly Column<AuditEvent>[] = [
  { name: 'When', sort: 'atMs', kind: 'tight', cell: ({ atMs }) => moment(atMs, nowMs.value) },
  { name: 'What', sort: 'kind', kind: 'name', cell: ({ kind }) => <span class="mono">{kind}</span> },
  { name: 'By', sort: 'actor', kind: 'name', cell: ({ actor }) => <span class="mono">{actor}</span> },
  { name: 'To', sort: 'subject', kind: 'name', cell: ({ subject }) => <span class="mono">{subject}</span> },
  { name: 'Detail', cell: ({ detail }) => <Detail detail={detail} /> },
]

const Detail = ({ detail }: Pick<AuditEvent, 'detail'>) => (
  <span class="mono quiet">
    {Object.entries(detail)
      .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(', ')}
  </span>
)

/** The audit is read from the database, and changes seldom, ms. */
const EVERY_MS = 5000

export const Audit = () => (
  <>
    <Heading title="Audit" about="who changed what, the newest first" />
    <List
      path="/api/v1/audit"
      rows="audit"
      filters={['kind', 'actor', 'subject']}
      columns={COLUMNS}
      keyOf={({ auditId }) => auditId}
      noun="event"
      everyMs={EVERY_MS}
      empty={
        <Empty title="Nothing meets the filters">A filter wants the whole word, as a line has it.</Empty>
      }
    >
      <TextFilter name="kind" label="What, such as identity.enrolled" wide />
      <TextFilter name="actor" label="By" />
      <TextFilter name="subject" label="To" />
    </List>
  </>
)
