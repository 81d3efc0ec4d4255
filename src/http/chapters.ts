/** The chapters of the documentation. Every endpoint is in one; the order is the one that readers see. */
export const CHAPTERS = {
  health: 'How the coordinator is, for people, load balancers and supervisors.',
  status: 'What it does now, and the figures that it goes by.',
  nodes: 'Nodes: registered over HTTP, heard, listed and ended.',
  clients: 'Clients and what they are connected to.',
  routing: 'Which node a client uses: chosen, listed, explained.',
  paths: 'How each pair is connected, and why not better.',
  steering: 'What the operator lays down for nodes and clients.',
  drains: 'Nodes that are to go, and how far they are.',
  identities: 'What an operator does to one node or client at once.',
  accounts: 'People: how they sign in, and the accounts that admins keep.',
  tariffs: 'What is sold, who has it, and what that entitles to.',
  peers: 'WireGuard peers of accounts: their keys, their configurations, and whether they may connect.',
  payments: 'What people pay, and what providers tell of it.',
  databases:
    'The PostgreSQL servers under the mesh: what they tell, now and before, and what is done about it.',
  enrolment: 'Keys that admit new nodes and clients.',
  wireguard: 'Where the WireGuard of an agent without a WebSocket is.',
  packets: 'Packets of agents without a WebSocket.',
  turn: 'STUN and TURN, and the credentials for it.',
  metrics: 'What nodes measured, now and before, and the page for Prometheus.',
  servers: 'Heartbeats of VPN servers, their history, and tasks for them.',
  reports: 'What agents report: clients, statistics, logs.',
  traffic: 'Bytes by identity and by pair.',
  webhooks: 'Whom the coordinator calls when something happens.',
  actors: 'The living actors: their states, and what they do.',
  inspector: 'The page that shows operators the mesh, and its socket.',
  log: 'What the coordinator writes down of what it does.',
  audit: 'Who changed what, and when.',
  documentation: 'This documentation, for programs and for people.',
} as const

export type Chapter = keyof typeof CHAPTERS
