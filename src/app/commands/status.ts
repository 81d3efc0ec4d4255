/** `boson status`: the coordinator, its nodes and its clients, once or again and again. */
import { Command } from 'commander'
import type { ClientView, DrainView, NodeView, RouteView } from '../../actors/ports.js'
import type { Status } from '../api/status.js'
import { asDuration, asMs, columns } from '../columns.js'
import { addOperatorOptions, Operator } from '../operator.js'
import { addWatchOptions, show, showOptions } from '../watching.js'

const EXAMPLES = `
Examples:
  $ boson status
  $ boson status --watch --server https://mesh.example.org
  $ boson status --json | jq .status.nodes`

/** Rows of a list on a terminal; --json has them all. */
const ROWS_MAX = 40
/** In which order paths are counted, the best first. */
const TIERS = ['direct', 'turned', 'relayed', 'waiting', 'opening'] as const

interface Picture {
  readonly status: Status
  readonly nodes: readonly NodeView[]
  readonly clients: readonly ClientView[]
  readonly routes: readonly RouteView[]
  readonly drains: readonly DrainView[]
}

/** Returns the command. */
export const statusCommand = (): Command =>
  addWatchOptions(addOperatorOptions(new Command('status')))
    .description('show the coordinator, its nodes and its clients')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Record<string, unknown>) => {
      const shown = showOptions(options)
      const operator = new Operator(options)
      await show({ look: () => look(operator), page: statusPage }, shown)
    })

async function look(operator: Operator): Promise<Picture> {
  const [status, { nodes }, { clients }, { routes }, { drains }] = await Promise.all([
    operator.ask<Status>('GET', '/api/v1/status'),
    operator.ask<Pick<Picture, 'nodes'>>('GET', '/api/v1/nodes'),
    operator.ask<Pick<Picture, 'clients'>>('GET', '/api/v1/clients'),
    operator.ask<Pick<Picture, 'routes'>>('GET', '/api/v1/routes'),
    operator.ask<Pick<Picture, 'drains'>>('GET', '/api/v1/drains'),
  ])
  return { status, nodes, clients, routes, drains }
}

/** Returns what a person sees. */
export function statusPage({ status, nodes, clients, routes, drains }: Picture): string {
  const { relay, store } = status
  const head = [
    `BosonServer ${status.version}`,
    `${status.state === 'serving' ? '' : `${status.state}, `}up ${asDuration(status.uptimeS)}`,
    `nodes ${status.nodes.online}/${status.nodes.total} online`,
    `clients ${grouped(status.clients.online)}`,
    `relay ${relay.mbps < 10 ? relay.mbps.toFixed(1) : Math.round(relay.mbps)} Mbit/s`,
    `store ${store.kind}${store.status === 'healthy' ? '' : ' (away: sessions go on from memory)'}`,
  ]
  const { turn } = status
  const work = [
    `sockets ${grouped(status.connections.open)}`,
    `routes ${grouped(status.routes.active)}`,
    ...TIERS.flatMap(tier =>
      status.paths[tier] === undefined ? [] : [`${tier} ${grouped(status.paths[tier])}`],
    ),
    `moved ${grouped(status.routes.switched)}`,
    `relay queue p99 ${asMs(relay.queueP99Ms) ?? '-'}`,
    `loop lag p99 ${asMs(status.loopP99Ms) ?? '-'}`,
    `dropped ${grouped(relay.dropped)}`,
    `turn ${turn === null ? 'off' : turn.state}${turn?.allocations ? `, ${grouped(turn.allocations)} open` : ''}`,
    ...(status.faults > 0 ? [`faults ${grouped(status.faults)}`] : []),
  ]
  const drained = new Map(drains.map(drain => [drain.nodeId, drain]))
  const paths = new Map(routes.map(route => [route.link, route]))
  const parts = [`${head.join('   ')}\n${work.join('   ')}`]
  if (nodes.length > 0)
    parts.push(
      bounded(
        ['NODE', 'IP', 'COUNTRY', 'STATE', 'CLIENTS', 'RTT', 'CPU', 'SEEN'],
        nodes.map(node => [
          node.id,
          node.overlay4,
          node.profile.country,
          stateText(node, drained.get(node.id)),
          clientsText(node),
          asMs(node.rttMs),
          percent(node.gauges.cpuTotalPct ?? null),
          seen(node.silentMs),
        ]),
      ),
    )
  if (clients.length > 0)
    parts.push(
      bounded(
        ['CLIENT', 'IP', 'NODE', 'PATH', 'WHY', 'STATE', 'RTT', 'SEEN'],
        clients.map(client => [
          client.id,
          client.overlay4,
          client.nodeId,
          ...carriage(client.link === null ? undefined : paths.get(client.link)),
          client.state,
          asMs(client.rttMs),
          seen(client.silentMs),
        ]),
      ),
    )
  return parts.join('\n\n')
}

/** Returns how a node is, whether it carries badly, and whether it is to go. */
function stateText({ state, ailment }: NodeView, drain: DrainView | undefined): string {
  const isDone = drain?.state === 'empty' || drain?.state === 'expired'
  const more = [
    ...(drain === undefined ? [] : [isDone ? 'drained' : 'draining']),
    ...(ailment === null ? [] : [`degraded (${ailment})`]),
  ]
  return [...(state === 'online' && more.length > 0 ? [] : [state]), ...more].join(', ')
}

/** Returns how many clients it carries, and of how many that it may. */
const clientsText = ({ links, places }: NodeView): string | number =>
  places === null ? links : `${links} of ${places}`

/** Returns how packets travel, and why not directly. */
function carriage(route: RouteView | undefined): [string | null, string | null] {
  if (route === undefined) return [null, null]
  const { tier, via, reason } = route
  const by = via === null || tier === 'relayed' ? tier : `${tier} (${via})`
  return [by, reason]
}

type Rows = Parameters<typeof columns>[1]

function bounded(heading: readonly string[], rows: Rows): string {
  const table = columns(heading, rows.slice(0, ROWS_MAX))
  return rows.length > ROWS_MAX ? `${table}\n… and ${grouped(rows.length - ROWS_MAX)} more` : table
}

const grouped = (count: number): string => count.toLocaleString('en-US')
const percent = (value: number | null): string | null => (value === null ? null : `${Math.round(value)} %`)
const seen = (silentMs: number | null): string | null =>
  silentMs === null ? null : `${asDuration(silentMs / 1000)} ago`
