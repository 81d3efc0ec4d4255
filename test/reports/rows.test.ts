/** What the agents' API promises, row by row, over real HTTP and over the session. */
import t from 'tap'
import { onEachDatabase } from '../support/rest-server.js'
import { batch, enrolled } from './session.js'

const OBJECT_ID = '507f1f77bcf86cd799439011'
const CLIENT = {
  ip: '185.142.123.45',
  agentId: OBJECT_ID,
  userAgent: 'Mozilla/5.0...',
  country: 'Germany',
  city: 'Berlin',
  countryCode: 'DE',
}
const STATISTIC = {
  agentId: OBJECT_ID,
  resourceType: 'proxy',
  resourceId: '507f191e810c19729de860ea',
  inboundBytes: 524_288_000,
  outboundBytes: 314_572_800,
  requests: 1_543,
  responseTimeMs: 145,
  errors: 3,
}
const LINE = {
  agentId: OBJECT_ID,
  level: 'error',
  message: 'Failed to connect to upstream',
  details: 'Connection timeout after 30s',
  metadata: { upstreamHost: '192.168.1.10', retries: 3 },
}
const EXAMPLES = { '/api/clients': CLIENT, '/api/statistics': STATISTIC, '/api/logs': LINE }

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

await onEachDatabase(t, async (t, start) => {
  const server = await start()
  const reporter = await enrolled(server, 'fra-1')
  await enrolled(server, 'fra-2')
  const token = await server.token('fra-1')
  const other = await server.token('fra-2')
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    server.ask('POST', path, { body, token, headers })
  const get = async (path: string) => (await server.ask('GET', path)).body

  await t.test('G-01: nothing is taken and nothing is told without a token', async t => {
    for (const [path, body] of Object.entries(EXAMPLES)) {
      t.equal((await server.ask('POST', path, { body, token: null })).status, 401)
      t.equal((await server.ask('POST', path, { body, token: '<session_token>' })).status, 401)
      t.equal((await server.ask('GET', path, { token: null })).status, 401)
    }
  })

  await t.test('G-01: an agent neither speaks for another that has enrolled, nor reads it', async t => {
    for (const [path, body] of Object.entries(EXAMPLES)) {
      const foreign = await post(path, { ...body, agentId: 'fra-2' })
      t.match(foreign, { status: 403, body: { code: 'not_yours' } })
      t.match(await server.ask('GET', `${path}?reporter=fra-2`, { token }), { status: 403 })
    }
    const own = { ...LINE, agentId: 'fra-2', message: 'of fra-2' }
    t.equal((await server.ask('POST', '/api/logs', { body: own, token: other })).status, 201)
    const search = '/api/logs?search=of%20fra-2'
    t.same((await server.ask('GET', search, { token })).body.logs, [])
    t.equal((await server.ask('GET', search, { token: other })).body.total, 1)
  })

  await t.test(
    'G-01: requests as a guide shows them, placeholders and all, are answered clearly',
    async t => {
      const agentId = 'MongoDB ObjectId'
      const guide = [
        ['/api/clients', { ...CLIENT, agentId }],
        ['/api/statistics', { ...STATISTIC, agentId, resourceId: 'MongoDB ObjectId прокси или домена' }],
        ['/api/logs', { ...LINE, agentId }],
      ] as const
      for (const [path, body] of guide) {
        const answer = await server.ask('POST', path, { body, token: '<session_token>' })
        t.match(answer, { status: 401, body: { error: { statusCode: 401, message: /Bearer/ } } })
        t.equal((await server.ask('POST', path, { body })).status, 201, 'names are free text')
      }
    },
  )

  await t.test('G-02: a client that is reported again is the same client, seen later', async t => {
    const earlier = { ...CLIENT, timestamp: Date.now() - 60_000 }
    const first = await post('/api/clients', earlier)
    t.match(first, { status: 201, body: { success: true, accepted: 1, skipped: 0, duplicate: false } })
    await post('/api/clients', { ...CLIENT, city: 'Potsdam' })
    await post('/api/clients', [
      { ...CLIENT, userAgent: 'curl/8' },
      { agentId: OBJECT_ID, ip: '2001:DB8:0::1' },
    ])
    const body = await get(`/api/clients?agentId=${OBJECT_ID}`)
    t.match(body, { total: 3, count: 3, next: null })
    const seen = body.clients.find((each: typeof CLIENT) => each.userAgent === CLIENT.userAgent)
    t.match(seen, { ...CLIENT, city: 'Potsdam', reporter: 'fra-1', reports: 2 })
    t.ok(Date.parse(seen.lastSeen) - Date.parse(seen.firstSeen) >= 60_000)
    t.ok(body.clients.some((each: typeof CLIENT) => each.ip === '2001:db8::1'))
  })

  await t.test('G-03: statistics are summed by resource, and one without requests is skipped', async t => {
    t.match(await post('/api/statistics', STATISTIC), { status: 201, body: { accepted: 1 } })
    const domain = { ...STATISTIC, resourceType: 'domain', requests: 457, totalResponseTime: 66_265 }
    const idle = { ...STATISTIC, resourceId: 'idle', requests: 0 }
    t.match(await post('/api/statistics', [{ ...domain, responseTimeMs: 345 }, idle]), {
      status: 201,
      body: { accepted: 1, skipped: 1 },
    })
    const { totals } = await get(`/api/statistics?timeRange=1h&agentId=${OBJECT_ID}`)
    t.match(totals, {
      inboundBytes: 2 * 524_288_000,
      outboundBytes: 2 * 314_572_800,
      requests: 2_000,
      errors: 6,
      agents: 1,
      resources: 2,
    })
    t.equal(Math.round(totals.responseTimeMs), Math.round((1_543 * 145 + 457 * 345) / 2_000))
  })

  await t.test('G-04: log lines are taken one by one, and up to a hundred at once', async t => {
    t.match(await post('/api/logs', LINE), { status: 201, body: { accepted: 1 } })
    const lines = Array.from({ length: 100 }, (_, i) => ({
      ...LINE,
      level: i % 2 === 0 ? 'info' : 'warning',
      message: `line ${i}`,
      details: '',
      metadata: {},
    }))
    t.match(await post('/api/logs', lines), { status: 201, body: { accepted: 100 } })
    t.equal((await post('/api/logs', [...lines, LINE])).status, 400)
    const body = await get(`/api/logs?agentId=${OBJECT_ID}&level=error`)
    t.match(body, { total: 1, counts: { info: 50, warning: 50, error: 1, total: 101 }, logs: [LINE] })
  })

  await t.test('G-05: the status says whether a retry is of use, and a retry counts once', async t => {
    t.equal((await post('/api/logs', { ...LINE, level: 'fatal' })).status, 400)
    t.equal((await post('/api/logs', '{"agentId":')).status, 400)
    const key = { 'Idempotency-Key': 'a7f1' }
    t.match((await post('/api/logs', { ...LINE, message: 'once' }, key)).body, { duplicate: false })
    t.match((await post('/api/logs', { ...LINE, message: 'once' }, key)).body, { duplicate: true })
    t.equal((await post('/api/logs', { ...LINE, message: 'else' }, key)).status, 422)
    t.equal((await post('/api/logs', LINE, { 'Idempotency-Key': 'a b' })).status, 400)
    t.equal((await get('/api/logs?search=once')).total, 1)
    const numbered = { ...LINE, message: 'numbered', stream: 'script', seq: 1 }
    t.match((await post('/api/logs', numbered)).body, { duplicate: false })
    t.match((await post('/api/logs', numbered)).body, { duplicate: true })
    t.match((await post('/api/logs', { ...numbered, seq: 2 })).body, { duplicate: false })
    t.equal((await get('/api/logs?search=numbered')).total, 2)
    t.equal((await post('/api/logs', [numbered])).status, 400)
    t.equal((await post('/api/logs', { ...LINE, seq: 2 })).status, 400)
  })

  await t.test('G-10: clients are listed a page at a time, with how many there are', async t => {
    const seen = ['DE', 'FR', 'FR', 'NL'].map((countryCode, i) => ({
      agentId: 'pages',
      ip: `192.0.2.${i + 1}`,
      countryCode,
      timestamp: Date.now() - i * 480_000,
    }))
    await post('/api/clients', seen)
    const first = await get('/api/clients?agentId=pages&limit=3')
    t.match(first, {
      count: 3,
      total: 4,
      clients: [{ ip: '192.0.2.1' }, { ip: '192.0.2.2' }, { ip: '192.0.2.3' }],
    })
    t.same(first.stats, { totalClients: 4, activeConnections: 2, uniqueCountries: 3 })
    const second = await get(`/api/clients?agentId=pages&limit=3&after=${first.next}`)
    t.match(second, { clients: [{ ip: '192.0.2.4' }], next: null })
    const oldest = await get('/api/clients?agentId=pages&sort=lastSeen&limit=1')
    t.match(oldest.clients, [{ ip: '192.0.2.4' }])
    for (const forged of [
      'nonsense',
      ...[
        [1e300, '1'],
        ['x', '1'],
        [1, 'y'],
      ].map(base64url),
    ])
      t.equal((await server.ask('GET', `/api/clients?after=${forged}`)).status, 400)
  })

  await t.test('G-11: statistics of every range come with types, agents and a series', async t => {
    for (const timeRange of ['1h', '24h', '7d', '30d', '90d']) {
      const body = await get(`/api/statistics?timeRange=${timeRange}&agentId=${OBJECT_ID}`)
      t.match(body, {
        timeRange,
        totals: { requests: 2_000 },
        byType: { proxy: { requests: 1_543, responseTimeMs: 145 }, domain: { requests: 457 } },
        topAgents: [{ agentId: OBJECT_ID, reporter: 'fra-1', requests: 2_000 }],
      })
      t.type(body.uptime, 'number')
      const sum = body.timeSeries.reduce(
        (all: number, point: { requests: number }) => all + point.requests,
        0,
      )
      t.equal(sum, 2_000, `the series of ${timeRange} adds up`)
    }
    t.equal((await server.ask('GET', '/api/statistics?timeRange=2y')).status, 400)
    const ranked = Array.from({ length: 12 }, (_, i) => ({
      ...STATISTIC,
      agentId: `rank-${i}`,
      inboundBytes: i * 1e9,
    }))
    await post('/api/statistics', ranked)
    const { topAgents } = await get('/api/statistics')
    t.equal(topAgents.length, 10)
    t.equal(topAgents[0].agentId, 'rank-11')
  })

  await t.test('G-11: log lines are found by what they say, whatever signs it has', async t => {
    const messages = ['100% of it', '100 of it', 'a_b', 'aXb', 'a\\b', "it's; drop table"]
    for (const message of messages)
      await post('/api/logs', { ...LINE, agentId: 'search', message, details: '' })
    const found = async (search: string) => {
      const { logs } = await get(`/api/logs?agentId=search&search=${encodeURIComponent(search)}`)
      return logs.map(({ message }: { message: string }) => message)
    }
    t.same(await found('100%'), ['100% of it'])
    t.same(await found('A_B'), ['a_b'])
    t.same(await found('\\'), ['a\\b'])
    t.same(await found("it's;"), ["it's; drop table"])
  })

  await t.test('G-12: what was not answered comes again and counts once', async t => {
    const numbered = batch(1, {
      stream: 'unanswered',
      logs: [[Date.now(), 'info', 'unanswered', null, null]],
    })
    t.equal((await reporter.report(numbered)).outcome, 'stored')
    t.equal((await reporter.report(numbered)).outcome, 'stored')
    t.equal((await get('/api/logs?search=unanswered')).total, 1)
  })

  await t.test('G-13: the session reports the same, in batches with numbers', async t => {
    const now = Date.now()
    const answer = await reporter.report(
      batch(1, {
        clients: [
          [now, '185.142.123.46', 'curl/8', 'Germany', 'Berlin', 'DE'],
          [now, 'nobody', null, null, null, null],
        ],
        traffic: [
          [now - 300_000, now, 'proxy', 'p1', 100, 200, 10, 50, 1],
          [now - 300_000, now, 'proxy', 'p2', 100, 200, 0, 0, 0],
        ],
        logs: [[now, 'error', 'over the session', 'in full', '{"a":1}']],
      }),
    )
    t.match(answer, { stream: 'spool-1', seq: 1, outcome: 'stored' })
    const { clients } = await get('/api/clients?agentId=fra-1')
    t.match(clients, [{ ip: '185.142.123.46', agentId: 'fra-1', reporter: 'fra-1' }])
    const { totals } = await get('/api/statistics?agentId=fra-1')
    t.match(totals, { requests: 10, inboundBytes: 100, resources: 1 })
    const { logs } = await get('/api/logs?search=over%20the%20session')
    t.match(logs, [{ metadata: { a: 1 }, details: 'in full' }])
  })

  await t.test('times are within a day of now, whatever the agent says', async t => {
    const hourMs = 3_600_000
    const times = [0, Date.now() + 1_000 * hourMs, '2019-01-01T00:00:00Z', Date.now() - hourMs]
    const lines = times.map((timestamp, i) => ({ ...LINE, agentId: 'times', message: `${i}`, timestamp }))
    await post('/api/logs', lines)
    const { logs } = await get('/api/logs?agentId=times')
    const ages = logs.map(({ timestamp }: { timestamp: string }) =>
      Math.round((Date.now() - Date.parse(timestamp)) / hourMs),
    )
    t.same(ages, [-24, 1, 24, 24])
  })

  await t.test('what a database does not take is put right, and what is no record is refused', async t => {
    const odd = { ...LINE, agentId: 'odd', message: 'a\0b\ud800c', metadata: { '\0': '\ud800' } }
    t.equal((await post('/api/logs', odd)).status, 201)
    t.equal((await get('/api/logs?agentId=odd')).logs[0].message, 'a\uFFFDb\uFFFDc')
    const deep = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`
    const wrong: readonly (readonly [string, unknown])[] = [
      ['/api/logs', []],
      ['/api/logs', 'null'],
      ['/api/logs', '[[[[[[[[[[[[[[[[[[[['],
      ['/api/logs', JSON.stringify(LINE).replace('{"upstreamHost":"192.168.1.10","retries":3}', deep)],
      ['/api/clients', { ...CLIENT, ip: '300.1.1.1' }],
      ['/api/clients', { ...CLIENT, countryCode: 'Germany' }],
      ['/api/clients', { ...CLIENT, agentId: 'a\nb' }],
      ['/api/statistics', { ...STATISTIC, requests: -1 }],
      ['/api/statistics', { ...STATISTIC, inboundBytes: 1e300 }],
      ['/api/statistics', { ...STATISTIC, resourceType: 'peer' }],
    ]
    for (const [path, body] of wrong) {
      const answer = await post(path, body)
      t.equal(answer.status, 400, JSON.stringify(body).slice(0, 60))
      t.match(answer.body, { error: { statusCode: 400, message: /wanted|JSON|body/ } })
    }
    const { detail } = (await post('/api/clients', [{ ...CLIENT, ip: 'x' }])).body
    t.match(detail, /0\.ip: wanted an IP address/)
  })
})
