/** What a node remembers of its jobs, and what it does when it cannot. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Jobs, jobFile, type JobMemory, type KnownJob, volatileJobs } from '../../src/agent/index.js'
import type { Wire, WireOf } from '../../src/protocol/messages.js'
import { SimulatedClock } from '../support/simulated-clock.js'

const known: KnownJob = {
  jobId: 17,
  orderedAtMs: 1_768_473_000_000,
  kind: 'restart',
  state: 'done',
  result: { back: true },
  untilMs: 1_768_476_600_000,
}
const offer: WireOf<'job.offer'> = {
  type: 'job.offer',
  jobId: 17,
  orderedAtMs: 1_768_473_000_000,
  kind: 'count',
  withinMs: 60_000,
}

t.test('jobs are kept in a file of their owner’s, whole or not at all', async t => {
  const path = join(t.testdir(), 'jobs.json')
  t.same(jobFile(path).load(), [])
  jobFile(path).save([known])
  t.same(jobFile(path).load(), [known])
  t.equal(statSync(path).mode & 0o777, 0o600)
  for (const text of ['', '[', '{}', '[null, 1, {"jobId":"17"}]']) {
    writeFileSync(path, text)
    t.same(jobFile(path).load(), [], text)
  }
  writeFileSync(path, JSON.stringify([{ ...known, state: 'soon' }, known]))
  t.same(jobFile(path).load(), [known])
  t.match(readFileSync(path, 'utf8'), /restart/)
})

t.test('who does nothing says nothing', async t => {
  const { jobs, said } = node()
  jobs.stood()
  t.same(said, [])
  jobs.on('count', () => 1).on('reprobe', () => null)
  jobs.stood()
  t.same(said, [{ type: 'job.ready', kinds: ['count', 'reprobe'] }])
  t.throws(() => jobs.on('two words', () => 1), { code: 'BAD_OPTION' })
})

t.test('a job of the same number that was ordered anew is another job', async t => {
  const { jobs, said, clock } = node()
  let times = 0
  jobs.on('count', () => ++times)
  for (const orderedAtMs of [1, 2, 1]) {
    jobs.offered({ ...offer, orderedAtMs })
    await clock.run(1)
  }
  t.equal(times, 2)
  t.match(
    said.filter(({ type }) => type === 'job.done').map(event => textOf(event)),
    ['1', '2', '1'],
    'the first one is answered as before',
  )
})

t.test('what cannot be remembered is not begun', async t => {
  const full: JobMemory = {
    load: () => [],
    save: () => {
      throw new Error('no space left on device')
    },
  }
  const { jobs, said, faults, clock } = node(full)
  let times = 0
  jobs.on('count', () => ++times)
  jobs.offered(offer)
  await clock.run(1)
  t.equal(times, 0)
  t.same(said, [])
  t.match(faults, [['jobs', { message: 'no space left on device' }]])
})

t.test('a payload that is no JSON, and a step with control characters, harm nobody', async t => {
  const { jobs, said, clock } = node()
  jobs.on('count', ({ tell }) => tell(`one\ntwo ${'x'.repeat(300)}`))
  jobs.offered({ ...offer, payload: Buffer.from('{') })
  jobs.offered({ ...offer, jobId: 18 })
  await clock.run(1)
  t.match(textOf(said[0]), /the payload is not JSON/)
  const step = said.flatMap(event => (event.type === 'job.progress' ? (event.step ?? []) : []))[0]
  t.match(step, /^one two x+$/)
  t.equal(step?.length, 256)
})

t.test('what is wanted no more is forgotten, and so is the oldest of too many', async t => {
  const memory = volatileJobs()
  const { jobs, clock } = node(memory)
  jobs.on('count', () => 1)
  for (let jobId = 1; jobId <= 300; jobId++) jobs.offered({ ...offer, jobId })
  await clock.run(10)
  t.equal(memory.load().length, 256)
  t.equal(memory.load().at(-1)?.jobId, 300)
  clock.jumpWall(2 * 3_600_000)
  jobs.offered({ ...offer, jobId: 301 })
  await clock.run(1)
  t.same(
    memory.load().map(({ jobId }) => jobId),
    [301],
  )
})

function node(memory?: JobMemory) {
  const clock = new SimulatedClock()
  const said: Wire[] = []
  const faults: (readonly [string, unknown])[] = []
  const jobs = new Jobs({
    clock,
    memory,
    say: event => said.push(event),
    fault: (what, error) => faults.push([what, error]),
  })
  return { clock, said, faults, jobs }
}

const textOf = (event: Wire | undefined): string =>
  event?.type === 'job.done' ? Buffer.from(event.result ?? []).toString() : ''
