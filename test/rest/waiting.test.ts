/** What waits for the database: requests for their commit, samples for it to come back. */
import t from 'tap'
import { GroupCommit } from '../../src/rest/group-commit.js'
import { Backlog } from '../../src/rest/history/backlog.js'
import { placed, type Sample } from '../../src/rest/history/figures.js'
import { SimulatedClock } from '../support/simulated-clock.js'

const away = new Error('the database is away')

t.test('what arrives together is written together, and each hears its own', async t => {
  const clock = new SimulatedClock()
  const writes: number[][] = []
  const commit = new GroupCommit<number, string>({
    clock,
    itemsMax: 3,
    write: async items => {
      writes.push([...items])
      return items.map(item => `row ${item}`)
    },
  })
  const answers = Promise.all([1, 2, 3, 4, 5].map(item => commit.put(item)))
  await clock.run(10)
  t.same(await answers, ['row 1', 'row 2', 'row 3', 'row 4', 'row 5'])
  t.same(writes, [
    [1, 2, 3],
    [4, 5],
  ])
  const late = commit.put(6)
  await clock.run(10)
  t.equal(await late, 'row 6')
  await commit.settled()
})

t.test('a write that fails is told to those whose it was, and the next one goes on', async t => {
  const clock = new SimulatedClock()
  let isAway = true
  const commit = new GroupCommit<number, number>({
    clock,
    itemsMax: 10,
    write: async items => {
      if (isAway) throw away
      return items
    },
  })
  const failed = t.rejects(commit.put(1), away)
  await clock.run(10)
  await failed
  isAway = false
  const kept = commit.put(2)
  await clock.run(10)
  t.equal(await kept, 2)
})

t.test('when too many wait the next is told when to come back', async t => {
  const clock = new SimulatedClock()
  const commit = new GroupCommit<number, number>({ clock, itemsMax: 1, write: async items => items })
  const kept = Promise.all(Array.from({ length: 10 }, (_, i) => commit.put(i)))
  const refused: unknown = await commit.put(10).catch((error: unknown) => error)
  t.match(refused, { statusCode: 503, headers: { 'Retry-After': '5' } })
  await clock.run(100)
  t.equal((await kept).length, 10)
})

t.test('while the database is away the newest samples wait, and the rest is counted', async t => {
  let isAway = true
  const written: number[] = []
  const failures: unknown[] = []
  const backlog = new Backlog({
    write: async samples => {
      if (isAway) throw away
      written.push(...samples.map(({ atMs }) => atMs))
    },
    failed: error => failures.push(error),
  })
  backlog.add(samples(0, 10))
  await backlog.flush()
  backlog.add(samples(10, 70_000))
  await backlog.flush()
  t.same(failures, [away], 'said once')
  t.equal(backlog.waiting, 60_000)
  t.equal(backlog.dropped, 10_000)
  isAway = false
  await Promise.all([backlog.flush(), backlog.flush()])
  t.equal(backlog.waiting, 0)
  t.equal(backlog.written, 60_000)
  t.same([written[0], written.at(-1), written.length], [10_000, 69_999, 60_000], 'in their order, each once')
  isAway = true
  backlog.add(samples(0, 1))
  await backlog.flush()
  t.equal(failures.length, 2, 'and said again the next time')
})

const figures = placed({})
const samples = (from: number, to: number): Sample[] =>
  Array.from({ length: to - from }, (_, i) => ({
    id: 'fra-1',
    source: 'session' as const,
    atMs: from + i,
    figures,
  }))
