/** Jobs over sessions: each is done once and told, whatever is lost and whoever dies. */
import { rmSync } from 'node:fs'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { JobFailed, type Jobs } from '../../src/agent/index.js'
import { readConfig } from '../../src/app/config.js'
import type { PluginHost } from '../../src/app/plugin.js'
import { JOB_JSON_MAX } from '../../src/protocol/messages.js'
import type { RestDatabase } from '../../src/rest/database.js'
import { openHand } from '../../src/rest/jobs/hand.js'
import type { Order } from '../../src/rest/jobs/job.js'
import { openJobs } from '../../src/rest/jobs/jobs.js'
import { MIGRATIONS } from '../../src/rest/migrations/index.js'
import { openStore, type Room } from '../../src/store/index.js'
import { NodeHost } from '../lab/hosts.js'
import { Lab } from '../lab/lab.js'
import { pack } from '../protocol/bytes.js'
import { shortFolder } from '../support/short-folder.js'

const room = await aRoom()
let names = 0

t.test('a job that is ordered is told at once, done, and its result is kept', async t => {
  const { order, ended, lab } = await story(t, jobs =>
    jobs.on('custom', ({ payload, tell }) => {
      tell('adding')
      return { sum: (payload as number[]).reduce((a, b) => a + b) } // as ordered below
    }),
  )
  const { id } = await order({ payload: [1, 2, 3] })
  t.match(await ended(id), { status: 'done', result: { sum: 6 }, deliveries: 1, accepted_at: Date })
  t.same(lab.complaints, [])
})

t.test('a node that was away is told of everything that is open when it is back, in its order', async t => {
  const done: unknown[] = []
  const { host, order, ended, run } = await story(t, jobs =>
    jobs.on('custom', ({ payload }) => void done.push(payload)),
  )
  host.crash()
  await run(1_000)
  const ids: number[] = []
  for (const payload of [1, 2, 3]) ids.push((await order({ payload })).id)
  await run(20_000)
  t.same(done, [])
  host.boot()
  for (const id of ids) t.match(await ended(id), { status: 'done' })
  t.same(done, [1, 2, 3])
})

t.test('an offer that is lost comes again', async t => {
  let times = 0
  const { order, ended, run, lose } = await story(t, jobs => jobs.on('custom', () => ++times))
  lose.offers = 1
  const { id } = await order({})
  await run(50_000)
  t.equal(times, 0)
  t.match(await ended(id), { status: 'done', result: 1, deliveries: 2 })
})

t.test(
  'an answer that is lost is given again, by the next process too, and nothing is done twice',
  async t => {
    let times = 0
    const { host, order, ended, run, job, lab } = await story(t, jobs =>
      jobs.on('custom', () => {
        times++
        lab.internet.cut(host.name)
        return 'did it'
      }),
    )
    const { id } = await order({})
    await run(1_000)
    t.match(host.jobMemory.load(), [{ jobId: id, state: 'done', result: 'did it' }])
    t.match(await job(id), { status: 'delivered' })
    host.crash()
    host.boot()
    await run(1_000)
    lab.internet.heal(host.name)
    t.match(await ended(id), { status: 'done', result: 'did it' })
    t.equal(times, 1)
  },
)

t.test('a node that dies while it is at it says so when it lives again', async t => {
  let times = 0
  const { host, order, ended, run } = await story(t, jobs =>
    jobs.on('custom', () => {
      times++
      host.crash()
      return 'did it'
    }),
  )
  const { id } = await order({})
  await run(1_000)
  t.match(host.jobMemory.load(), [{ state: 'begun' }])
  host.boot()
  t.match(await ended(id), { status: 'failed', result: { reason: /may be done in part/ } })
  t.equal(times, 1)
})

t.test('the end of the process may be the point of a job', async t => {
  let times = 0
  const { host, order, ended, run } = await story(t, jobs =>
    jobs.on(
      'restart',
      () => {
        times++
        host.crash()
        return new Promise(() => {})
      },
      { afterRestart: () => ({ back: true }) },
    ),
  )
  const { id } = await order({ type: 'restart' })
  await run(1_000)
  host.boot()
  t.match(await ended(id), { status: 'done', result: { back: true } })
  t.equal(times, 1)
})

t.test('what takes too long has failed, and the next job has its turn', async t => {
  let aborted = false
  const { order, ended } = await story(t, jobs =>
    jobs.on('custom', ({ payload, signal }) => {
      if (payload === 'quick') return 'quick'
      signal.addEventListener('abort', () => {
        aborted = true
      })
      return new Promise(() => {})
    }),
  )
  const slow = await order({ ttlMs: 30_000 })
  const quick = await order({ payload: 'quick' })
  t.match(await ended(quick.id), { status: 'done' })
  t.match(await ended(slow.id), { status: 'failed', result: { reason: /time was over/ } })
  t.ok(aborted)
})

t.test('a job whose time is over while its node is away is told no more', async t => {
  let times = 0
  const { host, order, ended, run } = await story(t, jobs => jobs.on('custom', () => ++times))
  host.crash()
  await run(1_000)
  const { id } = await order({ ttlMs: 30_000 })
  t.match(await ended(id), { status: 'expired', deliveries: 0 })
  host.boot()
  await run(10_000)
  t.equal(times, 0)
})

t.test('a job that is taken back is told no more', async t => {
  let times = 0
  const { host, order, queue, job, run } = await story(t, jobs => jobs.on('custom', () => ++times))
  host.crash()
  await run(1_000)
  const { id } = await order({})
  t.match(await queue().cancel(id, 'eve'), { status: 'cancelled' })
  t.equal(await queue().cancel(id, 'eve'), null)
  host.boot()
  await run(10_000)
  t.match(await job(id), { status: 'cancelled' })
  t.equal(times, 0)
})

t.test('what cannot be done says why', async t => {
  const { host, order, ended, hand } = await story(t, jobs =>
    jobs
      .on('updateConfig', () => {
        throw new JobFailed('no such setting', { refused: { shoeSize: 'unknown' } })
      })
      .on('custom', () => 'x'.repeat(20_000)),
  )
  t.match(await ended((await order({ type: 'updateConfig' })).id), {
    status: 'failed',
    result: { reason: 'no such setting', refused: { shoeSize: 'unknown' } },
  })
  t.match(await ended((await order({})).id), {
    status: 'failed',
    result: { reason: /at most 16384 bytes/ },
  })
  t.match(await ended((await order({ type: 'maintenance' })).id), {
    status: 'failed',
    result: { reason: 'this node does no maintenance' },
  })
  t.throws(() => hand().mustDo(host.name, 'add_key'), {
    message: `${host.name} does no add_key; it does updateConfig, custom`,
  })
})

t.test('a coordinator that is killed meanwhile tells of it again, and hears what came of it', async t => {
  let times = 0
  let go = () => {}
  const { order, ended, lab, reopen, run } = await story(t, jobs =>
    jobs.on('custom', () => {
      times++
      return new Promise(resolve => {
        go = () => resolve('at last')
      })
    }),
  )
  const { id } = await order({})
  await run(1_000)
  t.equal(times, 1)
  lab.crash()
  await lab.boot()
  await reopen()
  await run(20_000)
  go()
  t.match(await ended(id), { status: 'done', result: 'at last', deliveries: 2 })
  t.equal(times, 1)
})

t.test(
  'who answers jobs that it was never offered is not heard, and what is no JSON is not kept',
  async t => {
    const { order, ended, hand, job, lab, run } = await story(t, jobs =>
      jobs.on('custom', () => new Promise(() => {})),
    )
    const theirs = await order({})
    const liar = await lab.enrolled('node', 'liar')
    liar.say({ type: 'job.ready', kinds: ['custom'] })
    for (const jobId of [theirs.id, 999_999, 0, Number.MAX_SAFE_INTEGER])
      liar.say(
        { type: 'job.progress', jobId, step: 'mine now' },
        { type: 'job.done', jobId, outcome: 'done', result: Buffer.from('"mine"') },
      )
    await run(1_000)
    t.equal(hand().strange, 8)
    t.match(await job(theirs.id), { status: 'delivered', result: null })
    t.equal(hand().stepOf(theirs.id), null)
    t.equal(liar.closedWith, null)

    for (const result of ['{"deep":'.repeat(17), '[', '"\\u0000"', '\xff']) {
      const { id } = await order({ server_id: 'liar' })
      await run(1_000)
      t.equal(liar.last('job.offer').jobId, id)
      liar.say({ type: 'job.done', jobId: id, outcome: 'done', result: Buffer.from(result, 'latin1') })
      t.match(await ended(id), { status: 'failed', result: { reason: /is not JSON of 16 levels/ } })
      liar.say({ type: 'job.done', jobId: id, outcome: 'done' })
      await run(1_000)
      t.match(await job(id), { status: 'failed' }, 'the first word counts')
    }
  },
)

t.test('a result that is too large is a strike, and nothing of it is kept', async t => {
  const { order, job, lab, run } = await story(t, () => {})
  const liar = await lab.enrolled('node', 'boaster')
  liar.say({ type: 'job.ready', kinds: ['custom'] })
  const { id } = await order({ server_id: 'boaster' })
  await run(1_000)
  t.equal(liar.last('job.offer').jobId, id)
  liar.sayBytes(pack([0x52, id, 'done', Buffer.alloc(JOB_JSON_MAX + 1, '1')]))
  await run(1_000)
  t.match(liar.last('error'), { code: 'bad_field', reason: /job\.done\.result/ })
  t.match(await job(id), { status: 'delivered', result: null })
  t.equal(lab.mesh.stats().denied['bad_field'], 1)
})

// ── helpers ──────────────────────────────────────────────────────────────────────────────────────

/** A lab with a node that does jobs, and the queue that the operator orders them by. */
async function story(t: Test, does: (jobs: Jobs) => void) {
  const lab = await Lab.start({ seed: ++names })
  const lose = { offers: 0 }
  const host = {
    clock: lab.clock,
    config: readConfig({ flags: {}, env: { NODE_ENV: 'test' } }),
    log: { debug() {}, info() {}, warn: (_: object, message: string) => t.fail(message), error() {} },
    audit: () => {},
  } as unknown as PluginHost // the jobs look at no more of it
  const open = async () => {
    const jobs = await openJobs(host, room)
    const { mesh } = lab
    const hand = openHand({
      clock: lab.clock,
      log: host.log,
      jobs,
      mesh: {
        onJobWord: hear => mesh.onJobWord(hear),
        node: id => mesh.node(id),
        reprobe: (id, actor) => mesh.reprobe(id, actor),
        offerJob: (id, offer) => (lose.offers-- > 0 ? true : mesh.offerJob(id, offer)),
      },
    })
    return { jobs, hand, stop: () => hand.stop().then(() => jobs.stop()) }
  }
  let opened = await open()
  t.teardown(() => opened.stop())
  const node = new NodeHost(lab, `worker-${names}`, { does })
  void node.agent.start()

  /** Lets time pass, and the database answer. */
  const run = async (ms: number) => {
    for (let left = ms; left > 0; left -= STEP_MS) {
      await lab.clock.run(Math.min(left, STEP_MS))
      await room.ask(db => sql`select 1`.execute(db))
      await lab.clock.run(0)
    }
  }
  const job = async (id: number) => (await opened.jobs.table.find(id)) ?? t.fail(`no job ${id}`)
  await run(1_000)
  return {
    lab,
    host: node,
    lose,
    run,
    job,
    queue: () => opened.jobs,
    hand: () => opened.hand,
    order: async (wish: Partial<Order>) => {
      const ordered = await opened.jobs.order({ ...ORDER, server_id: node.name, ...wish })
      opened.hand.tell(ordered.server_id)
      return ordered
    },
    /** Resolves with a job as it ended. */
    ended: async (id: number) => {
      for (let waited = 0; waited < 300_000; waited += 500) {
        const found = await job(id)
        if (typeof found === 'boolean' || !OPEN.has(found.status)) return found
        await run(500)
      }
      throw new Error(`job ${id} does not end`)
    },
    /** What the next process of the coordinator does. */
    reopen: async () => {
      await opened.stop()
      opened = await open()
    },
  }
}

/** The database is given the word this often, ms. */
const STEP_MS = 250
const OPEN: ReadonlySet<string> = new Set(['pending', 'delivered'])
const ORDER: Omit<Order, 'server_id'> = {
  type: 'custom',
  key_id: null,
  email: null,
  payload: null,
  created_by: 'eve',
  ttlMs: 3_600_000,
}

async function aRoom(): Promise<Room<RestDatabase>> {
  const dataDir = shortFolder()
  const store = await openStore({ dataDir, overlay4: '10.77.0.0/16', overlay6: 'fd77:b050::/64' })
  t.teardown(async () => {
    await store.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  return store.room<RestDatabase>('rest', MIGRATIONS)
}
