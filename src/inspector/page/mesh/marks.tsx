/** What nodes, clients and the ways between them look like, on the map and in the graph. */
import type { PathTier, PicturedLink, PicturedNode } from '../../../actors/ports.js'
import { to } from '../route.js'
import { bytes, count, ms, percent, plural } from '../ui/format.js'
import { Tag } from '../ui/parts.js'
import { Tier } from '../ui/tier.js'
import { reasonWords, TIERS } from '../ui/words.js'
import type { Point } from './lens.js'
import { countryName, summed, troubleOf } from './picture.js'
import { stepOf } from './scales.js'

/** Between a node and its ring, and how thick that is, px. */
const RING = { gap: 3.5, width: 3 }

/** A node, or several: filled by load, with a ring that shows how its clients reach it. */
export function Disc({
  at,
  radius,
  nodes,
  tiers,
}: {
  readonly at: Point
  readonly radius: number
  readonly nodes: readonly PicturedNode[]
  readonly tiers: TierCounts
}) {
  const load = loadOf(nodes)
  const trouble = nodes.map(troubleOf).find(each => each !== null)
  const total = tiers.reduce((sum, [, clients]) => sum + clients, 0)
  let from = 0
  return (
    <g transform={`translate(${at.x} ${at.y})`}>
      <circle class="mesh-halo" r={radius + RING.gap + RING.width} />
      {tiers.map(([tier, clients]) => {
        const share = (100 * clients) / total
        const start = from
        from += share
        return (
          <circle
            key={tier}
            class="mesh-ring"
            data-tier={tier}
            r={radius + RING.gap}
            pathLength={100}
            stroke-width={RING.width}
            stroke-dasharray={`${share} ${100 - share}`}
            stroke-dashoffset={25 - start}
          />
        )
      })}
      <circle class="mesh-disc" data-load={stepOf(load) ?? 'unknown'} data-tone={trouble?.tone} r={radius} />
      {nodes.length > 1 && (
        <text class="mesh-number" data-load={stepOf(load) ?? 'unknown'}>
          {nodes.length}
        </text>
      )}
    </g>
  )
}

/** Of several the mean of those that are known. */
function loadOf(nodes: readonly PicturedNode[]): number | null {
  const known = nodes.flatMap(({ load }) => (load === null ? [] : [load]))
  return known.length === 0 ? null : known.reduce((sum, load) => sum + load, 0) / known.length
}

/** How many clients are on each tier that has any, best first. */
export type TierCounts = readonly (readonly [tier: PathTier, clients: number])[]

export function tierCounts(links: readonly PicturedLink[]): TierCounts {
  return TIERS.flatMap(({ tier }) => {
    const clients = links.reduce((sum, link) => sum + (link.tier === tier ? link.clients : 0), 0)
    return clients === 0 ? [] : [[tier, clients] as const]
  })
}

// ── hints ────────────────────────────────────────────────────────────────────────────────────────

/** Names in a hint. */
const NAMES_MAX = 6
/** Reasons in a hint. */
const REASONS_MAX = 4

export function NodeHint({
  node,
  isRough = false,
  links,
}: {
  readonly node: PicturedNode
  readonly isRough?: boolean
  readonly links: readonly PicturedLink[]
}) {
  const trouble = troubleOf(node)
  const country = countryName(node.country)
  return (
    <>
      <p class="tip-title mono">{node.id}</p>
      <p>
        {country ?? 'Country unknown'}
        {isRough && <span class="quiet"> (drawn in the middle of it)</span>}
      </p>
      <p>
        {trouble === null ? (
          <Tag tone="good">{node.state}</Tag>
        ) : (
          <Tag tone={trouble.tone}>{trouble.words}</Tag>
        )}
      </p>
      <dl class="facts">
        <dt>Clients</dt>
        <dd>
          {count(node.clients)}
          {node.places !== null && ` of ${count(node.places)} places`}
        </dd>
        <dt>Load</dt>
        <dd>{percent(node.load === null ? null : node.load * 100)}</dd>
        <dt>RTT</dt>
        <dd>{ms(node.rttMs)}</dd>
        <dt>Loss</dt>
        <dd>{percent(node.lossPct)}</dd>
      </dl>
      <LinkWords links={links} />
    </>
  )
}

export function NodesHint({
  nodes,
  links,
}: {
  readonly nodes: readonly PicturedNode[]
  readonly links: readonly PicturedLink[]
}) {
  const clients = nodes.reduce((sum, node) => sum + node.clients, 0)
  return (
    <>
      <p class="tip-title">{plural(nodes.length, 'node')}</p>
      <p class="mono">
        {nodes
          .slice(0, NAMES_MAX)
          .map(({ id }) => id)
          .join(', ')}
        {nodes.length > NAMES_MAX && ` and ${nodes.length - NAMES_MAX} more`}
      </p>
      <dl class="facts">
        <dt>Clients</dt>
        <dd>{count(clients)}</dd>
        <dt>Load</dt>
        <dd>{percent(meanLoad(nodes))}, the mean</dd>
      </dl>
      <LinkWords links={links} />
      <p class="quiet">Press to look nearer.</p>
    </>
  )
}

const meanLoad = (nodes: readonly PicturedNode[]): number | null => {
  const load = loadOf(nodes)
  return load === null ? null : load * 100
}

export function LinksHint({
  title,
  links,
}: {
  readonly title: string
  readonly links: readonly PicturedLink[]
}) {
  const { bytes: carried, rttMs, lossPct } = summed(links)
  return (
    <>
      <p class="tip-title">{title}</p>
      <LinkWords links={links} />
      <dl class="facts">
        <dt>Carried</dt>
        <dd>{bytes(carried)} so far</dd>
        <dt>RTT</dt>
        <dd>{ms(rttMs)}</dd>
        <dt>Loss</dt>
        <dd>{percent(lossPct)}</dd>
      </dl>
    </>
  )
}

/** How many clients are on which tier, and why those that are relayed are. */
function LinkWords({ links }: { readonly links: readonly PicturedLink[] }) {
  const { reasons } = summed(links)
  return (
    <>
      {links.length > 0 && (
        <p class="tip-tiers">
          {tierCounts(links).map(([tier, clients]) => (
            <span key={tier}>
              <Tier tier={tier} /> {count(clients)}
            </span>
          ))}
        </p>
      )}
      {reasons.slice(0, REASONS_MAX).map(([reason, paths]) => (
        <p key={reason} class="quiet">
          {reasonWords(reason)}
          {paths > 1 && `: ${count(paths)}`}
        </p>
      ))}
    </>
  )
}

/** Returns whom links come from, in words. */
export function fromWords(links: readonly PicturedLink[]): string {
  const [first] = links
  if (links.length === 1 && first !== undefined && first.clientId !== null) return first.clientId
  const { clients } = summed(links)
  const countries = [...new Set(links.map(({ country }) => countryName(country) ?? 'an unknown country'))]
  const where = countries.length > 3 ? `${countries.length} countries` : countries.join(', ')
  return `${plural(clients, 'client')} in ${where}`
}

/** Returns where a press on links leads: to the path, the actor, or the list of such paths. */
export function linksAddress(links: readonly PicturedLink[]): string {
  const [first] = links
  if (first === undefined) return to(['paths'])
  if (links.length === 1 && first.link !== null) return to(['paths', String(first.link)])
  const isOneNode = links.every(({ nodeId }) => nodeId === first.nodeId)
  const isOneTier = links.every(({ tier }) => tier === first.tier)
  return to(['paths'], {
    node: isOneNode ? first.nodeId : undefined,
    tier: isOneTier ? first.tier : undefined,
  })
}
