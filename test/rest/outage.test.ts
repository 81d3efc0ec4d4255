/** The database goes away and comes back under the pages that need it: nothing that was acknowledged is lost. */
import t from 'tap'
import { startPostgres } from '../parts/postgres.js'
import { restServer } from '../support/rest-server.js'
import { until } from '../support/until.js'
import { httpNode } from './agents.js'

const postgres = await startPostgres(t)
if ('missing' in postgres) {
  t.test(`PostgreSQL: ${postgres.missing}`, { skip: true }, async () => {})
} else {
  t.test('H-15: what is acknowledged is kept, and what cannot be kept is a 503', async t => {
    const server = await restServer(t, { databaseUrl: await postgres.schema() })
    const node = await httpNode(server, 'fra-1')
    let sent = 0
    const acknowledged: number[] = []
    const beat = async () => {
      const body = { server_id: 'fra-1', generated_at: '2024-01-15T10:30:00Z', uptime_s: sent++ }
      const answer = await server.ask('POST', '/heartbeat', { body })
      if (answer.status === 200) acknowledged.push(answer.body.heartbeat_id)
      return answer
    }
    const order = await server.ask('POST', '/api/v1/nodes/fra-1/jobs', { body: { type: 'restart' } })
    await Promise.all(Array.from({ length: 20 }, beat))
    t.equal(acknowledged.length, 20)

    const crowd = Promise.all(Array.from({ length: 200 }, beat))
    await postgres.stop()
    const answers = await crowd
    t.ok(answers.every(({ status }) => status === 200 || status === 503))
    const away = await until('it is away', async () => {
      const answer = await beat()
      return answer.status === 503 && answer
    })
    t.match(away, { body: { error: { statusCode: 503 } } })
    t.ok(away.headers.get('retry-after'))
    const metrics = { body: { nodeId: 'fra-1', metrics: { system: { cpuUsage: 1 } } } }
    t.equal((await server.ask('POST', '/api/v1/metrics', metrics)).status, 503)
    const heard = await server.ask('POST', '/api/v1/nodes/fra-1/heartbeat', { body: {}, token: node.token })
    t.match(heard, { status: 200, body: { actions: [] } }, 'nodes are heard meanwhile')

    await postgres.start()
    await until('it is back', async () => (await beat()).status === 200)
    const { heartbeats } = (await server.ask('GET', '/servers/fra-1/heartbeats?limit=1000')).body
    const kept = new Set(heartbeats.map(({ id }: { id: number }) => id))
    t.ok(acknowledged.every(id => kept.has(id)))
    const told = await until('the job is told', async () => {
      const { body } = await server.ask('POST', '/api/v1/nodes/fra-1/heartbeat', {
        body: {},
        token: node.token,
      })
      return body.actions.length > 0 && body.actions
    })
    t.match(told, [{ id: order.body.id, type: 'restart' }])
  })
}
