/** Where nodes and clients are and how they are connected: on a map, or as a graph. */
import type { MeshPicture, PicturedNode } from '../../../actors/ports.js'
import { useView } from '../live/hooks.js'
import { clientsOf, sitesOf } from '../mesh/sites.js'
import { tierCounts } from '../mesh/marks.js'
import { countryName, troubleOf } from '../mesh/picture.js'
import { LOAD_STEPS } from '../mesh/scales.js'
import { narrow, route, to } from '../route.js'
import { count, ms, percent, plural } from '../ui/format.js'
import { lazy } from '../ui/lazy.js'
import { ActorLink, Empty, Fault, Heading, Panel, Tag } from '../ui/parts.js'
import { type Column, Table } from '../ui/table.js'
import { Tier } from '../ui/tier.js'

const blank = <div class="plane" aria-busy="true" />
const WorldMap = lazy(async () => (await import('../mesh/map.js')).WorldMap, blank)
const MeshGraph = lazy(async () => (await import('../mesh/graph-view.js')).MeshGraph, blank)

/** What each of the two still shows well. */
const MOST = { map: 'nodes=500&links=1000', graph: 'nodes=150&links=300' } as const
/** Figures of a picture are no plot: it is enough to see them move. ms */
const EVERY_MS = 2000

export function Mesh() {
  const view = route.value.query['view'] === 'graph' ? 'graph' : 'map'
  const { value: picture, fault } = useView<MeshPicture>(`/api/v1/map?${MOST[view]}`, EVERY_MS)
  const isEmpty = picture?.totalNodes === 0
  return (
    <>
      <Heading title="Mesh" about="where nodes and clients are, and how packets travel between them">
        {(['map', 'graph'] as const).map(each => (
          <button
            key={each}
            type="button"
            class="button"
            aria-pressed={view === each}
            onClick={() => narrow({ view: each === 'map' ? undefined : each })}
          >
            {each === 'map' ? 'Map' : 'Graph'}
          </button>
        ))}
      </Heading>
      {fault !== null && <Fault>{fault}</Fault>}
      {isEmpty ? (
        <section class="panel">
          <Empty title="No node is here yet">
            A node appears as soon as it has registered: make a key with <code>boson enrol</code>, then start{' '}
            <code>boson node</code>.
          </Empty>
        </section>
      ) : (
        <>
          <section class="panel mesh-panel">
            {picture === null ? (
              blank
            ) : view === 'map' ? (
              <WorldMap picture={picture} />
            ) : (
              <MeshGraph picture={picture} />
            )}
            <Legend picture={picture} />
          </section>
          {picture !== null && view === 'map' && <Unplaced picture={picture} />}
          {picture !== null && <Largest picture={picture} />}
        </>
      )}
    </>
  )
}

function Legend({ picture }: { readonly picture: MeshPicture | null }) {
  return (
    <div class="mesh-legend">
      <div>
        <span class="quiet">Load of a node</span>
        <span class="mesh-scale">
          {LOAD_STEPS.map((upTo, step) => (
            <span key={upTo}>
              <i class="mesh-swatch" data-load={step} />
              {(LOAD_STEPS[step - 1] ?? 0) * 100}–{upTo * 100} %
            </span>
          ))}
          <span>
            <i class="mesh-swatch" data-load="unknown" />
            unknown
          </span>
        </span>
      </div>
      <div>
        <span class="quiet">Clients by tier</span>
        <span class="mesh-scale">
          {tierCounts(picture?.links ?? []).map(([tier, clients]) => (
            <a key={tier} href={to(['paths'], { tier })}>
              <Tier tier={tier} /> {count(clients)}
            </a>
          ))}
        </span>
      </div>
      <p class="quiet">
        A circle is as large as its clients are many, its ring shows their tiers; a line is as wide as what it
        has carried, 100 kB to 1 TB. Of very many lines, those with the most clients are drawn.
      </p>
      {picture !== null && <Undrawn picture={picture} />}
    </div>
  )
}

/** What there is beyond what is drawn. */
function Undrawn({
  picture: { nodes, totalNodes, links, totalPaths, totalClients },
}: {
  readonly picture: MeshPicture
}) {
  const drawn = clientsOf(links)
  const rest = [
    ...(nodes.length < totalNodes ? [`${count(totalNodes - nodes.length)} nodes with fewer clients`] : []),
    ...(drawn < totalPaths ? [plural(totalPaths - drawn, 'path')] : []),
    ...(totalPaths < totalClients ? [`${plural(totalClients - totalPaths, 'client')} without a path`] : []),
  ]
  return rest.length === 0 ? null : <p class="quiet">Not drawn: {rest.join(', ')}.</p>
}

/** Who has no place on the map. */
function Unplaced({ picture }: { readonly picture: MeshPicture }) {
  const { unplacedNodes, unplacedClients } = sitesOf(picture)
  if (unplacedNodes.length === 0 && unplacedClients === 0) return null
  return (
    <Panel title="Not on the map" about="who says neither where it is, nor in which country">
      {unplacedNodes.length > 0 && (
        <p class="mesh-names">
          {unplacedNodes.slice(0, UNPLACED_MAX).map(({ id }) => (
            <ActorLink key={id} id={`node/${id}`}>
              {id}
            </ActorLink>
          ))}
          {unplacedNodes.length > UNPLACED_MAX && (
            <span class="quiet">and {plural(unplacedNodes.length - UNPLACED_MAX, 'more node')}</span>
          )}
        </p>
      )}
      {unplacedClients > 0 && (
        <p class="quiet">
          {plural(unplacedClients, 'client')} of unknown place: in the rings of the nodes, and in the{' '}
          <a href={to(['mesh'], { view: 'graph' })}>graph</a>.
        </p>
      )}
    </Panel>
  )
}

const UNPLACED_MAX = 40

/** Rows below the drawing: the same in words. */
const ROWS = 12

const COLUMNS: readonly Column<PicturedNode>[] = [
  { name: 'Node', kind: 'name', cell: ({ id }) => <ActorLink id={`node/${id}`}>{id}</ActorLink> },
  {
    name: 'State',
    cell: node => {
      const trouble = troubleOf(node)
      return trouble === null ? (
        <Tag tone="good">{node.state}</Tag>
      ) : (
        <Tag tone={trouble.tone}>{trouble.words}</Tag>
      )
    },
  },
  { name: 'Country', kind: 'tight', cell: ({ country }) => countryName(country) },
  { name: 'Clients', kind: 'number', cell: ({ clients }) => count(clients) },
  { name: 'Places', kind: 'number', cell: ({ places }) => count(places) },
  { name: 'Load', kind: 'number', cell: ({ load }) => percent(load === null ? null : load * 100) },
  { name: 'RTT', kind: 'number', cell: ({ rttMs }) => ms(rttMs) },
  { name: 'Loss', kind: 'number', cell: ({ lossPct }) => percent(lossPct) },
]

const Largest = ({ picture: { nodes, totalNodes } }: { readonly picture: MeshPicture }) => (
  <Panel
    title="Nodes"
    about={
      totalNodes > ROWS
        ? `the ${ROWS} with the most clients of ${count(totalNodes)}`
        : 'those with the most clients first'
    }
    end={<a href={to(['actors'], { kind: 'node' })}>All nodes</a>}
    flush
  >
    <Table
      caption="Nodes with the most clients"
      columns={COLUMNS}
      rows={nodes.slice(0, ROWS)}
      keyOf={({ id }) => id}
    />
  </Panel>
)
