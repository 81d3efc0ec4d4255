/** How large, how wide and how dark things are drawn: area goes by number, width by the order of magnitude. */

/** Steps of load, each with the share of a node that it goes up to; drawn darker, or brighter by night, step by step. */
export const LOAD_STEPS = [0.2, 0.4, 0.6, 0.8, 1] as const

/** Returns the step that a load is in, from 0; null when it is unknown. */
export function stepOf(load: number | null): number | null {
  if (load === null) return null
  const step = LOAD_STEPS.findIndex(upTo => load <= upTo)
  return step < 0 ? LOAD_STEPS.length - 1 : step
}

/** Radii of circles, px. */
const RADIUS = { least: 6, most: 22 }

/** Returns the radius of a circle for `count` where the largest there is has `most`. */
export const radiusOf = (count: number, most: number): number =>
  RADIUS.least + (RADIUS.most - RADIUS.least) * Math.sqrt(most === 0 ? 0 : Math.min(1, count / most))

/** Widths of links, px; and what is carried where they begin and end to grow, bytes. */
const WIDTH = { least: 1.25, most: 6, from: 1e5, to: 1e12 }

export function widthOf(bytes: number): number {
  const share = Math.log(Math.max(1, bytes / WIDTH.from)) / Math.log(WIDTH.to / WIDTH.from)
  return WIDTH.least + (WIDTH.most - WIDTH.least) * Math.min(1, share)
}
