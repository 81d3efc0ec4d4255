/** Where something is on the earth, degrees. */
export interface Position {
  readonly latitude: number
  readonly longitude: number
}

/** The earth's mean radius, km (IUGG). */
const RADIUS_KM = 6_371
const RADIANS = Math.PI / 180

/** Returns the position, or null when a part of it is missing. */
export const positionOf = (latitude: number | null, longitude: number | null): Position | null =>
  latitude === null || longitude === null ? null : { latitude, longitude }

/** Returns the great-circle distance, km (haversine). */
export function distanceKm(a: Position, b: Position): number {
  const north = Math.sin(((b.latitude - a.latitude) * RADIANS) / 2)
  const east = Math.sin(((b.longitude - a.longitude) * RADIANS) / 2)
  const across = Math.cos(a.latitude * RADIANS) * Math.cos(b.latitude * RADIANS)
  // Rounding may carry the sum past 1 at the antipodes.
  return 2 * RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(north * north + across * east * east)))
}
