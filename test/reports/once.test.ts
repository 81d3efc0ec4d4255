/** What is reported counts once, whatever comes in between. */
import t from 'tap'
import type { Plugin, RunningPlugin } from '../../src/app/plugin.js'
import { pick, type Random, seededRandom } from '../../src/kit/random.js'
import { systemClock } from '../../src/kit/clock.js'
import { type Batch, OPERATOR } from '../../src/reports/batch.js'
import { Bounds } from '../../src/reports/bounds.js'
import { Intake } from '../../src/reports/intake.js'
import { prune } from '../../src/reports/prune.js'
import { MIGRATIONS } from '../../src/reports/migrations.js'
import { reports } from '../../src/reports/plugin.js'
import type { ReportTables } from '../../src/reports/tables.js'
import { writeBatches } from '../../src/reports/write.js'
import { type Room, StoreUnavailable } from '../../src/store/index.js'
import { onEachDatabase, type RestServer } from '../support/rest-server.js'
import { shortFolder } from '../support/short-folder.js'
import { until } from '../support/until.js'
import { batch, enrolled } from './session.js'

const line = (text: string): ReturnType<typeof batch>['logs'][number] => [
  Date.now(),
  'info',
  text,
  null,
  null,
]
const served = (requests: number): ReturnType<typeof batch>['traffic'] => {
  const now = Date.now()
  return [[now - 1, now, 'proxy', 'p1', 10 * requests, 20 * requests, requests, 5, 0]]
}
const requestsOf = async (server: RestServer, agentId: string): Promise<number> =>
  (await server.ask('GET', `/api/statistics?agentId=${agentId}`)).body.totals.requests

/** Shows the tables to the test. */
class Probe implements Plugin {
  // The tables are those of the reports.
  readonly name = 'reports'
  readonly migrations = MIGRATIONS
  #room: Room<ReportTables> | null = null

  get room(): Room<ReportTables> {
    if (this.#room === null) throw new Error('the probe has not started')
    return this.#room
  }

  async start(...[, { room }]: Parameters<Plugin['start']>): Promise<RunningPlugin> {
    this.#room = await room<ReportTables>()
    return { routes: [], stop: async () => {} }
  }
}

await onEachDatabase(t, async (t, start) => {
  const dataDir = shortFolder()
  const probe = new Probe()
  let server = await start({ dataDir, plugins: [reports, probe] })
  const reporter = await enrolled(server, 'fra-1')

  await t.test('a batch that was overtaken counts, and so does what follows a gap', async t => {
    const seqs = [1, 4, 3, 3, 1, 9, 4]
    for (const seq of seqs) {
      const answer = await reporter.report(batch(seq, { stream: 'order', traffic: served(2 ** seq) }))
      t.equal(answer.outcome, 'stored')
    }
    t.equal(await requestsOf(server, 'fra-1'), 2 ** 1 + 2 ** 3 + 2 ** 4 + 2 ** 9)
  })

  await t.test('of the same batch sent again and again without waiting, one counts', async t => {
    const before = await requestsOf(server, 'fra-1')
    const answers = () =>
      reporter.heard.filter(event => event.type === 'report.ack' && event.stream === 'again')
    for (let i = 0; i < 4; i++) reporter.say(batch(1, { stream: 'again', traffic: served(1_000) }))
    await until('each is answered', () => answers().length === 4)
    t.ok(answers().every(event => event.type === 'report.ack' && event.outcome === 'stored'))
    await reporter.report(batch(2, { stream: 'again', traffic: served(1) }))
    t.equal(await requestsOf(server, 'fra-1'), before + 1_001)
  })

  await t.test('both doors at once count a number once', async t => {
    const token = await server.token('fra-1')
    const body = { agentId: 'fra-1', level: 'info', message: 'two doors', stream: 'doors', seq: 1 }
    const doors = [1, 2, 3].flatMap(() => [
      reporter.report(batch(1, { stream: 'doors', logs: [line('two doors')] })),
      server.ask('POST', '/api/logs', { token, body }),
      server.ask('POST', '/api/logs', { token, body }),
    ])
    for (const answer of await Promise.all(doors))
      t.ok('status' in answer ? answer.status === 201 : answer.outcome !== 'refused')
    t.equal((await server.ask('GET', '/api/logs?search=two%20doors')).body.total, 1)
  })

  await t.test('two agents may number their streams alike', async t => {
    const other = await enrolled(server, 'fra-2')
    await other.report(batch(1, { stream: 'order', traffic: served(7) }))
    t.equal(await requestsOf(server, 'fra-2'), 7)
  })

  await t.test(
    'whatever is lost, whichever coordinator has it, the sums are those of the agents',
    async t => {
      const seed = 20_261_121
      const random = seededRandom(seed)
      // Two coordinators on one database, which loses questions before and answers after it has done them.
      const intakes = [intakeOver(probe.room, random), intakeOver(probe.room, random)]
      const agents = Array.from({ length: 4 }, (_, i) => `agent-${i}`)
      const batches = agents.flatMap(agentId =>
        Array.from({ length: 25 }, (_, i) => numbered(agentId, i + 1, random)),
      )
      const waiting = [...batches]
      let sent = 0
      while (waiting.length > 0) {
        // Some at once, near the front, some of them twice; an answer may be lost.
        const picked = Array.from(
          { length: 1 + pick(random, 6) },
          () => waiting[pick(random, Math.min(12, waiting.length))],
        )
        await Promise.all(
          picked.map(async each => {
            sent++
            const { outcome } = await (intakes[pick(random, 2)] as Intake).take(each as Batch) // picked from what there is
            const isHeard = random.float() < 0.7
            if (outcome === 'stored' && isHeard && waiting.includes(each as Batch))
              waiting.splice(waiting.indexOf(each as Batch), 1)
          }),
        )
      }
      t.ok(sent > 1.4 * batches.length, `seed ${seed}: ${sent} sent for ${batches.length}`)
      for (const agentId of agents) {
        const expected = batches
          .flatMap(({ traffic }) => traffic)
          .filter(record => record.agentId === agentId)
          .reduce((sum, { requests }) => sum + requests, 0)
        t.equal(await requestsOf(server, agentId), expected, `seed ${seed}: ${agentId}`)
        t.equal((await server.ask('GET', `/api/logs?agentId=${agentId}`)).body.total, 25)
        t.equal((await server.ask('GET', `/api/clients?agentId=${agentId}`)).body.clients[0].reports, 25)
      }
    },
  )

  await t.test('the operator sees how far each agent has come, and what it lost', async t => {
    await reporter.report(batch(1, { stream: 'seen', dropped: 3 }))
    await reporter.report(batch(5, { stream: 'seen', dropped: 7 }))
    await reporter.report(batch(5, { stream: 'seen', dropped: 7 }))
    const { body } = await server.ask('GET', '/api/v1/reports/streams?reporter=fra-1')
    t.match(
      body.streams.find(({ stream }: { stream: string }) => stream === 'seen'),
      { reporter: 'fra-1', lastSeq: 5, batches: 2, repeated: 1, missing: 3, dropped: 7 },
    )
    const found: unknown[] = []
    let after = ''
    do {
      const page = (await server.ask('GET', `/api/v1/reports/streams?reporter=fra-1&limit=2${after}`)).body
      found.push(...page.streams)
      after = page.next === null ? '' : `&after=${page.next}`
    } while (after !== '')
    t.same(found, body.streams)
    const token = await server.token('fra-1')
    t.equal((await server.ask('GET', '/api/v1/reports/streams', { token })).status, 403)
  })

  await t.test('an agent has a hundred streams at most', async t => {
    const intake = intakeOn(probe.room)
    const agentId = 'fra-2'
    for (let i = 0; i < 105; i++)
      await intake.take({
        ...numbered(agentId, 1, seededRandom(i)),
        once: { by: 'seq', stream: `s${i}`, seq: 1 },
      })
    t.equal((await server.ask('GET', `/api/v1/reports/streams?reporter=${agentId}`)).body.total, 100)
  })

  await t.test('of the log lines of an agent the newest stay', async t => {
    const bounds = new Bounds(probe.room, 150)
    const intake = intakeOn(probe.room)
    const flood = (reporter: string, count: number): Batch => {
      const { logs, ...rest } = numbered(reporter, 1, seededRandom(1))
      const [first] = logs as [(typeof logs)[0]] // it has one
      return {
        ...rest,
        once: null,
        logs: Array.from({ length: count }, (_, i) => ({
          ...first,
          atMs: first.atMs + i,
          message: `flood ${i}`,
        })),
      }
    }
    for (const sent of [flood('loud', 1_200), flood('quiet', 200), flood(OPERATOR, 1_200)]) {
      await intake.take(sent)
      bounds.stored(sent)
    }
    await bounds.hold()
    const totalOf = async (agentId: string) =>
      (await server.ask('GET', `/api/logs?search=flood&agentId=${agentId}`)).body.total
    t.equal(await totalOf('loud'), 150)
    t.equal(await totalOf('quiet'), 200, 'few came: nobody looks yet')
    t.equal(await totalOf('%40operator'), 1_200)
    const { logs } = (await server.ask('GET', '/api/logs?agentId=loud&limit=1')).body
    t.equal(logs[0].message, 'flood 1199')
  })

  await t.test('what is older than it is kept is cleared out, and nothing else', async t => {
    const kept = { clientsMs: 1e9, logsMs: 1e9, pathsMs: 1e9, sumsMs: { '5min': 1e9, hour: 1e9, day: 1e9 } }
    const left = () =>
      probe.room.ask(async db => {
        const counts: number[] = []
        for (const table of ['report_clients', 'report_logs', 'report_traffic', 'report_keys'] as const)
          counts.push(
            (
              await db
                .selectFrom(table)
                .select(q => q.fn.countAll<number>().as('n'))
                .execute()
            )[0]?.n ?? 0,
          )
        return counts
      })
    const body = { agentId: 'fra-1', level: 'info', message: 'old' }
    await server.ask('POST', '/api/logs', { body, headers: { 'Idempotency-Key': 'old' } })
    const before = await left()
    t.ok(
      before.every(count => count > 0),
      before.join(' '),
    )
    t.equal(await prune(probe.room, kept, Date.now()), false)
    t.same(await left(), before)
    await prune(probe.room, kept, Date.now() + 2e9)
    t.same(await left(), [0, 0, 0, 0])
  })

  await t.test('a restart in between forgets nothing and repeats nothing', async t => {
    const before = await requestsOf(server, 'fra-1')
    const sent = [1, 2, 3].map(seq => batch(seq, { stream: 'restart', traffic: served(10 ** seq) }))
    const [first, second, third] = sent as [(typeof sent)[0], (typeof sent)[0], (typeof sent)[0]] // three
    await reporter.report(first)
    await reporter.report(third)
    await server.stop()
    server = await start({ dataDir })
    await reporter.enter(server.mesh, 'fra-1')
    for (const each of [first, second, third]) t.equal((await reporter.report(each)).outcome, 'stored')
    t.equal(await requestsOf(server, 'fra-1'), before + 1_110)
  })
})

function intakeOn(room: Room<ReportTables>): Intake {
  return intakeOver(room, { ...seededRandom(1), float: () => 1 })
}

/** Loses a question in five before it is asked, and an answer in five after it is durable. */
function intakeOver(room: Room<ReportTables>, random: Random): Intake {
  return new Intake({
    async write(batches) {
      if (random.float() < 0.2) throw new StoreUnavailable('lost on the way there')
      const verdicts = await room.transact(tx => writeBatches(tx, batches, Date.now()))
      if (random.float() < 0.2) throw new StoreUnavailable('lost on the way back')
      return verdicts
    },
    clock: systemClock,
    random,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    recordsPerMinute: 1_000_000,
    unrationed: '',
  })
}

function numbered(agentId: string, seq: number, random: Random): Batch {
  const atMs = Date.now()
  const traffic = Array.from({ length: pick(random, 3) }, (_, i) => ({
    agentId,
    atMs,
    resourceType: 'proxy' as const,
    resourceId: `p${i}`,
    inboundBytes: 1,
    outboundBytes: 1,
    requests: 1 + pick(random, 1_000),
    responseTimeMs: 1,
    errors: 0,
  }))
  const client = {
    agentId,
    atMs,
    ip: '192.0.2.1',
    userAgent: '',
    country: null,
    city: null,
    countryCode: null,
  }
  const log = { agentId, atMs, level: 'info' as const, message: `${seq}`, details: '', metadata: null }
  return {
    reporter: agentId,
    once: { by: 'seq', stream: 's', seq },
    dropped: 0,
    traffic,
    clients: [client],
    logs: [log],
  }
}
