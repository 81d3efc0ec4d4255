/** How often one may ask, by address and by identity. */
import t from 'tap'
import { httpNode } from '../rest/agents.js'
import { restServer } from '../support/rest-server.js'

t.test('B-121: the limit of the first BosonServer, as it was spelled, is that of an address', async t => {
  const server = await restServer(t, {
    env: { BOSON_HTTP_PER_MINUTE: '', RATE_LIMIT_MAX_REQUESTS: '5', RATE_LIMIT_WINDOW_MS: '900000' },
  })
  for (let asked = 0; asked < 5; asked++)
    t.equal((await server.ask('GET', '/health/live', { token: null })).status, 200)
  const { status, headers, body } = await server.ask('GET', '/health/live', { token: null })
  t.equal(status, 429)
  t.ok(Number(headers.get('retry-after')) > 60, 'one more every three minutes')
  t.match(body, { code: 'too_many_requests', error: { message: /too many requests/, statusCode: 429 } })
  t.equal((await server.ask('GET', '/api/v1/status')).status, 200, 'the operator is not meant')
})

t.test('B-124: nodes behind one address have an allowance each, strangers one together', async t => {
  const server = await restServer(t, {
    env: { BOSON_HTTP_PER_MINUTE: '1', BOSON_HTTP_BURST: '4', BOSON_HTTP_PER_MINUTE_PER_IDENTITY: '30' },
  })
  const [one, other] = [await httpNode(server, 'fra-1'), await httpNode(server, 'fra-2')]
  const beat = ({ id, token }: { id: string; token: string }) =>
    server.ask('POST', `/api/v1/nodes/${id}/heartbeat`, { body: {}, token })
  // A token that is not known yet is looked at: of the four, two were spent on registering.
  for (let asked = 0; asked < 2; asked++)
    t.equal((await server.ask('GET', '/health/live', { token: 'nobody-knows-this-token' })).status, 200)
  t.equal((await server.ask('GET', '/health/live', { token: null })).status, 429, 'strangers have used it up')
  t.equal((await beat(one)).status, 200, 'who is known goes on')

  const statuses: number[] = []
  for (let asked = 0; asked < 12; asked++) statuses.push((await beat(one)).status)
  t.same(new Set(statuses), new Set([200, 429]), 'its own allowance ends')
  t.equal((await beat(other)).status, 200, 'its neighbour has not noticed')
})

t.test(
  'B-124: behind a trusted proxy each address that it names has its own, behind any other nobody has',
  async t => {
    const limits = { BOSON_HTTP_PER_MINUTE: '1', BOSON_HTTP_BURST: '2' }
    const through = (server: Awaited<ReturnType<typeof restServer>>, address: string) =>
      server
        .ask('GET', '/health/live', { token: null, headers: { 'x-forwarded-for': address } })
        .then(({ status }) => status)
    const trusting = await restServer(t, { env: { ...limits, BOSON_TRUSTED_PROXIES: '127.0.0.1' } })
    t.same([await through(trusting, '203.0.113.1'), await through(trusting, '203.0.113.1')], [200, 200])
    t.equal(await through(trusting, '203.0.113.1'), 429)
    t.equal(await through(trusting, '203.0.113.2'), 200)

    const wary = await restServer(t, { env: limits })
    for (const address of ['203.0.113.1', '203.0.113.2']) t.equal(await through(wary, address), 200)
    t.equal(await through(wary, '203.0.113.3'), 429, 'inventing addresses gains nothing')
  },
)
