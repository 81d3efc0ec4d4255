import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { pick, seededRandom } from '../../src/kit/random.js'

const writer = fileURLToPath(new URL('fixtures/writer.js', import.meta.url))
const ROUNDS = 12
/** Rows of a batch, and keys of the journal: as the writer has them. */
const ROWS = 50
const KEYS = 7

t.test(
  'a store that is killed at any moment loses nothing it acknowledged, and shows no half write',
  async t => {
    const dataDir = t.testdir()
    const random = seededRandom(42)
    let acked = 0
    for (let round = 1; round <= ROUNDS; round++) {
      // Every fourth one is killed while it opens, when the log of the one before it is being replayed.
      const killAt = round % 4 === 0 ? 'open' : 1 + pick(random, 12)
      const { found, last } = await killed('store', dataDir, killAt, pick(random, 20))
      if (found !== undefined) {
        t.ok(new Set(found).size <= 1, `round ${round}: all rows are of one write`)
        t.equal(found.length, acked === 0 ? 0 : ROWS, `round ${round}: all rows of it`)
        t.ok((found[0] ?? 0) >= acked, `round ${round}: ${acked} acknowledged, ${found[0] ?? 0} found`)
      }
      acked = Math.max(acked, last)
    }
    t.ok(acked > ROUNDS, `${acked} batches were acknowledged`)
  },
)

t.test('a journal whose process is killed at any moment loses nothing it acknowledged', async t => {
  const dir = t.testdir()
  const random = seededRandom(43)
  let acked = 0
  for (let round = 1; round <= ROUNDS; round++) {
    const { found = [], last } = await killed('journal', dir, 1 + pick(random, 1_500), pick(random, 3))
    const newest = Array.from({ length: Math.min(KEYS, acked) }, (_, i) => acked - i)
    const kept = newest.every(mine => found.some(other => other >= mine && other % KEYS === mine % KEYS))
    t.ok(kept, `round ${round}: each key has its newest value of ${acked} acknowledged`)
    acked = Math.max(acked, last)
  }
})

/**
 * Runs a writer and kills it some ms after so many acknowledgements, or while it opens. Resolves with what it
 * found, if it came to that, and the last number that it acknowledged.
 */
async function killed(what: string, dir: string, killAt: number | 'open', afterMs: number) {
  const child = spawn(process.execPath, [writer, what, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const kill = () => setTimeout(() => child.kill('SIGKILL'), afterMs)
  if (killAt === 'open') setTimeout(kill, 200 + 10 * afterMs)
  const lines = createInterface(child.stdout)
  let found: number[] | undefined
  let count = 0
  let last = 0
  lines.on('line', line => {
    if (found === undefined) {
      found = JSON.parse(line)
      return
    }
    last = Number(line)
    if (++count === killAt) kill()
  })
  await Promise.all([once(child, 'exit'), once(lines, 'close')])
  return { found, last }
}
