/** When reports are sent, and what becomes of those that are not taken. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { httpCarrier } from '../../../src/agent/reports/http-carrier.js'
import { type Outcome, Reporter, type ReporterOptions } from '../../../src/agent/reports/reporter.js'
import type { Batch } from '../../../src/agent/reports/spool.js'
import { seededRandom } from '../../../src/kit/random.js'
import { SimulatedClock } from '../../support/simulated-clock.js'

const STORED: Outcome = { outcome: 'stored' }
const LATER: Outcome = { outcome: 'later', reason: 'not connected' }

function begin(options: Partial<ReporterOptions> = {}) {
  const clock = new SimulatedClock()
  const sent: { readonly atMs: number; readonly batch: Batch }[] = []
  const answers: Outcome[] = []
  const faults: string[] = []
  const reporter = new Reporter({
    clock,
    random: seededRandom(1),
    carrier: async batch => {
      sent.push({ atMs: clock.now(), batch })
      return answers.shift() ?? STORED
    },
    fault: (_, error) => faults.push(error instanceof Error ? error.message : String(error)),
    ...options,
  })
  const words = () => sent.flatMap(({ batch }) => batch.logs.map(row => row[2]))
  return { clock, reporter, sent, answers, faults, words }
}

t.test('an error leaves at once, other lines in a batch after half a minute', async t => {
  const { clock, reporter, sent, words } = begin()
  reporter.log({ level: 'info', message: 'a new connection' })
  reporter.log({ level: 'warning', message: 'CPU above 80 %' })
  await clock.run(29_000)
  t.same(words(), [])
  await clock.run(2_000)
  t.same(words(), ['a new connection', 'CPU above 80 %'])
  t.equal(sent.length, 1, 'in one batch')
  reporter.log({ level: 'error', message: 'upstream failed' })
  await clock.run(1)
  t.same(words().at(-1), 'upstream failed')
})

t.test('a hundred lines wait for nothing', async t => {
  const { clock, reporter, sent } = begin()
  for (let i = 0; i < 100; i++) reporter.log({ level: 'info', message: `line ${i}` })
  await clock.run(1)
  t.equal(sent[0]?.batch.logs.length, 100)
})

t.test(
  'traffic is counted by resource and reported every five minutes, without those that had no request',
  async t => {
    const { clock, reporter, sent } = begin()
    reporter.traffic('proxy', 'p-1', { inboundBytes: 100, requests: 1, responseTimeMs: 10 })
    reporter.traffic('proxy', 'p-1', { inboundBytes: 50, outboundBytes: 7, requests: 1, responseTimeMs: 30 })
    reporter.traffic('domain', 'd-1', { inboundBytes: 9 })
    await clock.run(299_000)
    t.same(sent, [])
    await clock.run(3_000)
    t.match(sent[0]?.batch.traffic, [[clock.wallMs() - 302_000, Number, 'proxy', 'p-1', 150, 7, 2, 20, 0]])
    t.equal(sent[0]?.batch.traffic.length, 1)
    reporter.traffic('domain', 'd-1', { requests: 1 })
    await clock.run(302_000)
    t.match(
      sent.at(-1)?.batch.traffic,
      [[Number, Number, 'domain', 'd-1', 9, 0, 1, 0, 0]],
      'and loses no byte',
    )
  },
)

t.test('what is not taken is tried again after 1, 2 and 4 s, then at the usual times', async t => {
  const { clock, reporter, sent, answers } = begin()
  answers.push(LATER, LATER, LATER, LATER, LATER)
  reporter.log({ level: 'error', message: 'once' })
  await clock.run(8_000)
  t.same(
    sent.map(({ atMs }) => Math.round(atMs / 1_000)),
    [0, 1, 3, 7],
  )
  await clock.run(70_000)
  t.ok(sent.length <= 6)
  await clock.run(120_000)
  t.same(new Set(sent.map(({ batch }) => batch.seq)), new Set([1]), 'it is the same batch each time')
  t.equal(reporter.status().waiting, 0)
})

t.test('a coordinator that is back is told at once', async t => {
  const { clock, reporter, sent, answers } = begin()
  answers.push(LATER, LATER, LATER, LATER)
  reporter.log({ level: 'error', message: 'once' })
  await clock.run(10_000)
  reporter.resume()
  await clock.run(1)
  t.equal(sent.length, 5)
  t.equal(reporter.status().waiting, 0)
})

t.test('a batch that is refused is dropped, counted and spoken of', async t => {
  const { clock, reporter, answers, faults } = begin()
  answers.push({ outcome: 'refused', reason: 'nobody takes reports' })
  reporter.log({ level: 'error', message: 'once' })
  await clock.run(10)
  t.match(reporter.status(), { waiting: 0, dropped: 1 })
  t.match(faults, ['a batch was refused: nobody takes reports'])
})

t.test('over HTTP each record goes to its page, with a key of its own and the agent’s name', async t => {
  const requests: { path: string; key: string; token: string; body: Record<string, unknown>[] }[] = []
  const statuses: number[] = []
  const server = createServer((request, response) => {
    const { url = '', headers } = request
    void request.toArray().then(pieces => {
      const body = JSON.parse(Buffer.concat(pieces).toString()) as Record<string, unknown>[]
      const [key, token] = [String(headers['idempotency-key']), String(headers.authorization)]
      requests.push({ path: url, key, token, body })
      response.writeHead(statuses.shift() ?? 201).end('{}')
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const carry = httpCarrier({
    apiEndpoint: `http://127.0.0.1:${port}/api/`,
    token: () => 'the-token',
    agentId: 'fra-1',
  })
  const batch: Batch = {
    stream: 's',
    seq: 4,
    clients: [[1_000, '192.0.2.1', 'curl', null, null, 'DE']],
    traffic: [[0, 1_000, 'proxy', 'p-1', 1, 2, 3, 4, 5]],
    logs: [[1_000, 'error', 'failed', 'after 30 s', '{"retries":3}']],
    dropped: 0,
  }
  t.same(await carry(batch), STORED)
  t.same(
    requests.map(({ path, key, token }) => [path, key, token]),
    [
      ['/api/clients', 's.4.clients', 'Bearer the-token'],
      ['/api/statistics', 's.4.statistics', 'Bearer the-token'],
      ['/api/logs', 's.4.logs', 'Bearer the-token'],
    ],
  )
  t.match(requests[0]?.body, [{ agentId: 'fra-1', ip: '192.0.2.1', userAgent: 'curl', countryCode: 'DE' }])
  t.match(requests[1]?.body, [{ resourceType: 'proxy', resourceId: 'p-1', inboundBytes: 1, requests: 3 }])
  t.match(requests[2]?.body, [{ level: 'error', details: 'after 30 s', metadata: { retries: 3 } }])

  statuses.push(201, 503)
  t.match(await carry(batch), { outcome: 'later', reason: 'HTTP status 503' })
  statuses.push(400)
  t.match(await carry(batch), { outcome: 'refused', reason: 'HTTP status 400' })
  server.close()
  server.closeAllConnections()
  t.match(await carry(batch), { outcome: 'later' })
})
