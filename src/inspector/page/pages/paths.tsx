/** Every live path: its tier, and why it is not a better one. */
import type { PathView } from '../../../actors/ports.js'
import type { PathsPage } from '../../../app/api/paths.js'
import { useView } from '../live/hooks.js'
import { to } from '../route.js'
import { Choice, queryFor, TextFilter } from '../ui/filters.js'
import { bytes, ms, percent } from '../ui/format.js'
import { ActorLink, Ago, Empty, Fault, Heading } from '../ui/parts.js'
import { type Column, Pages, Table } from '../ui/table.js'
import { Tier } from '../ui/tier.js'
import { REASON_WORDS, reasonWords, TIERS, viaWords } from '../ui/words.js'
import { WhyForm } from './why.js'

const sum = (of: Readonly<Record<string, number>>): number =>
  Object.values(of).reduce((all, each) => all + each, 0)

const COLUMNS: readonly Column<PathView>[] = [
  {
    name: 'Link',
    sort: 'link',
    kind: 'tight',
    cell: ({ link }) => (
      <a class="mono" href={to(['paths', String(link)])}>
        {link}
      </a>
    ),
  },
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
  {
    name: 'Tier',
    cell: ({ tier, via }) => (
      <>
        <Tier tier={tier} />{' '}
        {via !== null && tier !== 'relayed' && <span class="quiet">{viaWords(via)}</span>}
      </>
    ),
  },
  { name: 'Why not direct', cell: ({ reason }) => reasonWords(reason) },
  { name: 'RTT', sort: 'rttMs', kind: 'number', cell: ({ rttMs }) => ms(rttMs) },
  { name: 'Loss', sort: 'lossPct', kind: 'number', cell: ({ lossPct }) => percent(lossPct) },
  { name: 'To node', kind: 'number', cell: path => bytes(sum(path.bytes.toNode)) },
  { name: 'To client', kind: 'number', cell: path => bytes(sum(path.bytes.toClient)) },
  { name: 'Since', sort: 'sinceMs', kind: 'number', cell: ({ sinceMs }) => <Ago atMs={sinceMs} /> },
]

/** Rows of a page. */
const ROWS = '50'
/** Live paths: those of a tier that has ended are in the answer of `why`. */
const LIVE_TIERS = TIERS.filter(({ tier }) => tier !== 'closed').map(
  ({ tier, label }) => [tier, label] as const,
)

export function Paths() {
  const query = queryFor(['tier', 'reason', 'client', 'node', 'sort', 'after'], { limit: ROWS })
  const { value: page, fault } = useView<PathsPage>(`/api/v1/paths${query}`)
  return (
    <>
      <Heading title="Paths" about="how each client reaches its node, and why not better">
        <WhyForm />
      </Heading>
      <div class="filters">
        <Choice name="tier" label="Tier" options={LIVE_TIERS} />
        <Choice name="reason" label="Why not direct" options={Object.entries(REASON_WORDS)} />
        <TextFilter name="client" label="Client" />
        <TextFilter name="node" label="Node" />
      </div>
      {fault !== null && <Fault>{fault}</Fault>}
      {page !== null && (
        <>
          <Table
            caption="Live paths"
            columns={COLUMNS}
            rows={page.paths}
            keyOf={({ link }) => String(link)}
          />
          {page.total === 0 && (
            <Empty title="No path meets the filters">
              A path begins when a client asks for a route, and ends with it.
            </Empty>
          )}
          <Pages total={page.total} shown={page.paths.length} next={page.next} noun="path" />
        </>
      )}
    </>
  )
}
