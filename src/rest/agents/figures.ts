/** What agents that speak HTTP tell on the metrics page. */
import type { Figure } from '../../telemetry/figure.js'
import type { Agents } from './agents.js'

export const agentFigures = ({
  mailboxes,
  notes,
}: Pick<Agents, 'mailboxes' | 'notes'>): readonly Figure<void>[] => [
  {
    name: 'boson_http_agents',
    help: 'Agents whose session is spoken for over HTTP.',
    type: 'gauge',
    read: () => mailboxes.size,
  },
  {
    name: 'boson_http_packets_fetched_total',
    help: 'Relayed packets that agents fetched over HTTP.',
    type: 'counter',
    read: () => mailboxes.postroom.fetched,
  },
  {
    name: 'boson_http_packets_dropped_total',
    help: 'Relayed packets for agents over HTTP that nobody fetched in time.',
    type: 'counter',
    read: () => mailboxes.postroom.dropped,
  },
  {
    name: 'boson_presence_lost_total',
    help: 'Comings and goings of nodes that could not wait for an absent database: the oldest ones.',
    type: 'counter',
    read: () => notes.lost,
  },
]
