/** The mesh on a map of the world. Nodes that would cover each other are one circle, links between the same two places one line. */
import { useMemo } from 'preact/hooks'
import type { MeshPicture, PathTier, PicturedLink, PicturedNode } from '../../../actors/ports.js'
import { to } from '../route.js'
import { plural } from '../ui/format.js'
import { TIERS, tierLabel } from '../ui/words.js'
import { LAND, project, WORLD } from './atlas.js'
import { type Cluster, clustered } from './clusters.js'
import { placed, shortened } from './labels.js'
import type { Point, Size } from './lens.js'
import { Disc, fromWords, LinksHint, linksAddress, NodeHint, NodesHint, tierCounts } from './marks.js'
import { type Drawn, type Hint, Plane, type Stage } from './plane.js'
import { radiusOf, widthOf } from './scales.js'
import { clientsOf as clientsIn, sitesOf } from './sites.js'

/** Circles and places nearer than this are one, px. */
const NEAR = { nodes: 30, clients: 18 }
/** Lines that are shorter than this show nothing that the ring does not, px. */
const LINE_LEAST = 14
/** On a small map circles are smaller: full size from this width on, px, and at least this much of it. */
const FULL_SIZE_PX = 900
const SIZE_LEAST = 0.6
/** Lines that can be told apart, and from where on they are drawn more faintly. */
const LINES_MAX = 300
const CALM_MAX = 80
/** More lines than this are not walked through with the tab key. */
const STOPS_MAX = 100

interface Spot<T> extends Point {
  readonly weight: number
  readonly of: T
  readonly isRough: boolean
}

export function WorldMap({ picture }: { readonly picture: MeshPicture }) {
  const sites = useMemo(() => sitesOf(picture), [picture])
  return <Plane label="Map of the mesh" draw={stage => drawn(picture, sites, stage)} />
}

function drawn(picture: MeshPicture, sites: ReturnType<typeof sitesOf>, stage: Stage): Drawn {
  const { lens, frame } = stage
  const fitted = fitting(frame)
  const size = Math.max(SIZE_LEAST, Math.min(1, frame.width / FULL_SIZE_PX))
  const place = (at: readonly [number, number]) => fitted(project(at))
  const nodes = clustered<Spot<PicturedNode>>(
    sites.nodes.map(({ of, at, isRough }) => ({ ...place(at), of, isRough, weight: of.clients })),
    (NEAR.nodes * size) / lens.scale,
  )
  const clients = clustered<Spot<PicturedLink>>(
    sites.links.map(({ of, at, isRough }) => ({ ...place(at), of, isRough, weight: of.clients })),
    (NEAR.clients * size) / lens.scale,
  )
  const most = Math.max(0, ...nodes.map(clientsOf))
  const linksOf = Map.prototype.get.bind(byNode(picture.links)) as (
    id: string,
  ) => readonly PicturedLink[] | undefined
  const discs = nodes.map(cluster => {
    const its = cluster.of.map(({ of }) => of)
    const [first] = cluster.of
    const key = `node ${first?.of.id ?? ''}`
    const links = its.flatMap(({ id }) => linksOf(id) ?? [])
    return {
      key,
      cluster,
      nodes: its,
      links,
      first,
      at: stage.at(cluster),
      radius: radiusOf(clientsOf(cluster), most) * size,
    }
  })
  const lines = linesOf(clients, nodes, stage)
  const isLit = litBy(stage.looked, lines, discs)
  const hints = new Map<string, () => Hint>()
  for (const { key, nodes: its, links, first, at } of discs)
    hints.set(key, () => ({
      ...at,
      body:
        its.length === 1 && first !== undefined ? (
          <NodeHint node={first.of} isRough={first.isRough} links={links} />
        ) : (
          <NodesHint nodes={its} links={links} />
        ),
    }))
  for (const { key, middle, title, links } of lines)
    hints.set(key, () => ({ ...middle, body: <LinksHint title={title} links={links} /> }))
  const dots = clients.map(({ x, y, of }) => {
    const links = of.map(each => each.of)
    return { key: `at ${x} ${y}`, at: stage.at({ x, y }), links, clients: clientsOf({ of }) }
  })
  for (const { key, at, links } of dots)
    hints.set(key, () => ({ ...at, body: <LinksHint title={fromWords(links)} links={links} /> }))
  const names = placed(
    discs.flatMap(({ key, nodes: its, at, radius }) =>
      its.length === 1 ? [{ key, ...at, text: shortened(its[0]?.id ?? ''), below: radius + 18 }] : [],
    ),
    discs.map(({ key, at, radius }) => ({ key, ...at, radius })),
  )
  const fit = fitted({ x: 0, y: 0 })
  const factor = fitted({ x: 1, y: 0 }).x - fit.x
  return {
    hintOf: key => hints.get(key)?.() ?? null,
    picture: (
      <>
        <path
          class="mesh-land"
          d={LAND}
          transform={`translate(${lens.x + fit.x * lens.scale} ${lens.y + fit.y * lens.scale}) scale(${factor * lens.scale})`}
        />
        {lines.map(({ key, curve, tier, width, title, links }) => (
          <a
            key={key}
            class="mesh-line"
            data-tier={tier}
            data-lit={isLit(key)}
            data-many={lines.length > CALM_MAX}
            href={linksAddress(links)}
            aria-label={`${title}, ${tierLabel(tier)}`}
            tabindex={lines.length > STOPS_MAX ? -1 : 0}
            {...stage.hint(key)}
          >
            <path class="mesh-grip" d={curve} />
            <path d={curve} stroke-width={width} />
          </a>
        ))}
        {dots.map(({ key, at, links, clients: number }) => (
          <a
            key={key}
            class="mesh-dot"
            href={
              links.length === 1 && links[0]?.clientId
                ? to(['actors', `client/${links[0].clientId}`])
                : linksAddress(links)
            }
            aria-label={fromWords(links)}
            tabindex={-1}
            {...stage.hint(key)}
          >
            <circle cx={at.x} cy={at.y} r={Math.min(6, 2.5 + Math.log10(number))} />
          </a>
        ))}
        {discs.map(({ key, cluster, nodes: its, links, at, radius }) => {
          const disc = <Disc at={at} radius={radius} nodes={its} tiers={tierCounts(links)} />
          const look = () => stage.show(cluster.of)
          return its.length === 1 ? (
            <a
              key={key}
              class="mesh-node"
              href={to(['actors', `node/${its[0]?.id ?? ''}`])}
              aria-label={`${its[0]?.id ?? ''}, ${plural(clientsOf(cluster), 'client')}`}
              {...stage.hint(key)}
            >
              {disc}
            </a>
          ) : (
            // biome-ignore lint/a11y/useSemanticElements: an SVG has no button
            <g
              key={key}
              class="mesh-node"
              role="button"
              tabindex={0}
              aria-label={`${plural(its.length, 'node')}, ${plural(clientsOf(cluster), 'client')}: look nearer`}
              onClick={look}
              onKeyDown={event => {
                if (event.key === 'Enter' || event.key === ' ') look()
              }}
              {...stage.hint(key)}
            >
              {disc}
            </g>
          )
        })}
        {names.map(({ key, x, y, below, text }) => (
          <text key={key} class="mesh-name" x={x} y={y + below}>
            {text}
          </text>
        ))}
      </>
    ),
  }
}

/** Returns how points of the world are put into a frame: as large as it has room for, in its middle. */
function fitting({ width, height }: Size): (point: Point) => Point {
  const scale = Math.min(width / WORLD.width, height / WORLD.height)
  const [left, top] = [(width - WORLD.width * scale) / 2, (height - WORLD.height * scale) / 2]
  return ({ x, y }) => ({ x: left + x * scale, y: top + y * scale })
}

const clientsOf = ({ of }: Pick<Cluster<Spot<{ readonly clients: number }>>, 'of'>): number =>
  of.reduce((sum, each) => sum + each.of.clients, 0)

function byNode(links: readonly PicturedLink[]): ReadonlyMap<string, readonly PicturedLink[]> {
  const map = new Map<string, PicturedLink[]>()
  for (const link of links) {
    const its = map.get(link.nodeId)
    if (its === undefined) map.set(link.nodeId, [link])
    else its.push(link)
  }
  return map
}

interface Line {
  readonly key: string
  /** What they lead to. */
  readonly node: Cluster<Spot<PicturedNode>>
  readonly tier: PathTier
  readonly curve: string
  readonly middle: Point
  readonly width: number
  readonly title: string
  readonly links: readonly PicturedLink[]
}

function linesOf(
  clients: readonly Cluster<Spot<PicturedLink>>[],
  nodes: readonly Cluster<Spot<PicturedNode>>[],
  stage: Stage,
): readonly Line[] {
  const nodeAt = new Map(nodes.flatMap(cluster => cluster.of.map(({ of }) => [of.id, cluster] as const)))
  const bundles = new Map<
    string,
    {
      readonly from: Point
      readonly to: Cluster<Spot<PicturedNode>>
      readonly tier: PathTier
      readonly links: PicturedLink[]
    }
  >()
  for (const from of clients)
    for (const { of: link } of from.of) {
      const node = nodeAt.get(link.nodeId)
      if (node === undefined) continue
      const key = `${from.x} ${from.y} ${node.x} ${node.y} ${link.tier}`
      const bundle = bundles.get(key)
      if (bundle === undefined) bundles.set(key, { from, to: node, tier: link.tier, links: [link] })
      else bundle.links.push(link)
    }
  return largest(bundles).flatMap(([key, { from, to: node, tier, links }]) => {
    const [a, b] = [stage.at(from), stage.at(node)]
    const far = Math.hypot(b.x - a.x, b.y - a.y)
    if (far < LINE_LEAST) return []
    const control = bent(
      a,
      b,
      TIERS.findIndex(each => each.tier === tier),
    )
    const where = node.of.length === 1 ? node.of[0]?.of.id : plural(node.of.length, 'node')
    return [
      {
        key,
        node,
        tier,
        curve: `M${a.x} ${a.y}Q${control.x} ${control.y} ${b.x} ${b.y}`,
        middle: { x: (a.x + b.x + 2 * control.x) / 4, y: (a.y + b.y + 2 * control.y) / 4 },
        width: widthOf(links.reduce((sum, { bytes }) => sum + bytes, 0)),
        title: `${fromWords(links)} → ${where}`,
        links,
      },
    ]
  })
}

/** Of very many lines those with the most clients are drawn: the rings of nodes show all. */
const largest = <B extends { readonly links: readonly PicturedLink[] }>(
  bundles: ReadonlyMap<string, B>,
): readonly (readonly [string, B])[] =>
  [...bundles].sort(([, a], [, b]) => clientsIn(b.links) - clientsIn(a.links)).slice(0, LINES_MAX)

/** Returns which lines stand out: those of the node that is looked at, or the one itself; all while nothing is. */
function litBy(
  looked: string | null,
  lines: readonly Line[],
  discs: readonly { readonly key: string; readonly cluster: unknown }[],
): (key: string) => boolean | undefined {
  const disc = discs.find(({ key }) => key === looked)
  if (disc === undefined && !lines.some(({ key }) => key === looked)) return () => undefined
  const lit = new Set(
    lines.flatMap(({ key, node }) => (key === looked || node === disc?.cluster ? [key] : [])),
  )
  return key => lit.has(key)
}

/** Lines are bent northwards, each tier a little more than the one before: none covers another. */
function bent(a: Point, b: Point, tier: number): Point {
  const by = 0.16 + 0.09 * tier
  const sign = a.x < b.x ? 1 : -1
  return { x: (a.x + b.x) / 2 + sign * (b.y - a.y) * by, y: (a.y + b.y) / 2 - sign * (b.x - a.x) * by }
}
