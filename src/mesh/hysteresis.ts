/** When a route is worth moving although it could stay: a switch costs its client something, and figures waver. */

/** The other node is cheaper by this share of what the standing one costs, and by this much: 40 ms, or a fifth of half a node. */
const GAIN = { share: 0.2, least: 0.2 }

/** Returns whether the other node is clearly cheaper. */
export const isClearGain = (standing: number, other: number): boolean =>
  standing - other >= Math.max(GAIN.least, standing * GAIN.share)
