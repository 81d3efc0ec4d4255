/** What the metrics page says of STUN and TURN. Reasons come from closed lists; a mode that is off says nothing. */
import type { TurnView } from '../actors/ports.js'
import type { Figure, Sample } from './figure.js'

const STATES = ['off', 'starting', 'up', 'degraded'] as const

const said = (read: (turn: TurnView) => readonly Sample[]) => (turn: TurnView | null) =>
  turn === null ? [] : read(turn)
const both = ({ toPeers, toClients }: TurnView, what: 'packets' | 'bytes'): Sample[] => [
  { labels: { direction: 'to_peers' }, value: toPeers[what] },
  { labels: { direction: 'to_clients' }, value: toClients[what] },
]
const byReason = (counts: Readonly<Record<string, number>>): Sample[] =>
  Object.entries(counts).map(([reason, value]) => ({ labels: { reason }, value }))

/** Figures of a TURN that is `null` where there is none. */
export const TURN_FIGURES: readonly Figure<TurnView | null>[] = [
  {
    name: 'boson_turn_state',
    help: '1 for the state that STUN and TURN are in.',
    type: 'gauge',
    read: said(({ state }) =>
      STATES.map(name => ({ labels: { state: name }, value: name === state ? 1 : 0 })),
    ),
  },
  {
    name: 'boson_turn_allocations',
    help: 'TURN allocations that are open. Only the embedded server knows.',
    type: 'gauge',
    read: said(({ allocations }) => (allocations === null ? [] : [{ value: allocations }])),
  },
  {
    name: 'boson_turn_connections',
    help: 'TURN connections over TCP and TLS.',
    type: 'gauge',
    read: said(({ connections }) => [{ value: connections }]),
  },
  {
    name: 'boson_turn_packets_total',
    help: 'Packets relayed by TURN, each way.',
    type: 'counter',
    read: said(turn => both(turn, 'packets')),
  },
  {
    name: 'boson_turn_bytes_total',
    help: 'Bytes relayed by TURN, each way.',
    type: 'counter',
    read: said(turn => both(turn, 'bytes')),
  },
  {
    name: 'boson_turn_lost_packets_total',
    help: 'Packets that TURN did not relay, by reason.',
    type: 'counter',
    read: said(({ lost }) => byReason(lost)),
  },
  {
    name: 'boson_turn_refused_total',
    help: 'STUN and TURN requests refused or left without an answer, by reason.',
    type: 'counter',
    read: said(({ refused }) => byReason(refused)),
  },
  {
    name: 'boson_turn_bindings_total',
    help: 'STUN Binding requests answered.',
    type: 'counter',
    read: said(({ bindings }) => [{ value: bindings }]),
  },
  {
    name: 'boson_turn_strays_total',
    help: 'Datagrams on the STUN ports that were neither STUN nor TURN and were looked at.',
    type: 'counter',
    read: said(({ strays }) => [{ value: strays }]),
  },
]
