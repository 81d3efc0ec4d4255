/** Reports of agents over their sessions, with all that can happen on the way. */
import t from 'tap'
import type { ReportBatch } from '../../src/actors/ports.js'
import { nodeOn } from '../lab/hosts.js'
import { Lab } from '../lab/lab.js'

/** A coordinator's side that counts each numbered batch once. */
class Counting {
  readonly words: string[] = []
  away = false
  readonly #last = new Map<string, number>()

  readonly take = async (from: string, { stream, seq, logs }: ReportBatch) => {
    if (this.away) throw new Error('the database is away')
    const key = `${from} ${stream}`
    if (seq > (this.#last.get(key) ?? 0)) {
      this.#last.set(key, seq)
      this.words.push(...logs.map(row => row[2]))
    }
    return { outcome: 'stored' } as const
  }
}

t.test(
  'what an agent reports is counted once, through a database that is away and a net that is',
  async t => {
    const lab = await Lab.start()
    const counting = new Counting()
    lab.mesh.takeReports(counting.take)
    const { agent } = await nodeOn(lab, 'fra-1')

    agent.reports.log({ level: 'error', message: 'one' })
    await lab.clock.run(100)
    t.same(counting.words, ['one'])

    counting.away = true
    agent.reports.log({ level: 'error', message: 'two' })
    await lab.clock.run(2_000)
    counting.away = false
    await lab.clock.run(120_000)
    t.same(counting.words, ['one', 'two'])

    lab.internet.cut('fra-1')
    agent.reports.log({ level: 'error', message: 'three' })
    await lab.clock.run(60_000)
    lab.internet.heal('fra-1')
    await lab.clock.run(60_000)
    t.same(counting.words, ['one', 'two', 'three'])
    t.equal(agent.reports.status().waiting, 0)
  },
)

t.test('a coordinator that is killed before it answers is told again, and counts once', async t => {
  const lab = await Lab.start()
  const counting = new Counting()
  // It counts, and the answer never leaves.
  lab.mesh.takeReports(async (from, batch) => {
    await counting.take(from, batch)
    return new Promise(() => {})
  })
  const { agent } = await nodeOn(lab, 'fra-1')
  agent.reports.log({ level: 'error', message: 'one' })
  await lab.clock.run(1_000)
  lab.crash()
  await lab.boot()
  lab.mesh.takeReports(counting.take)
  await lab.clock.run(60_000)
  t.same(counting.words, ['one'])
  t.equal(agent.reports.status().waiting, 0)
})

t.test('a coordinator that takes no reports says so, and nothing piles up', async t => {
  const lab = await Lab.start()
  const { agent } = await nodeOn(lab, 'fra-1')
  for (let i = 0; i < 3; i++) agent.reports.log({ level: 'error', message: `line ${i}` })
  await lab.clock.run(1_000)
  t.match(agent.reports.status(), { waiting: 0, dropped: 3, last: { outcome: 'refused' } })
})
