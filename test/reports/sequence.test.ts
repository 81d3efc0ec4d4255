import t from 'tap'
import { pick, seededRandom } from '../../src/kit/random.js'
import { arrived, NOTHING, type Sequence } from '../../src/reports/sequence.js'

const after = (...seqs: readonly number[]): Sequence =>
  seqs.reduce((sequence, seq) => arrived(sequence, seq) ?? sequence, NOTHING)

t.test('numbers grow by one', async t => {
  t.same(after(0, 1, 2), { last: 2, missing: [] })
  t.equal(arrived(after(0, 1, 2), 1), null)
  t.same(after(7, 8), { last: 8, missing: [[0, 6]] }, 'the first one that comes may have overtaken others')
})

t.test('what was overtaken is missing until it comes', async t => {
  t.same(after(0, 1, 6), { last: 6, missing: [[2, 5]] })
  t.same(after(0, 1, 6, 3).missing, [
    [2, 2],
    [4, 5],
  ])
  t.same(after(0, 1, 6, 2, 5, 4, 3), { last: 6, missing: [] })
  t.equal(arrived(after(0, 1, 6, 3), 3), null)
})

t.test('of very many gaps the oldest are forgotten', async t => {
  const odd = Array.from({ length: 200 }, (_, i) => 2 * i + 1)
  const sequence = after(...odd)
  t.equal(sequence.missing.length, 64)
  t.equal(arrived(sequence, 2), null)
  t.same(arrived(sequence, 398)?.missing.length, 63)
})

t.test('in any order, each number comes once', async t => {
  const random = seededRandom(7)
  for (let run = 0; run < 200; run++) {
    let sequence = NOTHING
    const come = new Set<number>()
    for (let step = 0; step < 60; step++) {
      const seq = pick(random, 40)
      const next = arrived(sequence, seq)
      if ((next === null) !== come.has(seq)) t.fail('a number came twice, or never', { run, seq, sequence })
      come.add(seq)
      sequence = next ?? sequence
    }
  }
})
