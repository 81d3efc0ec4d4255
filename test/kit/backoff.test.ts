import t from 'tap'
import { backoffMs } from '../../src/kit/backoff.js'
import { seededRandom } from '../../src/kit/random.js'

t.test('the ceiling of a wait doubles until the longest', async t => {
  const most = { ...seededRandom(1), float: () => 0.999_999 }
  t.equal(Math.round(backoffMs(0, most)), 500)
  t.equal(Math.round(backoffMs(1, most)), 1_000)
  t.equal(Math.round(backoffMs(7, most)), 60_000)
  t.equal(Math.round(backoffMs(1_000, most)), 60_000)
})

t.test('a wait is anywhere between nothing and its ceiling', async t => {
  const random = seededRandom(7)
  const waits = Array.from({ length: 1_000 }, () => backoffMs(3, random))
  t.ok(Math.min(...waits) < 200)
  t.ok(Math.max(...waits) > 3_800 && Math.max(...waits) < 4_000)
})
