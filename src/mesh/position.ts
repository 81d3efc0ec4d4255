/**
 * Where something is on the earth: a point of a sphere, so that a distance takes no more than one arc sine. In whole
 * numbers, since an object holds these in itself, and of a fraction only where it is.
 */
export interface Position {
  readonly x: number
  readonly y: number
  readonly z: number
}

/** The sphere's radius in those numbers: the largest that is held so, in both directions. One is 6 mm. */
const RADIUS = 2 ** 30
/** The earth's mean radius, km (IUGG). */
const RADIUS_KM = 6_371
const RADIANS = Math.PI / 180

/** Returns the position of degrees north and east, or null when one of them is missing. */
export function positionOf(latitude: number | null, longitude: number | null): Position | null {
  if (latitude === null || longitude === null) return null
  const across = Math.cos(latitude * RADIANS)
  return {
    x: whole(across * Math.cos(longitude * RADIANS)),
    y: whole(across * Math.sin(longitude * RADIANS)),
    z: whole(Math.sin(latitude * RADIANS)),
  }
}

/** Returns the share of the radius as a whole number; never -0, which counts as a fraction. */
const whole = (share: number): number => Math.round(share * RADIUS) | 0

/** Returns the great-circle distance, km. */
export function distanceKm(a: Position, b: Position): number {
  const [x, y, z] = [a.x - b.x, a.y - b.y, a.z - b.z]
  // Rounding may carry half the chord past 1 at the antipodes.
  return 2 * RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(x * x + y * y + z * z) / (2 * RADIUS)))
}
