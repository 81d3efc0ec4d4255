import t from 'tap'
import { pick, seededRandom, systemRandom } from '../../src/kit/random.js'

t.test('the same seed tells the same story, another seed another', async t => {
  const story = (seed: number) => {
    const random = seededRandom(seed)
    return [random.float(), pick(random, 1_000), ...random.bytes(4)]
  }
  t.same(story(1), story(1))
  t.not(story(1)[0], story(2)[0])
})

t.test('chance is spread over its whole range', async t => {
  const random = seededRandom(3)
  const counts = Array.from({ length: 10 }, () => 0)
  for (let i = 0; i < 10_000; i++) {
    const at = pick(random, 10)
    counts[at] = (counts[at] ?? 0) + 1
  }
  t.ok(Math.min(...counts) > 850 && Math.max(...counts) < 1_150, counts.join(' '))
})

t.test('secrets come from the operating system', async t => {
  t.equal(systemRandom.bytes(32).length, 32)
  t.notSame([...systemRandom.bytes(32)], [...systemRandom.bytes(32)])
  const value = systemRandom.float()
  t.ok(value >= 0 && value < 1)
})

t.test('no secret is given out twice, whatever the sizes', async t => {
  const given = new Set<string>()
  let count = 0
  for (let round = 0; round < 300; round++) {
    for (const size of [16, 32, 33, 4_096, 5_000]) {
      const secret = systemRandom.bytes(size)
      t.equal(secret.length, size)
      // Its first and last 16 bytes: nothing may come again across the borders of what is drawn at once either.
      for (const part of [secret.subarray(0, 16), secret.subarray(-16)])
        given.add(Buffer.from(part).toString('hex'))
      count += size === 16 ? 1 : 2
      secret.fill(0) // it belongs to whoever asked, and changes no other
    }
  }
  t.equal(given.size, count)
})
