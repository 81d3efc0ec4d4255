/** Figures of one link, as its end sees them. */
export interface LinkMetrics {
  /** Round trip to the peer, ms; null when unknown. */
  readonly rttMs: number | null
  readonly sentBytes: number
  readonly receivedBytes: number
  /** How long ago the last packet arrived, ms; null when none did. */
  readonly lastReceivedMs: number | null
}
