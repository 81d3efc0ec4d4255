/** Things that would cover each other on the screen, drawn as one. The largest keep their place. */
import type { Point } from './lens.js'

export interface Cluster<T> extends Point {
  /** The largest first. */
  readonly of: readonly T[]
}

/** Returns clusters of things that are nearer than `distance` to the largest of them. Order among equals is by place in `things`. */
export function clustered<T extends Point & { readonly weight: number }>(
  things: readonly T[],
  distance: number,
): readonly Cluster<T>[] {
  const clusters: { readonly at: T; readonly of: T[] }[] = []
  for (const thing of things.toSorted((a, b) => b.weight - a.weight)) {
    const near = clusters.find(({ at }) => Math.hypot(at.x - thing.x, at.y - thing.y) < distance)
    if (near === undefined) clusters.push({ at: thing, of: [thing] })
    else near.of.push(thing)
  }
  return clusters.map(({ at: { x, y }, of }) => ({ x, y, of }))
}
