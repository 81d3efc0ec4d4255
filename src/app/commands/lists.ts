/** `boson nodes`, `clients`, `routes`, `audit`: what there is, as the pages of the same names tell it. */
import type { Command } from 'commander'
import type { AuditEvent, ClientView, NodeView, RouteView } from '../../actors/ports.js'
import { natName } from '../../mesh/nat-words.js'
import { asDuration, asMs, asPercent } from '../columns.js'
import { listCommand, type ListSpec } from './list-command.js'

const ago = (silentMs: number | null): string | null =>
  silentMs === null ? null : `${asDuration(silentMs / 1_000)} ago`

export const NODES: ListSpec<NodeView> = {
  name: 'nodes',
  field: 'nodes',
  path: '/api/v1/nodes',
  description: 'list the nodes that have a session',
  examples: ['boson nodes --country DE --sort -links', 'boson nodes --state lapsed --watch'],
  filters: {
    state: 'only those in this state: online, lapsed, suspended',
    country: 'only those in this country, two capital letters',
    tag: 'only those with this tag',
  },
  sorts: ['id', 'links', 'rttMs', 'lossPct'],
  heading: ['NODE', 'IP', 'COUNTRY', 'STATE', 'NAT', 'CLIENTS', 'RTT', 'LOSS', 'CPU', 'FLAPS', 'SEEN'],
  row: ({
    id,
    overlay4,
    profile,
    state,
    ailment,
    nat,
    links,
    places,
    rttMs,
    lossPct,
    gauges,
    flaps,
    silentMs,
  }) => [
    id,
    overlay4,
    profile.country,
    ailment === null ? state : `${state}, degraded (${ailment})`,
    natName(nat),
    places === null ? links : `${links} of ${places}`,
    asMs(rttMs),
    asPercent(lossPct),
    asPercent(gauges['cpuTotalPct'] ?? null),
    flaps < 0.5 ? null : Math.round(flaps),
    ago(silentMs),
  ],
  none: 'no node has a session: `boson enrol --role node` makes the key that one needs to come',
}

export const CLIENTS: ListSpec<ClientView> = {
  name: 'clients',
  field: 'clients',
  path: '/api/v1/clients',
  description: 'list the clients that have a session',
  examples: ['boson clients --node fra-1', 'boson clients --sort rttMs --json | jq .clients[].id'],
  filters: { state: 'only those in this state', node: 'only those whose route leads to this node' },
  sorts: ['id', 'nodeId', 'rttMs'],
  heading: ['CLIENT', 'IP', 'STATE', 'NODE', 'LINK', 'NAT', 'RTT', 'SEEN'],
  row: ({ id, overlay4, state, nodeId, link, nat, rttMs, silentMs }) => [
    id,
    overlay4,
    state,
    nodeId,
    link === null ? null : String(link),
    natName(nat),
    asMs(rttMs),
    ago(silentMs),
  ],
  none: 'no client has a session: `boson enrol --role client` makes the key that one needs to come',
}

export const ROUTES: ListSpec<RouteView> = {
  name: 'routes',
  field: 'routes',
  path: '/api/v1/routes',
  description: 'list the routes that stand',
  examples: ['boson routes --node fra-1 --tier relayed', 'boson routes --sort -sinceMs'],
  filters: {
    client: 'only the one of this client',
    node: 'only those that lead to this node',
    tier: 'only those whose path is on this tier: relayed, turned, direct',
  },
  sorts: ['routeId', 'clientId', 'nodeId', 'sinceMs'],
  heading: ['ROUTE', 'CLIENT', 'NODE', 'LINK', 'PATH', 'WHY', 'COST', 'CHOSEN AMONG'],
  row: ({ routeId, clientId, nodeId, link, tier, via, reason, explanation }) => [
    routeId,
    clientId,
    nodeId,
    String(link),
    via === null || tier === 'relayed' ? tier : `${tier} (${via})`,
    reason,
    explanation.compared[0]?.cost.toFixed(2) ?? null,
    `${explanation.qualified} of ${explanation.considered}`,
  ],
  none: 'no route stands: clients ask for theirs',
}

export const AUDIT: ListSpec<AuditEvent> = {
  name: 'audit',
  field: 'audit',
  path: '/api/v1/audit',
  description: 'list who changed what, and when',
  examples: ['boson audit --kind identity.key_mismatch', 'boson audit --subject fra-1 --limit 5'],
  filters: {
    kind: 'only events of this kind, such as identity.enrolled',
    actor: 'only what this one did',
    subject: 'only what was done to this one',
    since: 'only from then on: 2026-01-15T10:30:00Z',
  },
  sorts: ['atMs', 'kind', 'actor', 'subject'],
  heading: ['WHEN (UTC)', 'WHAT', 'BY', 'TO', 'DETAIL'],
  row: ({ atMs, kind, actor, subject, detail }) => [
    new Date(atMs).toISOString().slice(0, 19).replace('T', ' '),
    kind,
    actor,
    subject,
    Object.entries(detail)
      .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(' ') || null,
  ],
  none: 'nothing was changed yet',
}

/** Returns the commands. */
export const listCommands = (): readonly Command[] => [
  listCommand(NODES),
  listCommand(CLIENTS),
  listCommand(ROUTES),
  listCommand(AUDIT),
]
