import t from 'tap'
import { DecayingCount } from '../../src/kit/decaying-count.js'

t.test('what was counted a half-life ago counts half', async t => {
  const count = new DecayingCount(1_000)
  t.equal(count.at(50), 0)
  count.add(0)
  t.equal(count.at(0), 1)
  t.equal(count.at(1_000), 0.5)
  count.add(1_000)
  t.equal(count.at(1_000), 1.5)
  t.equal(count.at(3_000), 0.375)
})
