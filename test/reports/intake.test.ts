/** The one way in, over a database that the test holds in its hands. */
import t from 'tap'
import { seededRandom } from '../../src/kit/random.js'
import type { Batch } from '../../src/reports/batch.js'
import { Intake, type Outcome } from '../../src/reports/intake.js'
import { StoreUnavailable } from '../../src/store/index.js'
import { SimulatedClock } from '../support/simulated-clock.js'

t.test('while the database is away everyone waits, for a while of their own', async t => {
  const { intake, warned, breakWith } = made()
  breakWith(new StoreUnavailable('gone'))
  const [a, b] = await Promise.all([intake.take(lines('a', 1)), intake.take(lines('b', 1))])
  t.match(
    [a, b],
    [
      { outcome: 'later', why: 'away' },
      { outcome: 'later', why: 'away' },
    ],
  )
  t.not(waitOf(a), waitOf(b))
  t.ok(waitOf(a) >= 5_000 && waitOf(a) <= 10_000)
  t.same(warned, ['reports wait for the database'], 'once, not for each')
})

t.test('an agent that reports more than its share waits until it has some again', async t => {
  const { intake, clock, commits } = made()
  t.equal((await intake.take(lines('fra-1', 100))).outcome, 'stored')
  t.equal((await intake.take(lines('fra-1', 100))).outcome, 'stored')
  const over = await intake.take(lines('fra-1', 50))
  t.match(over, { outcome: 'later', why: 'quota', retryAfterMs: 30_000 })
  t.equal((await intake.take(lines('fra-2', 50))).outcome, 'stored', 'others do not wait')
  t.equal((await intake.take(lines('@operator', 1_000))).outcome, 'stored', 'the operator does not')
  await clock.run(30_000)
  t.equal((await intake.take(lines('fra-1', 50))).outcome, 'stored')
  t.equal(commits(), 5)
})

t.test('what comes while others are stored is stored together', async t => {
  const { intake, commits } = made()
  await Promise.all(Array.from({ length: 40 }, (_, i) => intake.take(lines(`agent-${i}`, 1))))
  t.equal(commits(), 2)
})

t.test('what waits is bounded', async t => {
  const { intake } = made()
  const answers = await Promise.all(
    Array.from({ length: 1_010 }, (_, i) => intake.take(lines(`agent-${i}`, 1))),
  )
  t.equal(answers.filter(answer => answer.outcome === 'later' && answer.why === 'full').length, 9)
})

t.test('when it stops, what was taken is stored, and what comes then is told to come later', async t => {
  const { intake } = made()
  const taken = intake.take(lines('a', 1))
  await intake.stop()
  t.match(await taken, { outcome: 'stored' })
  t.match(await intake.take(lines('a', 1)), { outcome: 'later' }, 'refused, it would be lost')
})

t.test('a batch that the database does not take is refused, and those beside it are stored', async t => {
  const { intake, warned } = made()
  const answers = await Promise.all(['a', 'b', 'unfit', 'c'].map(reporter => intake.take(lines(reporter, 1))))
  t.same(
    answers.map(({ outcome }) => outcome),
    ['stored', 'stored', 'refused', 'stored'],
  )
  t.same(warned, ['a report cannot be stored and was refused'])
  t.match(intake.counts, { counted: 3, refused: 1 })
})

function waitOf(outcome: Outcome): number {
  return outcome.outcome === 'later' ? outcome.retryAfterMs : 0
}

/** An intake of a hundred records a minute over a database that commits in a later turn, unless it is broken. */
function made() {
  const clock = new SimulatedClock()
  const warned: string[] = []
  let broken: Error | null = null
  let committed = 0
  const write = async (batches: readonly Batch[]) => {
    await Promise.resolve()
    if (broken !== null) throw broken
    if (batches.some(({ reporter }) => reporter === 'unfit')) throw new RangeError('too large')
    committed++
    return batches.map(() => 'counted' as const)
  }
  const log = {
    debug() {},
    info() {},
    warn: (_: object, message: string) => void warned.push(message),
    error: (_: object, message: string) => t.fail(message),
  }
  const options = {
    write,
    clock,
    random: seededRandom(3),
    log,
    recordsPerMinute: 100,
    unrationed: '@operator',
  }
  return {
    intake: new Intake(options),
    clock,
    warned,
    commits: () => committed,
    breakWith: (error: Error) => {
      broken = error
    },
  }
}

function lines(reporter: string, count: number): Batch {
  const log = { agentId: reporter, atMs: 0, level: 'info', message: '', details: '', metadata: null } as const
  return {
    reporter,
    once: null,
    dropped: 0,
    clients: [],
    traffic: [],
    logs: Array.from({ length: count }, () => log),
  }
}
