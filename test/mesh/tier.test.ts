import t from 'tap'
import { isSlower, isTooSlow, slowSince } from '../../src/mesh/tier.js'

const CASES: readonly (readonly [own: number | null, relayed: number | null, slower: boolean])[] = [
  [null, 40, false],
  [500, null, false],
  [20, 40, false],
  [60, 40, false],
  [61, 40, true],
  [11, 1, false],
  [12, 1, true],
]

t.test('a way is slower when it is so by a quarter and 10 ms', async t => {
  for (const [own, relayed, slower] of CASES)
    t.equal(isSlower({ own, relayed }), slower, `${own} ms beside ${relayed} ms`)
})

t.test('it is given up after ten seconds without a better moment', async t => {
  const [slow, fine] = [
    { own: 100, relayed: 20 },
    { own: 20, relayed: 20 },
  ]
  const since = slowSince(null, slow, 1_000)
  t.equal(since, 1_000)
  t.equal(slowSince(since, slow, 5_000), 1_000)
  t.notOk(isTooSlow(since, 10_999))
  t.ok(isTooSlow(since, 11_000))
  t.equal(slowSince(since, fine, 6_000), null)
  t.notOk(isTooSlow(null, 99_999))
})
