/** How long things take, and may take, here, ms. */
export const TIMING = {
  /** Nobody else takes a peer that is being set up: longer than any provisioner takes. */
  leaseMs: 60_000,
  /** The first wait after a failure, which doubles, and the longest. */
  retryFromMs: 1_000,
  retryMaxMs: 600_000,
  /** How often peers that wait are looked for, beside at once: what another coordinator has left. */
  dueEveryMs: 5_000,
  /** How often what peers have moved elsewhere is asked for. */
  usageEveryMs: 10_000,
  /** How often every peer is compared with what is there. */
  lookEveryMs: 60_000,
  /** An answer waits for a peer to be set up at most so long, and says that it is pending then. */
  patienceMs: 4_000,
} as const
