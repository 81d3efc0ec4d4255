/** The living actors: searched, filtered, sorted and paged by the coordinator, so that it does not matter how many there are. */
import type { ActorRow, ActorsPage } from '../../../actors/ports.js'
import { ACTOR_KINDS } from '../../../protocol/actor-kinds.js'
import { useView } from '../live/hooks.js'
import { narrow, route, to } from '../route.js'
import { Choice, queryFor, TextFilter } from '../ui/filters.js'
import { ActorLink, Empty, Fault, Heading } from '../ui/parts.js'
import { State } from '../ui/state.js'
import { reasonWords } from '../ui/words.js'
import { type Column, Pages, Table } from '../ui/table.js'
import { QuickFilters } from './actors/quick-filters.js'
import { Tree } from './actors/tree.js'

const COLUMNS: readonly Column<ActorRow>[] = [
  { name: 'Actor', sort: 'id', width: '18%', cell: ({ id }) => <ActorLink id={id} /> },
  { name: 'State', sort: 'state', width: '29%', cell: ({ state }) => <State of={state} /> },
  { name: 'About', sort: 'about', width: '31%', cell: aboutOf },
  { name: 'Country', sort: 'country', kind: 'tight', width: '7%', cell: ({ country }) => country },
  { name: 'Parent', width: '15%', cell: ({ parent }) => parent !== null && <ActorLink id={parent} /> },
]

/** The code at the end of what a path is about is said in words. */
function aboutOf({ about, reason }: ActorRow) {
  if (about === null || reason === null) return about
  return (
    <>
      {about.replace(`, ${reason}`, '')} <span class="quiet">{reasonWords(reason)}</span>
    </>
  )
}

/** Rows of a page. */
const ROWS = '50'

export function Actors() {
  const isTree = route.value.query['view'] === 'tree'
  return (
    <>
      <Heading title="Actors" about="every session, path and helper of the coordinator, as it is now">
        <span class="choices" role="group" aria-label="Show as">
          <As name="List" isNow={!isTree} view={undefined} />
          <As name="Tree" isNow={isTree} view="tree" />
        </span>
      </Heading>
      {isTree ? <Tree /> : <List />}
    </>
  )
}

const As = ({ name, isNow, view }: { name: string; isNow: boolean; view: string | undefined }) => (
  <button type="button" class="button" aria-pressed={isNow} onClick={() => narrow({ view })}>
    {name}
  </button>
)

function List() {
  const { kind, country = '' } = route.value.query
  const query = queryFor(['search', 'state', 'reason', 'parent', 'sort', 'after'], {
    limit: ROWS,
    ...(kind !== undefined && { kinds: kind }),
    // Half of a code is not asked for yet.
    ...(country.length === 2 && { country: country.toUpperCase() }),
  })
  const { value: page, fault } = useView<ActorsPage>(`/api/v1/actors${query}`)
  return (
    <>
      <div class="filters">
        <TextFilter name="search" label="Name, what it is about, or country" wide />
        <Choice name="kind" label="Kind" options={ACTOR_KINDS.map(each => [each, each] as const)} />
        <TextFilter name="state" label="State contains" />
        <TextFilter name="country" label="Country, such as DE" />
        <TextFilter name="parent" label="Looked after by" />
      </div>
      <QuickFilters />
      {fault !== null && <Fault>{fault}</Fault>}
      {page !== null && (
        <>
          <Table
            caption="Actors"
            columns={COLUMNS}
            rows={page.actors}
            keyOf={({ id }) => id}
            addressOf={({ id }) => to(['actors', id])}
          />
          {page.total === 0 && (
            <section class="panel">
              <Empty title="No actor meets the filters">
                <a href={to(['actors'])}>Clear all of them</a>
              </Empty>
            </section>
          )}
          <Pages total={page.total} shown={page.actors.length} next={page.next} noun="actor" />
        </>
      )}
    </>
  )
}
