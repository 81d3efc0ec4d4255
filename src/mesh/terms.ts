import type { Terms } from '../actors/ports.js'

/** What holds for whom nobody has other terms. */
export const USUAL_TERMS: Terms = { denial: null, groups: [], bytesPerSecond: null }
