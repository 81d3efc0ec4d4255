/** Chance as an argument: `float` is uniform in [0, 1), `bytes` is for secrets. */
import { randomFillSync } from 'node:crypto'

export interface Random {
  float(): number
  bytes(size: number): Uint8Array
}

/** Secrets are drawn so many bytes at once: a call for 32 takes as long as one for a page. */
const DRAWN = 4_096

/** The process's own chance; secrets come from the operating system. */
export const systemRandom: Random = {
  float: Math.random,
  bytes: secretBytes,
}

const drawn = new Uint8Array(DRAWN)
let used = DRAWN

function secretBytes(size: number): Uint8Array {
  if (size > DRAWN) return randomFillSync(new Uint8Array(size))
  if (used + size > DRAWN) {
    randomFillSync(drawn)
    used = 0
  }
  const bytes = drawn.slice(used, used + size)
  drawn.fill(0, used, used + size) // whoever gets a secret is the only one to have it
  used += size
  return bytes
}

/**
 * Returns reproducible chance for tests and simulations: mulberry32 (Tommy Ettinger, public domain).
 * Never for secrets in production.
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  return {
    float: () => next() / 2 ** 32,
    bytes: size => Uint8Array.from({ length: size }, () => next() & 0xff),
  }
}

/** Returns an integer in [0, below). */
export const pick = (random: Random, below: number): number => Math.floor(random.float() * below)
