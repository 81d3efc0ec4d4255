import { connect } from 'node:net'
import t from 'tap'
import { until } from '../support/until.js'
import { serve, slow, TOKEN } from './serving.js'

t.test('a page answers with its charset, and HEAD with the same length and no body', async t => {
  const { get } = serve(t)
  const page = await get('/hello')
  t.equal(page.status, 200)
  t.equal(page.headers['content-type'], 'text/plain; charset=utf-8')
  t.equal(page.body, 'grüße')
  const head = await get('/hello', { method: 'HEAD' })
  t.equal(head.headers['content-length'], '7')
  t.equal(head.body, '')
})

t.test('what is not there is told as JSON', async t => {
  const { get } = serve(t)
  const missing = await get('/nothing/here')
  t.equal(missing.status, 404)
  t.equal(missing.headers['content-type'], 'application/problem+json; charset=utf-8')
  t.same(JSON.parse(missing.body), {
    type: 'about:blank',
    title: 'Not Found',
    status: 404,
    detail: 'no such page',
    code: 'not_found',
    error: { message: 'no such page', statusCode: 404 },
  })
  const wrong = await get('/hello', { method: 'DELETE' })
  t.equal(wrong.status, 405)
  t.equal(wrong.headers.allow, 'GET, HEAD')
  t.equal((await get('/mesh')).status, 404)
})

t.test('pages behind the token', async t => {
  const { get } = serve(t)
  const table: readonly (readonly [string | null, number])[] = [
    [null, 401],
    ['Bearer wrong', 401],
    [`Basic ${TOKEN}`, 401],
    [`Bearer ${TOKEN}x`, 401],
    ['Bearer ', 401],
    [`Bearer ${TOKEN}`, 200],
    [`bearer ${TOKEN}`, 200],
  ]
  for (const [authorization, status] of table) {
    const answer = await get('/secret', { headers: authorization === null ? {} : { authorization } })
    t.equal(answer.status, status, String(authorization))
    if (status === 401) t.match(answer.headers['www-authenticate'], 'Bearer')
  }
})

t.test('pages of this machine: a caller that came through a proxy is not on it', async t => {
  const { get } = serve(t)
  t.equal((await get('/local')).status, 200)
  t.equal((await get('/local', { headers: { 'x-forwarded-for': '127.0.0.1' } })).status, 401)
  const through = { 'x-forwarded-for': '203.0.113.9', authorization: `Bearer ${TOKEN}` }
  t.equal((await get('/local', { headers: through })).status, 200)
})

t.test('forwarded headers count only from a trusted proxy', async t => {
  const plain = serve(t)
  const forwarded = { headers: { 'x-forwarded-for': '203.0.113.9' } }
  t.equal((await plain.get('/who', forwarded)).body, '127.0.0.1')
  const trusting = serve(t, {}, { trustedProxies: ['127.0.0.0/8'] })
  t.equal((await trusting.get('/who', forwarded)).body, '203.0.113.9')
})

t.test('a body arrives whole, up to its bound', async t => {
  const { get } = serve(t)
  const post = (body: string) => get('/sum', { method: 'POST', body })
  const numbers = Array.from({ length: 12_000 }, () => 1)
  t.same(JSON.parse((await post(JSON.stringify({ numbers }))).body), { sum: 12_000 })
  t.equal((await post('x'.repeat(65_537))).status, 413)
  t.match(JSON.parse((await post('{"numbers":')).body), {
    error: { message: 'the body is not JSON', statusCode: 400 },
  })
  t.match(JSON.parse((await post('{"numbers":["one"]}')).body).error.message, 'numbers.0:')
  const chunked = await get('/sum', {
    method: 'POST',
    body: 'x'.repeat(70_000),
    headers: { 'transfer-encoding': 'chunked' },
  })
  t.equal(chunked.status, 413)
})

t.test('a fault of ours is logged, and its caller learns nothing of it', async t => {
  const { get, faults } = serve(t)
  const answer = await get('/broken')
  t.match(JSON.parse(answer.body), {
    detail: 'internal error',
    error: { message: 'internal error', statusCode: 500 },
  })
  t.notMatch(answer.body, 'hunter2')
  t.match(faults[0], { message: 'the password is hunter2' })
})

t.test('an address without a token may ask so often; one with a token as it likes', async t => {
  const { get } = serve(t, {}, { perMinute: 9 })
  const statuses = []
  for (let i = 0; i < 5; i++) statuses.push((await get('/hello')).status)
  t.same(statuses, [200, 200, 200, 429, 429])
  const refused = await get('/hello')
  t.ok(Number(refused.headers['retry-after']) >= 1)
  t.equal((await get('/hello', { headers: { authorization: `Bearer ${TOKEN}` } })).status, 200)
  t.equal(
    (await get('/secret', { headers: { authorization: 'Bearer guess' } })).status,
    429,
    'guessing is bounded',
  )
})

t.test('only listed web pages may read answers', async t => {
  const { get } = serve(t, {}, { cors: ['https://panel.example'] })
  const ask = (origin: string, method = 'GET') => get('/hello', { method, headers: { origin } })
  t.equal(
    (await ask('https://panel.example')).headers['access-control-allow-origin'],
    'https://panel.example',
  )
  t.equal((await ask('https://evil.example')).headers['access-control-allow-origin'], undefined)
  const preflight = await ask('https://panel.example', 'OPTIONS')
  t.equal(preflight.status, 204)
  t.equal(preflight.headers['content-length'], undefined, 'who keeps connections would wait for a body')
  t.equal(preflight.headers['access-control-allow-methods'], 'GET, HEAD')
})

t.test('every answer is counted by the pattern of its route', async t => {
  const { get, requests } = serve(t)
  await get('/things/one')
  await get('/things/two')
  await get('/no/such')
  await get('/broken')
  await get('/hello', { method: 'PROPFIND' })
  t.same(
    requests.map(({ method, endpoint, status, fault }) => [method, endpoint, status, fault]),
    [
      ['GET', '/things/{id}', 200, null],
      ['GET', '/things/{id}', 200, null],
      ['GET', 'unmatched', 404, 'not_found'],
      ['GET', '/broken', 500, 'internal'],
      ['OTHER', 'unmatched', 405, 'method_not_allowed'],
    ],
  )
})

t.test('a caller that leaves early does no harm', async t => {
  const { url, get } = serve(t)
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
  await until('the request waits', () => slow.length === 1)
  socket.destroy()
  await new Promise(resolve => socket.once('close', resolve))
  await get('/hello')
  slow.splice(0).forEach(resolve => resolve())
  t.equal((await get('/hello')).status, 200)
})
