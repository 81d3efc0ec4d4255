/** Agents of ours and what they report, against the real coordinator. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { httpCarrier, MeshClient, MeshNode, Reporter } from '../../src/agent/index.js'
import { observe } from '../../src/agent/reports/observer.js'
import { readNodeSettings } from '../../src/app/agent-settings.js'
import { reportOptions } from '../../src/app/reporting.js'
import { systemClock } from '../../src/kit/clock.js'
import { systemRandom } from '../../src/kit/random.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { onEachDatabase, OPERATOR, type RestServer } from '../support/rest-server.js'
import { shortFolder } from '../support/short-folder.js'
import { until } from '../support/until.js'

interface Line {
  readonly level: string
  readonly message: string
}
const linesOf = async (server: RestServer, agentId: string): Promise<readonly Line[]> =>
  (await server.ask('GET', `/api/logs?agentId=${agentId}&limit=100`)).body.logs

await onEachDatabase(t, async (t, start) => {
  const dataDir = shortFolder()
  let server = await start({ dataDir })
  const credential = await server.enrolmentKey()
  const nodeOf = (id: string, privateKey: Uint8Array, path?: string) =>
    new MeshNode({
      url: `ws://127.0.0.1:${server.port}`,
      id,
      privateKey,
      credential,
      ...(path !== undefined && { reports: { path } }),
    })

  await t.test(
    'G-06: what an agent could not send waits on disk over its restart and the server’s, and counts once',
    async t => {
      const { privateKey } = newKeyPair()
      const path = join(t.testdir(), 'spool')
      const first = nodeOf('keeper', privateKey, path)
      await first.start()
      first.reports.log({ level: 'error', message: 'before' })
      await until('it is counted', async () => (await linesOf(server, 'keeper')).length === 1)
      await server.stop()
      first.reports.log({ level: 'error', message: 'while it is away' })
      first.reports.traffic('proxy', 'p-1', { inboundBytes: 7, requests: 2 })
      await first.stop({ leave: false })

      server = await start({ dataDir })
      const second = nodeOf('keeper', privateKey, path)
      t.teardown(() => second.stop())
      t.equal(second.reports.status().waiting, 2)
      await second.start()
      await until('all of it is counted', () => second.reports.status().waiting === 0)
      t.same((await linesOf(server, 'keeper')).map(({ message }) => message).sort(), [
        'before',
        'while it is away',
      ])
      t.match((await server.ask('GET', '/api/statistics?agentId=keeper')).body.totals, {
        requests: 2,
        inboundBytes: 7,
      })
    },
  )

  await t.test('G-07: an agent is configured by the names that such agents have had', async t => {
    const folder = t.testdir()
    const file = join(folder, 'node.json')
    const configuration = {
      apiEndpoint: `${server.url}/api`,
      reportingIntervals: { statistics: 300_000, logs: 30_000 },
      batching: { maxLogsPerBatch: 100, maxRetries: 3 },
      localCache: { enabled: true, maxEntries: 10_000 },
    }
    writeFileSync(file, JSON.stringify({ server: server.url, id: 'by-http', reports: configuration }))
    const settings = readNodeSettings({ flags: {}, env: { BOSON_REPORTS_TOKEN: OPERATOR }, file })
    const options = reportOptions(folder, settings)
    t.match(options, { path: join(folder, 'reports', 'spool'), batching: { maxLogsPerBatch: 100 } })
    const carrier = options?.carrier
    if (carrier === undefined) return t.fail('an apiEndpoint is reported to over HTTP')
    const reporter = new Reporter({
      ...options,
      carrier,
      clock: systemClock,
      random: systemRandom,
      fault: (_, error) => t.fail(String(error)),
    })
    t.teardown(() => reporter.stop())
    reporter.client({ ip: '185.142.123.45', country: 'Germany', city: 'Berlin', countryCode: 'DE' })
    reporter.traffic('domain', 'shop.example', { inboundBytes: 100, requests: 4, responseTimeMs: 40 })
    reporter.log({ level: 'error', message: 'over HTTP', metadata: { retries: 3 } })
    await reporter.flush()
    t.match(reporter.status(), { waiting: 0, dropped: 0, last: { outcome: 'stored' } })
    t.match(await linesOf(server, 'by-http'), [{ level: 'error', message: 'over HTTP' }])
    t.match((await server.ask('GET', '/api/clients?agentId=by-http')).body, { stats: { totalClients: 1 } })
    t.match((await server.ask('GET', '/api/statistics?agentId=by-http')).body.totals, {
      requests: 4,
      inboundBytes: 100,
    })
    t.throws(() => readNodeSettings({ flags: { reports: '{"batchSize":9}' }, env: {} }), /reports/)
  })

  await t.test(
    'G-05: a batch that comes again over HTTP, because its answer was lost, counts once',
    async t => {
      let losses = 1
      const lossy: typeof fetch = async (...request) => {
        const answer = await fetch(...request)
        if (losses-- > 0) throw new TypeError('the connection was reset')
        return answer
      }
      const carrier = httpCarrier({
        apiEndpoint: `${server.url}/api`,
        token: () => OPERATOR,
        agentId: 'lossy',
        fetch: lossy,
      })
      const reporter = new Reporter({
        clock: systemClock,
        random: systemRandom,
        carrier,
        fault: (_, error) => t.fail(String(error)),
      })
      t.teardown(() => reporter.stop())
      reporter.log({ level: 'error', message: 'once' })
      await until('it was tried again', () => reporter.status().last?.outcome === 'stored')
      t.equal((await linesOf(server, 'lossy')).length, 1)
    },
  )

  await t.test(
    'G-08, G-09: what happens at a node arrives by level: connections, load, lost contact, failures',
    async t => {
      const node = nodeOf('eventful', newKeyPair().privateKey)
      t.teardown(() => node.stop())
      const stop = observe({
        node,
        gauges: () => ({ cpuTotalPct: 95, memTotalMb: 1_000, memFreeMb: 900 }),
        clock: systemClock,
      })
      await node.start()
      const client = new MeshClient({
        url: `ws://127.0.0.1:${server.port}`,
        id: 'anna',
        privateKey: newKeyPair().privateKey,
        credential,
      })
      t.teardown(() => client.stop())
      await client.start()
      await client.route({ target: 'eventful' })
      await until('the node has its client', () => node.status().links.length === 1)
      stop() // looks once more
      await node.reports.flush()
      const lines = await until('they are there', async () => {
        const found = await linesOf(server, 'eventful')
        return found.length >= 3 ? found : undefined
      })
      const of = (level: string) => lines.filter(line => line.level === level).map(({ message }) => message)
      t.ok(of('info').includes('connected to the coordinator'))
      t.ok(of('info').includes('new connection'))
      t.same(of('warning'), ['CPU above 80 %'])
      t.match((await server.ask('GET', '/api/clients?agentId=eventful')).body, { stats: { totalClients: 1 } })
    },
  )
})
