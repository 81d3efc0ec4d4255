/** How many connections a server is asked over. */
import type { PoolProfile } from '../ports.js'

interface Size {
  /** Kept once they were wanted. */
  readonly min: number
  readonly max: number
}

/** To the database that a server is known by. */
export const PROFILES: Readonly<Record<PoolProfile, Size>> = {
  default: { min: 1, max: 5 },
  stats_db: { min: 2, max: 10 },
  high_load: { min: 5, max: 20 },
}

/** To each other database of a server. */
export const OTHER: Size = { min: 0, max: 2 }
/** The most other databases of a server with connections at a time; the least recently used goes. */
export const OTHERS_MAX = 8

/** The embedded database shares one thread with the mesh: the monitor asks one thing at a time. */
export const EMBEDDED: Size = { min: 1, max: 1 }
