/** The mesh as a graph: each node with its clients around it, wherever they are. */
import { useRef } from 'preact/hooks'
import type { MeshPicture } from '../../../actors/ports.js'
import { to } from '../route.js'
import { plural } from '../ui/format.js'
import { tierLabel } from '../ui/words.js'
import { type Edge, type Graph, graphOf, inFrame } from './graph.js'
import { placed, shortened } from './labels.js'
import type { Point, Size } from './lens.js'
import { Disc, fromWords, LinksHint, linksAddress, NodeHint, tierCounts } from './marks.js'
import { type Drawn, type Hint, Plane, type Stage } from './plane.js'
import { clientsOf } from './sites.js'
import { widthOf } from './scales.js'

interface LaidOut {
  readonly picture: MeshPicture
  readonly frame: Size
  readonly graph: Graph
}

export function MeshGraph({ picture }: { readonly picture: MeshPicture }) {
  const last = useRef<LaidOut | null>(null)
  const graphIn = (frame: Size): Graph => {
    const before = last.current
    if (before !== null && before.picture === picture && isSame(before.frame, frame)) return before.graph
    const start = before !== null && isSame(before.frame, frame) ? before.graph : undefined
    const graph = graphOf(picture, frame, start)
    last.current = { picture, frame, graph }
    return graph
  }
  return <Plane label="Graph of the mesh" draw={stage => drawn(graphIn(stage.frame), stage)} />
}

const isSame = (a: Size, b: Size): boolean => a.width === b.width && a.height === b.height

/** Where circles are smaller than this, numbers beside them would cover each other. */
const NUMBERED = 0.7
/** More stops than this are not walked through with the tab key. */
const STOPS_MAX = 100

function drawn(graph: Graph, stage: Stage): Drawn {
  const hints = new Map<string, () => Hint>()
  const at = (vertex: Point) => stage.at(inFrame(graph, vertex))
  // Nearer, there is room again for the size that they have.
  const shrink = Math.min(1, graph.fit.shrink * Math.sqrt(stage.lens.scale))
  const ofNode = new Map<string, Edge[]>()
  for (const edge of graph.edges) ofNode.set(edge.node.id, [...(ofNode.get(edge.node.id) ?? []), edge])
  const names = placed(
    graph.nodes.map(vertex => ({
      key: vertex.id,
      ...at(vertex),
      text: shortened(vertex.node.id),
      below: vertex.radius * shrink + 17,
    })),
    graph.nodes.map(vertex => ({ key: vertex.id, ...at(vertex), radius: vertex.radius * shrink })),
  )
  for (const { id, client, node, links } of graph.edges) {
    const [a, b] = [at(client), at(node)]
    hints.set(id, () => ({
      x: (a.x + b.x) / 2,
      y: (a.y + b.y) / 2,
      body: <LinksHint title={`${fromWords(links)} → ${node.node.id}`} links={links} />,
    }))
  }
  for (const vertex of graph.nodes) {
    const links = (ofNode.get(vertex.id) ?? []).flatMap(edge => edge.links)
    hints.set(vertex.id, () => ({ ...at(vertex), body: <NodeHint node={vertex.node} links={links} /> }))
  }
  for (const vertex of graph.clients)
    hints.set(vertex.id, () => ({
      ...at(vertex),
      body: <LinksHint title={fromWords(vertex.links)} links={vertex.links} />,
    }))
  const isWalked = graph.clients.length <= STOPS_MAX
  return {
    hintOf: key => hints.get(key)?.() ?? null,
    picture: (
      <>
        {graph.edges.map(({ id, client, node, tier, links }) => {
          const [a, b] = [at(client), at(node)]
          const line = `M${a.x} ${a.y}L${b.x} ${b.y}`
          return (
            <a
              key={id}
              class="mesh-line"
              data-tier={tier}
              href={linksAddress(links)}
              aria-label={`${fromWords(links)} to ${node.node.id}, ${tierLabel(tier)}`}
              tabindex={-1}
              {...stage.hint(id)}
            >
              <path class="mesh-grip" d={line} />
              <path d={line} stroke-width={widthOf(links.reduce((sum, { bytes }) => sum + bytes, 0))} />
            </a>
          )
        })}
        {graph.clients.map(vertex => {
          const { x, y } = at(vertex)
          const radius = vertex.radius * shrink
          const [first] = vertex.links
          const clients = clientsOf(vertex.links)
          return (
            <a
              key={vertex.id}
              class="mesh-client"
              data-tier={first?.tier}
              href={
                first !== undefined && first.clientId !== null
                  ? to(['actors', `client/${first.clientId}`])
                  : linksAddress(vertex.links)
              }
              aria-label={fromWords(vertex.links)}
              tabindex={isWalked ? 0 : -1}
              {...stage.hint(vertex.id)}
            >
              <circle cx={x} cy={y} r={radius} />
              {clients > 1 && shrink > NUMBERED && (
                <text x={x} y={y + radius + 13}>
                  {clients}
                </text>
              )}
            </a>
          )
        })}
        {graph.nodes.map(vertex => (
          <a
            key={vertex.id}
            class="mesh-node"
            href={to(['actors', `node/${vertex.node.id}`])}
            aria-label={`${vertex.node.id}, ${plural(vertex.node.clients, 'client')}`}
            {...stage.hint(vertex.id)}
          >
            <Disc
              at={at(vertex)}
              radius={vertex.radius * shrink}
              nodes={[vertex.node]}
              tiers={tierCounts((ofNode.get(vertex.id) ?? []).flatMap(edge => edge.links))}
            />
          </a>
        ))}
        {names.map(({ key, x, y, below, text }) => (
          <text key={key} class="mesh-name" x={x} y={y + below}>
            {text}
          </text>
        ))}
      </>
    ),
  }
}
