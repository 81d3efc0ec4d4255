/**
 * BLAKE2s with a key (RFC 7693). Node's crypto has BLAKE2s, but neither its key nor its shorter outputs, and
 * the first check of a WireGuard handshake is made of both.
 */

const BLOCK = 64
const IV = Uint32Array.of(
  0x6a09e667,
  0xbb67ae85,
  0x3c6ef372,
  0xa54ff53a,
  0x510e527f,
  0x9b05688c,
  0x1f83d9ab,
  0x5be0cd19,
)
/** Which word of the block comes when: a row for each round. */
const SIGMA = [
  '0123456789abcdef',
  'ea489fd61c02b753',
  'b8c052fdae367194',
  '7931dcbe265a40f8',
  '905724afe1bc683d',
  '2c6a0b834d75fe19',
  'c51fed4a0763928b',
  'db7ec13950f4862a',
  '6fe9b308c2d714a5',
  'a2847615fb9e3cd0',
].map(row => Uint8Array.from(row, digit => Number.parseInt(digit, 16)))

// Every index below is inside its array by construction; `as number` says so.
const work = new Uint32Array(16)
const words = new Uint32Array(16)

/** Returns the BLAKE2s code of `size` bytes (at most 32) for `data` under a key of 1 to 32 bytes. */
export function keyedBlake2s(key: Uint8Array, data: Uint8Array, size: number): Uint8Array {
  const state = IV.slice()
  state[0] = (state[0] as number) ^ 0x01010000 ^ (key.length << 8) ^ size
  const block = new Uint8Array(BLOCK)
  block.set(key)
  compress(state, block, BLOCK, data.length === 0)
  for (let at = 0; at < data.length; at += BLOCK) {
    const part = data.subarray(at, at + BLOCK)
    block.fill(0)
    block.set(part)
    compress(state, block, BLOCK + at + part.length, at + BLOCK >= data.length)
  }
  const out = new Uint8Array(32)
  const view = new DataView(out.buffer)
  for (const [i, word] of state.entries()) view.setUint32(4 * i, word, true)
  return out.subarray(0, size)
}

/** `counted` is how many bytes there were up to the end of this block; fewer than 2³². */
function compress(state: Uint32Array, block: Uint8Array, counted: number, last: boolean): void {
  const view = new DataView(block.buffer)
  for (let i = 0; i < 16; i++) words[i] = view.getUint32(4 * i, true)
  work.set(state)
  work.set(IV, 8)
  work[12] = (work[12] as number) ^ counted
  if (last) work[14] = ~(work[14] as number)
  for (const row of SIGMA) {
    mix(0, 4, 8, 12, row[0] as number, row[1] as number)
    mix(1, 5, 9, 13, row[2] as number, row[3] as number)
    mix(2, 6, 10, 14, row[4] as number, row[5] as number)
    mix(3, 7, 11, 15, row[6] as number, row[7] as number)
    mix(0, 5, 10, 15, row[8] as number, row[9] as number)
    mix(1, 6, 11, 12, row[10] as number, row[11] as number)
    mix(2, 7, 8, 13, row[12] as number, row[13] as number)
    mix(3, 4, 9, 14, row[14] as number, row[15] as number)
  }
  for (let i = 0; i < 8; i++) state[i] = (state[i] as number) ^ (work[i] as number) ^ (work[i + 8] as number)
}

function mix(a: number, b: number, c: number, d: number, x: number, y: number): void {
  work[a] = (work[a] as number) + (work[b] as number) + (words[x] as number)
  work[d] = turned((work[d] as number) ^ (work[a] as number), 16)
  work[c] = (work[c] as number) + (work[d] as number)
  work[b] = turned((work[b] as number) ^ (work[c] as number), 12)
  work[a] = (work[a] as number) + (work[b] as number) + (words[y] as number)
  work[d] = turned((work[d] as number) ^ (work[a] as number), 8)
  work[c] = (work[c] as number) + (work[d] as number)
  work[b] = turned((work[b] as number) ^ (work[c] as number), 7)
}

const turned = (word: number, right: number): number => (word >>> right) | (word << (32 - right))
