/**
 * Random stories: agents come and go, networks fail, the coordinator restarts and is killed. When calm has
 * returned, every agent is online and whoever wants a route has one that carries. BOSON_STORIES=500 tells more.
 */
import t from 'tap'
import { seededRandom } from '../../src/kit/random.js'
import { Story } from './support/story.js'

const SEEDS = Number(process.env['BOSON_STORIES'] ?? 12)
const STEPS = 25

for (let seed = 1; seed <= SEEDS; seed++) {
  t.test(`story ${seed} ends well`, async t => {
    const story = await Story.begin(t, seededRandom(seed))
    for (let step = 0; step < STEPS; step++) await story.step()
    await story.calm()
    await story.check(t)
  })
}
