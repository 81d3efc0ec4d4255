/**
 * How near a node is to the end of something that an average does not show: one table that is full refuses new
 * connections, however idle the processor is. By the node's own word, so it enters the cost as the rest of that does.
 */

/** What a node says of itself; null is unknown. */
export interface Strains {
  /** Connection-tracking table in use, %. */
  readonly conntrackUsagePct: number | null
  /** CPU in soft interrupts, where packets are received, %. */
  readonly softirqPct: number | null
  /** TCP connections opened, 1/s. */
  readonly connEstRateS: number | null
  /** Packets that its interface dropped, % of those that it carried. */
  readonly dropPct: number | null
  /** 95th percentile of its round trips, ms. */
  readonly latencyP95Ms: number | null
}

/** Where each is at its end: half of all cores receiving, a small server's accept queue, loss that voice suffers from, a pause. */
const END: Readonly<Record<keyof Strains, number>> = {
  conntrackUsagePct: 100,
  softirqPct: 50,
  connEstRateS: 2_000,
  dropPct: 5,
  latencyP95Ms: 1_000,
}
const STRAINS = Object.keys(END) as readonly (keyof Strains)[] // all of them

/** Returns the tightest, 0 to 100 %; null when nothing is known. Whole, so that a node holds it in place. */
export function pressureOf(strains: Strains): number | null {
  let tightest: number | null = null
  for (const name of STRAINS) {
    const figure = strains[name]
    if (figure !== null) tightest = Math.max(tightest ?? 0, Math.min(1, figure / END[name]))
  }
  return tightest === null ? null : Math.round(100 * tightest)
}
