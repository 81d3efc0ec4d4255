/** The ledger of routes: which client uses which node, chosen among how many. */
import type { RouteView } from '../../../actors/ports.js'
import { useView } from '../live/hooks.js'
import { to } from '../route.js'
import { WhatIf } from '../routing/what-if.js'
import { Choice, queryFor, TextFilter } from '../ui/filters.js'
import { count, short } from '../ui/format.js'
import { ActorLink, Ago, Empty, Fault, Heading } from '../ui/parts.js'
import { type Column, Pages, Table } from '../ui/table.js'
import { Tier } from '../ui/tier.js'
import { reasonWords, TIERS } from '../ui/words.js'

interface RoutesPage {
  readonly routes: readonly RouteView[]
  readonly total: number
  readonly next: string | null
}

const COLUMNS: readonly Column<RouteView>[] = [
  {
    name: 'Client',
    sort: 'clientId',
    kind: 'name',
    cell: ({ clientId }) => <ActorLink id={`client/${clientId}`}>{clientId}</ActorLink>,
  },
  {
    name: 'Node',
    sort: 'nodeId',
    kind: 'name',
    cell: ({ nodeId }) => <ActorLink id={`node/${nodeId}`}>{nodeId}</ActorLink>,
  },
  { name: 'Tier', cell: ({ tier }) => <Tier tier={tier} /> },
  { name: 'Why not direct', cell: ({ reason }) => reasonWords(reason) },
  {
    name: 'Cost',
    kind: 'number',
    cell: ({ explanation }) => {
      const cost = explanation.compared[0]?.cost
      return cost === undefined ? '' : short(cost)
    },
  },
  {
    name: 'Chosen among',
    cell: ({ routeId, explanation: { compared, qualified, considered } }) => (
      <a href={to(['routes', routeId])}>
        {count(compared.length)} compared, {count(qualified)} of {count(considered)} qualified
      </a>
    ),
  },
  { name: 'Since', sort: 'sinceMs', kind: 'number', cell: ({ sinceMs }) => <Ago atMs={sinceMs} /> },
]

/** Rows of a page. */
const ROWS = '50'

export function Routes() {
  const query = queryFor(['client', 'node', 'tier', 'sort', 'after'], { limit: ROWS })
  const { value: page, fault } = useView<RoutesPage>(`/api/v1/routes${query}`)
  return (
    <>
      <Heading title="Routes" about="which node each client uses, and how that was decided" />
      <div class="filters">
        <TextFilter name="client" label="Client" />
        <TextFilter name="node" label="Node" />
        <Choice name="tier" label="Tier" options={TIERS.map(({ tier, label }) => [tier, label] as const)} />
      </div>
      {fault !== null && <Fault>{fault}</Fault>}
      {page !== null && (
        <>
          <Table caption="Routes" columns={COLUMNS} rows={page.routes} keyOf={({ routeId }) => routeId} />
          {page.total === 0 && (
            <Empty title="No route meets the filters">
              A client gets one when it asks: <code>boson client</code> does so by itself.
            </Empty>
          )}
          <Pages total={page.total} shown={page.routes.length} next={page.next} noun="route" />
        </>
      )}
      <WhatIf />
    </>
  )
}
