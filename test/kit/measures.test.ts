import t from 'tap'
import { Ewma } from '../../src/kit/ewma.js'
import { Histogram } from '../../src/kit/histogram.js'
import { Ring } from '../../src/kit/ring.js'
import { TokenBucket } from '../../src/kit/token-bucket.js'

t.test('a bucket starts full, gives its burst, and refuses without taking', async t => {
  const bucket = new TokenBucket(10, 5, 0)
  t.ok(bucket.take(5, 0))
  t.notOk(bucket.take(1, 0))
  t.notOk(bucket.take(2, 100), 'one token flowed in')
  t.ok(bucket.take(1, 100), 'and the refusal left it there')
})

t.test('a bucket refills with time, never above its burst', async t => {
  const bucket = new TokenBucket(10, 5, 0)
  t.ok(bucket.take(5, 0))
  t.notOk(bucket.take(6, 3_600_000))
  t.ok(bucket.take(5, 3_600_000))
  t.notOk(bucket.take(1, 3_600_000))
})

t.test('a bucket says how long to wait, and is right', async t => {
  const bucket = new TokenBucket(10, 5, 0)
  t.equal(bucket.waitMs(5, 0), 0)
  t.ok(bucket.take(5, 0))
  t.equal(bucket.waitMs(2, 0), 200)
  t.equal(bucket.waitMs(2, 150), 50)
  t.notOk(bucket.take(2, 199))
  t.ok(bucket.take(2, 200))
})

t.test('a bucket that is asked often loses no fraction of a token', async t => {
  const bucket = new TokenBucket(1, 1, 0)
  t.ok(bucket.take(1, 0))
  let taken = 0
  for (let ms = 1; ms <= 10_000; ms++) if (bucket.take(1, ms)) taken++
  t.ok(taken >= 9 && taken <= 10, `${taken} in ten seconds`)
})

t.test('a ring keeps the newest values, oldest first', async t => {
  const ring = new Ring<number>(3)
  t.same(ring.values(), [])
  ring.push(1)
  ring.push(2)
  t.same(ring.values(), [1, 2])
  for (const value of [3, 4, 5]) ring.push(value)
  t.same(ring.values(), [3, 4, 5])
  t.equal(ring.length, 3)
})

t.test('a moving average is unknown at first, then the first sample, then leans to the newest', async t => {
  const average = new Ewma(0.25)
  t.equal(average.value, null)
  t.equal(average.add(100), 100)
  t.equal(average.add(200), 125)
  t.equal(average.value, 125)
  t.equal(new Ewma(1).add(0), 0)
})

t.test('a histogram counts a value at or below its bound, and the rest in the last bucket', async t => {
  const histogram = new Histogram([1, 10])
  for (const value of [0, 1, 1.01, 10, 10.5, 1_000]) histogram.observe(value)
  t.same([...histogram.counts], [2, 2, 2])
  t.equal(histogram.count, 6)
  t.equal(histogram.sum, 1_022.51)
})
