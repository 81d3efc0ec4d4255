/**
 * Random stories of a path between two ends behind random NATs; `canPunch` is the oracle.
 *
 *   BOSON_MODEL_RUNS=2000 npx tap --timeout=3600 dist/test/model/path-stories.test.js     more of them
 *   BOSON_MODEL_SEED=7                                                                    other ones
 *
 * A story that failed is shrunk and printed; with its line in path-seeds.json it is played first from then on.
 */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { pathStories, type PathStory } from './path-step.js'
import { playPath } from './path-story.js'

interface Seeds {
  /** Seed and number of the random stories of a run that asks for nothing else. */
  readonly seed: number
  readonly runs: number
  /** Stories that failed once. */
  readonly stories: readonly (PathStory & { readonly why: string })[]
}

const FILE = new URL('../../../test/model/path-seeds.json', import.meta.url)
const seeds = JSON.parse(readFileSync(FILE, 'utf8')) as Seeds // our own file

for (const story of seeds.stories) {
  t.test(`once it failed: ${story.why}`, async t => {
    await playPath(story)
    t.pass('it ends well')
  })
}

t.test('no random story keeps a path from where its NATs allow it to be', { timeout: 3_600_000 }, async t => {
  const seed = Number(process.env['BOSON_MODEL_SEED'] ?? seeds.seed)
  const numRuns = Number(process.env['BOSON_MODEL_RUNS'] ?? seeds.runs)
  const { failed, counterexample, errorInstance } = await fc.check(fc.asyncProperty(pathStories, playPath), {
    seed,
    numRuns,
    interruptAfterTimeLimit: 3_000_000,
  })
  if (!failed) return t.pass(`${numRuns} stories from seed ${seed}`)
  const [what = '', ...told] = (errorInstance instanceof Error ? errorInstance.message : '').split('\n')
  t.fail(what, { seed, story: told, seeds: JSON.stringify(counterexample?.[0]) })
})
