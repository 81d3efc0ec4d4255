/**
 * Plays stories: first those that failed once, then random ones, shrunk to the shortest that still fails.
 */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'

interface Seeds<Story> {
  /** Seed and number of the random stories of a run that asks for nothing else. */
  readonly seed: number
  readonly runs: number
  /** Stories that failed once. */
  readonly stories: readonly (Story & { readonly why: string })[]
}

/** Makes tap's tests of them; `file` is where their seeds are, beside this file's source. */
export function playAll<Story>(
  name: string,
  file: string,
  stories: fc.Arbitrary<Story>,
  play: (story: Story) => Promise<void>,
): void {
  const url = new URL(`../../../test/model/${file}`, import.meta.url)
  const seeds = JSON.parse(readFileSync(url, 'utf8')) as Seeds<Story> // our own file

  for (const story of seeds.stories) {
    t.test(`once it failed: ${story.why}`, async t => {
      await play(story)
      t.pass('it ends well')
    })
  }

  t.test(name, { timeout: 3_600_000 }, async t => {
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
}
