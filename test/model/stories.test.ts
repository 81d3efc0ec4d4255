/**
 * Random stories, each held to the reference model and to what must always hold.
 *
 *   BOSON_MODEL_RUNS=2000 npx tap dist/test/model/stories.test.js     more of them
 *   BOSON_MODEL_SEED=7                                                other ones
 *
 * A story that failed is shrunk and printed; with its steps in seeds.json it is played first from then on.
 */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { stories, type Story } from './step.js'
import { play } from './story.js'

interface Seeds {
  /** Seed and number of the random stories of a run that asks for nothing else. */
  readonly seed: number
  readonly runs: number
  /** Stories that failed once. */
  readonly stories: readonly (Story & { readonly why: string })[]
}

const FILE = new URL('../../../test/model/seeds.json', import.meta.url)
const seeds = JSON.parse(readFileSync(FILE, 'utf8')) as Seeds // our own file

for (const story of seeds.stories) {
  t.test(`once it failed: ${story.why}`, async t => {
    await play(story)
    t.pass('it ends well')
  })
}

t.test('no random story breaks the mesh', { timeout: 3_600_000 }, async t => {
  const seed = Number(process.env['BOSON_MODEL_SEED'] ?? seeds.seed)
  const numRuns = Number(process.env['BOSON_MODEL_RUNS'] ?? seeds.runs)
  const { failed, counterexample, errorInstance } = await fc.check(fc.asyncProperty(stories, play), {
    seed,
    numRuns,
    interruptAfterTimeLimit: 3_000_000,
  })
  if (!failed) return t.pass(`${numRuns} stories from seed ${seed}`)
  const [what = '', ...told] = (errorInstance instanceof Error ? errorInstance.message : '').split('\n')
  t.fail(what, { seed, story: told, seeds: JSON.stringify(counterexample?.[0]) })
})
