import t from 'tap'
import { judge, lowerMedian, type Signs, usualRtt, WELL } from '../../src/mesh/condition.js'
import { isClearGain } from '../../src/mesh/hysteresis.js'

const GOOD: Signs = { lossPct: 0, witnesses: 10, rttMs: 20, usualRttMs: 20, uplink: 0.3, cpuPct: 20 }
const UNKNOWN: Signs = {
  lossPct: null,
  witnesses: 0,
  rttMs: null,
  usualRttMs: null,
  uplink: null,
  cpuPct: null,
}

const after = (...looks: readonly Signs[]) => looks.reduce(judge, WELL).ailment
const times = (count: number, signs: Signs): Signs[] => Array.from({ length: count }, () => signs)

t.test('a node is degraded by what is measured three times in a row', async t => {
  const lossy = { ...GOOD, lossPct: 6 }
  t.equal(after(...times(2, lossy)), null)
  t.equal(after(...times(3, lossy)), 'loss')
  t.equal(after(lossy, lossy, GOOD, lossy, lossy), null, 'with a good look in between it begins anew')
})

const CASES: readonly (readonly [string, Partial<Signs>, string | null])[] = [
  ['loss that people notice', { lossPct: 5 }, 'loss'],
  ['loss that two clients alone see', { lossPct: 50, witnesses: 2 }, null],
  ['a round trip twice what is usual', { rttMs: 160, usualRttMs: 80 }, 'rtt'],
  ['a short round trip that is three times as long', { rttMs: 15, usualRttMs: 5 }, null],
  ['a round trip half as long again', { rttMs: 180, usualRttMs: 120 }, null],
  ['the same on a busy processor', { rttMs: 180, usualRttMs: 120, cpuPct: 99 }, 'rtt'],
  ['a busy processor alone', { cpuPct: 100 }, null],
  ['an uplink that is full', { uplink: 0.96 }, 'uplink'],
  ['an uplink that is busy', { uplink: 0.9 }, null],
]
for (const [what, signs, ailment] of CASES)
  t.test(`${what}: ${ailment ?? 'well'}`, async t =>
    t.equal(after(...times(3, { ...GOOD, ...signs })), ailment),
  )

t.test('it is well again by easier limits, and after as many looks', async t => {
  const ill = times(3, { ...GOOD, uplink: 0.99 })
  t.equal(after(...ill, ...times(3, { ...GOOD, uplink: 0.9 })), 'uplink', 'its routes have left, no more')
  t.equal(after(...ill, ...times(2, GOOD)), 'uplink')
  t.equal(after(...ill, ...times(3, GOOD)), null)
})

t.test('what is not known makes nobody ill, and nobody well before its time', async t => {
  t.equal(after(...times(9, UNKNOWN)), null)
  t.equal(judge(WELL, UNKNOWN), WELL, 'and makes no garbage')
})

t.test('what is usual follows a shorter round trip at once and a longer one slowly', async t => {
  t.equal(usualRtt(null, null), null)
  t.equal(usualRtt(null, 80), 80)
  t.equal(usualRtt(80, null), 80)
  t.equal(usualRtt(80, 40), 60)
  t.equal(usualRtt(80, 180), 81)
})

t.test('one client with a bad network says nothing of a node', async t => {
  t.equal(lowerMedian([]), null)
  t.equal(lowerMedian([30]), 30)
  t.equal(lowerMedian([30, 0]), 0)
  t.equal(lowerMedian([1, 90, 2]), 2)
})

t.test('a gain is clear when it is large, and a large part', async t => {
  t.ok(isClearGain(1, 0.7))
  t.notOk(isClearGain(1, 0.9))
  t.notOk(isClearGain(0.3, 0.15), 'half of next to nothing')
  t.notOk(isClearGain(5, 4.5), 'a tenth')
})
