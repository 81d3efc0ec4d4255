/** A database that goes away and comes back: nothing is lost, and nothing is counted twice. */
import t from 'tap'
import { startPostgres } from '../parts/postgres.js'
import { restServer } from '../support/rest-server.js'
import { until } from '../support/until.js'
import { batch, enrolled } from './session.js'

const postgres = await startPostgres(t)
if ('missing' in postgres) t.pass(`PostgreSQL: ${postgres.missing}`, { skip: true })
else
  await t.test('G-13: without a database reports are told to come later, and then count once', async t => {
    const server = await restServer(t, { databaseUrl: await postgres.schema() })
    const reporter = await enrolled(server, 'fra-1')
    const token = await server.token('fra-1')
    const sent = batch(1, { logs: [[Date.now(), 'info', 'while it is away', null, null]] })
    const post = () => {
      const body = { agentId: 'fra-1', level: 'info', message: 'while it is away', stream: 'http', seq: 1 }
      return server.ask('POST', '/api/logs', { token, body })
    }
    await postgres.stop()
    const told = await reporter.report(sent)
    t.equal(told.outcome, 'later')
    t.ok((told.retryAfterMs ?? 0) >= 5_000)
    const answer = await post()
    t.match(answer, { status: 503, body: { error: { statusCode: 503 } } })
    t.ok(Number(answer.headers.get('retry-after')) >= 5)
    t.equal((await server.ask('GET', '/api/logs')).status, 503)

    await postgres.start()
    await until('it is stored', async () => (await reporter.report(sent)).outcome === 'stored')
    await until('it is stored over HTTP', async () => (await post()).status === 201)
    t.equal((await reporter.report(sent)).outcome, 'stored')
    t.match(await post(), { status: 201, body: { duplicate: true } })
    t.equal((await server.ask('GET', '/api/logs')).body.total, 2)
  })
