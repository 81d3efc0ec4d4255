/** The mesh as a graph: nodes, and around each its clients, laid out by forces between them. Equal meshes look equal. */
import { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } from 'd3-force'
import type { MeshPicture, PathTier, PicturedLink, PicturedNode } from '../../../actors/ports.js'
import type { Point, Size } from './lens.js'
import { radiusOf } from './scales.js'

export interface NodeVertex extends Point {
  readonly id: string
  readonly radius: number
  readonly node: PicturedNode
}

/** A client, or those of one country that use a node on one tier. */
export interface ClientVertex extends Point {
  readonly id: string
  readonly radius: number
  readonly links: readonly PicturedLink[]
}

export interface Edge {
  readonly id: string
  readonly client: ClientVertex
  readonly node: NodeVertex
  readonly tier: PathTier
  readonly links: readonly PicturedLink[]
}

export interface Graph {
  readonly fit: Fit
  readonly nodes: readonly NodeVertex[]
  readonly clients: readonly ClientVertex[]
  readonly edges: readonly Edge[]
}

/** How the layout is put into its frame. */
interface Fit extends Point {
  readonly scale: number
  /** How much smaller circles are drawn, where very many have to be in it. */
  readonly shrink: number
}

/** Returns where a vertex of the graph is in its frame. */
export const inFrame = ({ fit }: Graph, { x, y }: Point): Point => ({
  x: fit.x + x * fit.scale,
  y: fit.y + y * fit.scale,
})

/** Steps of the first layout, and after something came or went. */
const STEPS = { first: 220, again: 50 }
/** Room between circles, and from a node to its clients, which leaves some for its name, px. */
const ROOM = 5
const LENGTH = 34
/** Radii of one client and of several, px. */
const CLIENT_RADIUS = { one: 4, several: 7 }

type Draft<T> = { -readonly [name in keyof T]: T[name] }
type AnyDraft = Draft<NodeVertex> | Draft<ClientVertex>

/** Returns the graph, laid out for the frame. What was in `before` begins where it was, and stays if nothing came or went. */
export function graphOf(
  { nodes, links }: Pick<MeshPicture, 'nodes' | 'links'>,
  frame: Size,
  before?: Graph,
): Graph {
  const most = Math.max(0, ...nodes.map(({ clients }) => clients))
  const known = new Map<string, Point>(
    before === undefined ? [] : [...before.nodes, ...before.clients].map(vertex => [vertex.id, vertex]),
  )
  const start = (id: string): Point => {
    const { x, y } = known.get(id) ?? { x: Number.NaN, y: Number.NaN }
    return { x, y }
  }
  const nodeDrafts = nodes.map(node => {
    const id = `node/${node.id}`
    return { id, radius: radiusOf(node.clients, most), node, ...start(id) }
  })
  const clientDrafts = [...grouped(links, endOf)].map(([id, its]) => {
    const isOne = its[0]?.clientId !== null
    return { id, radius: isOne ? CLIENT_RADIUS.one : CLIENT_RADIUS.several, links: its, ...start(id) }
  })
  const nodeById = new Map(nodeDrafts.map(draft => [draft.node.id, draft]))
  const edges = clientDrafts.flatMap(client =>
    [...grouped(client.links, ({ nodeId, tier }) => `${nodeId} ${tier}`)].flatMap(([key, its]) => {
      const [first] = its
      const node = first && nodeById.get(first.nodeId)
      if (first === undefined || node === undefined) return []
      return [{ id: `${client.id} ${key}`, client, node, tier: first.tier, links: its }]
    }),
  )
  const drafts: AnyDraft[] = [...nodeDrafts, ...clientDrafts]
  if (known.size !== drafts.length || drafts.some(({ id }) => !known.has(id)))
    layOut(drafts, edges, frame, known.size === 0)
  return { fit: fitted(drafts, frame), nodes: nodeDrafts, clients: clientDrafts, edges }
}

const endOf = ({ clientId, nodeId, country, tier }: PicturedLink): string =>
  clientId === null ? `clients/${nodeId}/${country ?? ''}/${tier}` : `client/${clientId}`

function grouped<T>(things: readonly T[], keyOf: (thing: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const thing of things) {
    const group = groups.get(keyOf(thing))
    if (group === undefined) groups.set(keyOf(thing), [thing])
    else group.push(thing)
  }
  return groups
}

function layOut(
  drafts: AnyDraft[],
  edges: readonly { readonly client: AnyDraft; readonly node: AnyDraft }[],
  frame: Size,
  isFirst: boolean,
): void {
  // A new client begins beside its node, where that has a place; what has none is spread out by the simulation.
  for (const { client, node } of edges)
    if (Number.isNaN(client.x) && !Number.isNaN(node.x)) {
      client.x = node.x + 1
      client.y = node.y + 1
    }
  const pulls = edges.map(({ client, node }) => ({
    source: client,
    target: node,
    length: node.radius + LENGTH,
  }))
  forceSimulation(drafts)
    .force(
      'link',
      forceLink(pulls).distance(({ length }) => length),
    )
    .force(
      'charge',
      forceManyBody<AnyDraft>()
        .strength(draft => ('node' in draft ? -160 : -24))
        .distanceMax(400),
    )
    .force(
      'room',
      forceCollide<AnyDraft>(({ radius }) => radius + ROOM),
    )
    .force('x', forceX(frame.width / 2).strength(0.03 * Math.min(1, frame.height / frame.width)))
    .force('y', forceY(frame.height / 2).strength(0.03))
    .stop()
    .alpha(isFirst ? 1 : 0.25)
    .tick(isFirst ? STEPS.first : STEPS.again)
}

/** Room around the graph for the names of nodes, px. */
const MARGIN = { x: 60, y: 46 }
/** A few vertices are not blown up to fill the frame. */
const GROWTH_MAX = 1.4

/** Circles that one can still point at. */
const SHRINK_LEAST = 0.4

function fitted(drafts: readonly AnyDraft[], { width, height }: Size): Fit {
  const xs = drafts.map(({ x }) => x)
  const ys = drafts.map(({ y }) => y)
  const [left, top] = [Math.min(...xs), Math.min(...ys)]
  const [across, down] = [Math.max(...xs) - left || 1, Math.max(...ys) - top || 1]
  const scale = Math.min(GROWTH_MAX, (width - 2 * MARGIN.x) / across, (height - 2 * MARGIN.y) / down)
  return {
    scale,
    x: width / 2 - (left + across / 2) * scale,
    y: height / 2 - (top + down / 2) * scale,
    shrink: Math.max(SHRINK_LEAST, Math.min(1, scale)),
  }
}
