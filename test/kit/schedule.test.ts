import t from 'tap'
import { Schedule } from '../../src/kit/schedule.js'

t.test('a schedule gives its burst at once, and moments at its rate afterwards', async t => {
  const schedule = new Schedule({ perSecond: 100, burst: 3 })
  t.same(
    Array.from({ length: 6 }, () => schedule.book(1, 0)),
    [0, 0, 0, 0, 10, 20],
  )
  t.equal(schedule.waitMs(0), 30)
  t.equal(schedule.waitMs(25), 5)
})

t.test('what is dear moves those behind it back', async t => {
  const schedule = new Schedule({ perSecond: 100, burst: 0 })
  t.same([schedule.book(5, 0), schedule.book(1, 0), schedule.book(1, 0)], [0, 50, 60])
})

t.test('a quiet time brings back the burst, and never more', async t => {
  const schedule = new Schedule({ perSecond: 100, burst: 2 })
  for (let n = 0; n < 10; n++) schedule.book(1, 0)
  const hours = 3_600_000
  t.same(
    Array.from({ length: 4 }, () => schedule.book(1, hours)),
    [0, 0, 0, 10],
  )
})

t.test('a schedule that is held books nothing before its end', async t => {
  const schedule = new Schedule({ perSecond: 100, burst: 2 })
  schedule.hold(5_000)
  t.same([schedule.book(1, 0), schedule.book(1, 0)], [5_000, 5_010])
  schedule.hold(1_000)
  t.equal(schedule.waitMs(0), 5_020, 'an earlier end changes nothing')
})
