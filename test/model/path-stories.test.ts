/**
 * Random stories of a path between two ends behind random NATs; `canPunch` is the oracle.
 *
 *   BOSON_MODEL_RUNS=2000 npx tap --timeout=3600 dist/test/model/path-stories.test.js     more of them
 *   BOSON_MODEL_SEED=7                                                                    other ones
 *
 * A story that failed is shrunk and printed; with its line in path-seeds.json it is played first from then on.
 */
import { pathStories } from './path-step.js'
import { playPath } from './path-story.js'
import { playAll } from './play-all.js'

playAll(
  'no random story keeps a path from where its NATs allow it to be',
  'path-seeds.json',
  pathStories,
  playPath,
)
