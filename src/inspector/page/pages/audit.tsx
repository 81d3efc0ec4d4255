/** The audit: who changed what, and when; kept for ever. */
import type { AuditEvent } from '../../../actors/ports.js'
import { useView } from '../live/hooks.js'
import { queryFor, TextFilter } from '../ui/filters.js'
import { moment } from '../ui/format.js'
import { nowMs } from '../ui/clock.js'
import { Empty, Fault, Heading } from '../ui/parts.js'
import { type Column, Pages, Table } from '../ui/table.js'

interface AuditPage {
  readonly audit: readonly AuditEvent[]
  readonly total: number
  readonly next: string | null
}

const COLUMNS: readonly Column<AuditEvent>[] = [
  { name: 'When', sort: 'atMs', kind: 'tight', cell: ({ atMs }) => moment(atMs, nowMs.value) },
  { name: 'What', sort: 'kind', cell: ({ kind }) => <span class="mono">{kind}</span> },
  { name: 'By', sort: 'actor', cell: ({ actor }) => <span class="mono">{actor}</span> },
  { name: 'To', sort: 'subject', cell: ({ subject }) => <span class="mono">{subject}</span> },
  { name: 'Detail', cell: ({ detail }) => <Detail detail={detail} /> },
]

const Detail = ({ detail }: Pick<AuditEvent, 'detail'>) => (
  <span class="mono quiet">
    {Object.entries(detail)
      .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(', ')}
  </span>
)

/** Rows of a page. */
const ROWS = '50'
/** The audit is read from the database, and changes seldom, ms. */
const EVERY_MS = 5000

export function Audit() {
  const query = queryFor(['kind', 'actor', 'subject', 'sort', 'after'], { limit: ROWS })
  const { value: page, fault } = useView<AuditPage>(`/api/v1/audit${query}`, EVERY_MS)
  return (
    <>
      <Heading title="Audit" about="who changed what, the newest first" />
      <div class="filters">
        <TextFilter name="kind" label="What, such as identity.enrolled" wide />
        <TextFilter name="actor" label="By" />
        <TextFilter name="subject" label="To" />
      </div>
      {fault !== null && <Fault>{fault}</Fault>}
      {page !== null && (
        <>
          <Table caption="Audit" columns={COLUMNS} rows={page.audit} keyOf={({ auditId }) => auditId} />
          {page.total === 0 && <Empty title="Nothing meets the filters" />}
          <Pages total={page.total} shown={page.audit.length} next={page.next} noun="event" />
        </>
      )}
    </>
  )
}
