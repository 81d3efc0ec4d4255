/** What scripts leave for the agent of their machine. */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { leave, waitingIn, watchInbox } from '../../../src/agent/reports/inbox.js'
import type { Letter } from '../../../src/agent/reports/letter.js'
import { Reporter } from '../../../src/agent/reports/reporter.js'
import { Spool } from '../../../src/agent/reports/spool.js'
import { logRecord } from '../../../src/agent/reports/records.js'
import { seededRandom } from '../../../src/kit/random.js'
import { SimulatedClock } from '../../support/simulated-clock.js'

const line = (message: string): Letter => ({ kind: 'log', atMs: 1_000, level: 'info', message })

t.test('letters are taken in the order of their names, once each, also those left before', async t => {
  const clock = new SimulatedClock()
  const folder = join(t.testdir(), 'inbox')
  leave(folder, '1', line('before'))
  t.equal(waitingIn(folder), 1)
  const taken: string[] = []
  const stop = watchInbox({
    folder,
    clock,
    take: letter => taken.push(letter.kind === 'log' ? letter.message : ''),
    fault: (_, error) => t.fail(String(error)),
  })
  leave(folder, '3', line('third'))
  leave(folder, '2', line('second'))
  clock.advance(1_000)
  clock.advance(5_000)
  t.same(taken, ['before', 'second', 'third'])
  t.same(readdirSync(folder), [])
  stop()
  leave(folder, '4', line('later'))
  clock.advance(5_000)
  t.equal(waitingIn(folder), 1, 'it waits for the next agent')
})

t.test('what is no report is thrown away, and said', async t => {
  const clock = new SimulatedClock()
  const folder = t.testdir()
  for (const [i, text] of ['{', 'null', '{"kind":"log","atMs":1}', '{"kind":"gossip","atMs":1}'].entries())
    writeFileSync(join(folder, `${i}.json`), text)
  const faults: string[] = []
  watchInbox({
    folder,
    clock,
    take: () => t.fail('it is none'),
    fault: (_, error) => faults.push(String(error)),
  })()
  t.equal(faults.length, 4)
  t.same(readdirSync(folder), [])
})

t.test('a letter that a killed agent had just kept is not kept twice', async t => {
  const path = join(t.testdir(), 'spool')
  const random = seededRandom(1)
  const fault = (error: unknown) => t.fail(String(error))
  new Spool({ path, random, max: 10, logsPerBatch: 10, fault }).add(
    logRecord({ level: 'info', message: 'once' }, 1),
    '1.json',
  )
  const reporter = new Reporter({
    path,
    random,
    clock: new SimulatedClock(),
    carrier: async () => ({ outcome: 'later' }),
    fault: (_, error) => fault(error),
  })
  reporter.take(line('once'), '1.json')
  t.equal(reporter.status().waiting, 1)
  reporter.take(line('another'), '2.json')
  t.equal(reporter.status().waiting, 2)
  reporter.stop()
})
