/** What peers tell on the metrics page. */
import type { Figure } from '../../telemetry/figure.js'

/** Counts since the start. */
export class PeerCounts {
  applied = 0
  removed = 0
  failed = 0
  refused = 0
  /** Was gone where WireGuard runs, or otherwise than it should be, and is made again. */
  repaired = 0
}

export const peerFigures = (counts: PeerCounts): readonly Figure<void>[] => [
  {
    name: 'boson_peer_set_ups_total',
    help: 'Attempts to make peers so where WireGuard runs, by what came of them: applied, removed, failed and tried again, refused for good.',
    type: 'counter',
    read: () =>
      (['applied', 'removed', 'failed', 'refused'] as const).map(outcome => ({
        labels: { outcome },
        value: counts[outcome],
      })),
  },
  {
    name: 'boson_peers_repaired_total',
    help: 'Peers that were gone or otherwise where WireGuard runs, and were made again.',
    type: 'counter',
    read: () => counts.repaired,
  },
]
