/**
 * Random stories, each held to the reference model and to what must always hold.
 *
 *   BOSON_MODEL_RUNS=2000 npx tap dist/test/model/stories.test.js     more of them
 *   BOSON_MODEL_SEED=7                                                other ones
 *
 * A story that failed is shrunk and printed; with its steps in seeds.json it is played first from then on.
 */
import { playAll } from './play-all.js'
import { stories } from './step.js'
import { play } from './story.js'

playAll('no random story breaks the mesh', 'seeds.json', stories, play)
