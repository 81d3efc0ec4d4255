import t from 'tap'
import { openRedis } from '../../src/store/redis.js'
import { startRedis } from '../parts/redis.js'
import { until } from '../support/until.js'

const redis = await startRedis(t)
const skip = 'missing' in redis && redis.missing

t.test('a Redis that hangs, dies and comes back is never waited for long', { skip }, async t => {
  if ('missing' in redis) return
  const said: string[] = []
  const log = {
    info: (_: object, text: string) => said.push(text),
    warn: (_: object, text: string) => said.push(text),
  }
  const link = openRedis({ url: redis.url, log })
  t.teardown(() => link.close())
  const answers = () =>
    link.ping().then(
      ms => ms >= 0,
      () => false,
    )
  await until('Redis answers', answers)

  redis.pause()
  const pausedMs = performance.now()
  await t.rejects(link.ping())
  t.ok(performance.now() - pausedMs < 2_500, 'a command that gets no answer is given up')
  redis.resume()
  await until('Redis answers again', answers)

  said.length = 0
  await redis.stop()
  await until('Redis is missed', () => said.includes('Redis is away'))
  const askedMs = performance.now()
  await t.rejects(link.ping())
  t.ok(performance.now() - askedMs < 500, 'nothing is queued for a server that is away')
  redis.start()
  await until('Redis is back', answers)
  t.same(said, ['Redis is away', 'Redis is back'], 'its absence is told once')
})

t.test('a Redis that never was there is away at once', async t => {
  const link = openRedis({ url: 'redis://127.0.0.1:1', log: { info() {}, warn() {} } })
  t.teardown(() => link.close())
  await t.rejects(link.ping())
})
