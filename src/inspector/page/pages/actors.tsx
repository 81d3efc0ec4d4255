/** The living actors: searched, filtered, sorted and paged by the coordinator, so that it does not matter how many there are. */
import type { ActorRow } from '../../../actors/ports.js'
import { useView } from '../live/hooks.js'
import { Choice, queryFor, TextFilter } from '../ui/filters.js'
import { ActorLink, Empty, Fault, Heading, Tag } from '../ui/parts.js'
import { type Column, Pages, Table } from '../ui/table.js'
import { toneOfState } from '../ui/words.js'
import { route } from '../route.js'

interface ActorsPage {
  readonly actors: readonly ActorRow[]
  readonly total: number
  readonly next: string | null
}

const KINDS = [
  'server',
  'cluster',
  'coordinator',
  'snapshot',
  'relay',
  'node',
  'client',
  'nat-probe',
  'path',
  'drain',
] as const

const COLUMNS: readonly Column<ActorRow>[] = [
  { name: 'Actor', sort: 'id', cell: ({ id }) => <ActorLink id={id} /> },
  { name: 'State', sort: 'state', cell: ({ state }) => <Tag tone={toneOfState(state)}>{state}</Tag> },
  { name: 'About', sort: 'about', cell: ({ about }) => about },
  { name: 'Country', sort: 'country', kind: 'tight', cell: ({ country }) => country },
  { name: 'Parent', cell: ({ parent }) => parent !== null && <ActorLink id={parent} /> },
]

/** Rows of a page. */
const ROWS = '50'

export function Actors() {
  const { kind } = route.value.query
  const query = queryFor(['search', 'state', 'country', 'sort', 'after'], {
    limit: ROWS,
    ...(kind !== undefined && { kinds: kind }),
  })
  const { value: page, fault } = useView<ActorsPage>(`/api/v1/actors${query}`)
  return (
    <>
      <Heading title="Actors" about="every session, path and helper of the coordinator, as it is now" />
      <div class="filters">
        <TextFilter name="search" label="Name, what it is about, or country" wide />
        <Choice name="kind" label="Kind" options={KINDS.map(each => [each, each] as const)} />
        <TextFilter name="state" label="State contains" />
        <TextFilter name="country" label="Country" />
      </div>
      {fault !== null && <Fault>{fault}</Fault>}
      {page !== null && (
        <>
          <Table caption="Actors" columns={COLUMNS} rows={page.actors} keyOf={({ id }) => id} />
          {page.total === 0 && <Empty title="No actor meets the filters">Clear one of them.</Empty>}
          <Pages total={page.total} shown={page.actors.length} next={page.next} noun="actor" />
        </>
      )}
    </>
  )
}
