/** Where something is on the earth: a point of the unit sphere, so that a distance takes no more than one arc sine. */
export interface Position {
  readonly x: number
  readonly y: number
  readonly z: number
}

/** The earth's mean radius, km (IUGG). */
const RADIUS_KM = 6_371
const RADIANS = Math.PI / 180

/** Returns the position of degrees north and east, or null when one of them is missing. */
export function positionOf(latitude: number | null, longitude: number | null): Position | null {
  if (latitude === null || longitude === null) return null
  const across = Math.cos(latitude * RADIANS)
  return {
    x: across * Math.cos(longitude * RADIANS),
    y: across * Math.sin(longitude * RADIANS),
    z: Math.sin(latitude * RADIANS),
  }
}

/** Returns the great-circle distance, km. */
export function distanceKm(a: Position, b: Position): number {
  const [x, y, z] = [a.x - b.x, a.y - b.y, a.z - b.z]
  // Rounding may carry half the chord past 1 at the antipodes.
  return 2 * RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(x * x + y * y + z * z) / 2))
}
