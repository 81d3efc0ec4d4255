/** Bytes by identity and by pair, over real HTTP. */
import t from 'tap'
import type { WireOf } from '../../src/protocol/messages.js'
import { onEachDatabase, type RestServer } from '../support/rest-server.js'
import { shortFolder } from '../support/short-folder.js'
import { until } from '../support/until.js'
import { Reporter } from './session.js'

const EVERY_100_MS = { BOSON_TRAFFIC_EVERY_MS: '100', BOSON_SNAPSHOT_EVERY_MS: '50' }

const bytes = (relayed: number, turned: number, direct: number) => ({
  timestamp: null,
  bytes: relayed + turned + direct,
  relayedBytes: relayed,
  turnedBytes: turned,
  directBytes: direct,
})

await onEachDatabase(t, async (t, start) => {
  const dataDir = shortFolder()
  let server = await start({ dataDir, env: EVERY_100_MS })
  const key = await server.enrolmentKey()
  const node = new Reporter()
  const alice = new Reporter('client')
  const bob = new Reporter('client')
  await node.enter(server.mesh, 'fra-1', key)
  await alice.enter(server.mesh, 'alice', key)
  await bob.enter(server.mesh, 'bob', key)
  const rowsOf = async (query: string) => (await server.ask('GET', `/api/v1/traffic?${query}`)).body.traffic
  const report = (end: Reporter, link: number, figures: Partial<WireOf<'path.report'>>) =>
    end.tell({ type: 'path.report', link, sentBytes: 0, receivedBytes: 0, ...figures })

  await t.test('who sent and received how much, by which tier', async t => {
    const [one, other] = [await routed(alice), await routed(bob)]
    report(alice, one, { sentBytes: 1_000, receivedBytes: 300, directSentBytes: 600 })
    report(bob, other, { sentBytes: 50, receivedBytes: 40, turnedReceivedBytes: 40 })
    await until('all of it is accounted for', async () => (await totalOf(server)) === 1_390)
    t.same(await rowsOf('by=identity'), [
      { identity: 'fra-1', sentBytes: 340, receivedBytes: 1_050, ...bytes(750, 40, 600) },
      { identity: 'alice', sentBytes: 1_000, receivedBytes: 300, ...bytes(700, 0, 600) },
      { identity: 'bob', sentBytes: 50, receivedBytes: 40, ...bytes(50, 40, 0) },
    ])
    t.same(await rowsOf('by=pair'), [
      { clientId: 'alice', nodeId: 'fra-1', toNodeBytes: 1_000, toClientBytes: 300, ...bytes(700, 0, 600) },
      { clientId: 'bob', nodeId: 'fra-1', toNodeBytes: 50, toClientBytes: 40, ...bytes(50, 40, 0) },
    ])
    t.match(await rowsOf('by=pair&identity=bob'), [{ clientId: 'bob' }])
    t.match(await rowsOf('by=identity&identity=bob'), [{ identity: 'bob' }])
  })

  await t.test('by the hour and by the day, within what is asked for', async t => {
    for (const [interval, widthMs] of [
      ['hour', 3_600_000],
      ['day', 86_400_000],
    ] as const) {
      const rows = await rowsOf(`by=pair&identity=alice&interval=${interval}`)
      t.equal(
        rows.reduce((all: number, row: { bytes: number }) => all + row.bytes, 0),
        1_300,
      )
      for (const { timestamp } of rows) t.equal(Date.parse(timestamp) % widthMs, 0)
    }
    t.same(await rowsOf('from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z'), [])
    t.equal(
      (await server.ask('GET', '/api/v1/traffic?from=2020-01-02T00:00:00Z&to=2020-01-01T00:00:00Z')).status,
      400,
    )
  })

  await t.test('in any order, a page at a time', async t => {
    for (const sort of ['bytes', '-bytes', 'timestamp', '-timestamp']) {
      for (const interval of ['hour', 'all']) {
        const whole = await rowsOf(`sort=${sort}&interval=${interval}`)
        const found: unknown[] = []
        let after = ''
        do {
          const { body } = await server.ask(
            'GET',
            `/api/v1/traffic?sort=${sort}&interval=${interval}&limit=1${after}`,
          )
          t.equal(body.total, whole.length)
          found.push(...body.traffic)
          after = body.next === null ? '' : `&after=${body.next}`
        } while (after !== '')
        t.same(found, whole, `${sort} ${interval}`)
      }
    }
    for (const forged of [
      ['x', 'y'],
      [1, '9e15 a b'],
      [1, '-5'],
      [null, ''],
    ]) {
      const after = Buffer.from(JSON.stringify(forged)).toString('base64url')
      t.equal(
        (await server.ask('GET', `/api/v1/traffic?after=${after}`)).status,
        forged[1] === '' ? 200 : 400,
      )
    }
    t.equal((await server.ask('GET', '/api/v1/traffic?after=nonsense')).status, 400)
    t.equal((await server.ask('GET', '/api/v1/traffic?from=0000-01-01T00:00:00Z')).status, 400)
    t.equal((await server.ask('GET', '/api/v1/traffic?to=999999999999999&interval=day')).status, 400)
  })

  await t.test('an agent sees its own, and nobody sees anything without a token', async t => {
    const token = await server.token('alice', 'client')
    const { body } = await server.ask('GET', '/api/v1/traffic', { token })
    t.match(body, { traffic: [{ identity: 'alice' }], total: 1 })
    t.equal((await server.ask('GET', '/api/v1/traffic?identity=bob', { token })).status, 403)
    t.equal((await server.ask('GET', '/api/v1/traffic', { token: null })).status, 401)
  })

  await t.test('as a table, by parameter or by header', async t => {
    const answer = await server.ask('GET', '/api/v1/traffic?by=pair&format=csv')
    t.match(answer.headers.get('content-type'), 'text/csv')
    t.equal(
      answer.body,
      'timestamp,clientId,nodeId,toNodeBytes,toClientBytes,bytes,relayedBytes,turnedBytes,directBytes\r\n' +
        ',alice,fra-1,1000,300,1300,700,0,600\r\n' +
        ',bob,fra-1,50,40,90,50,40,0\r\n',
    )
    const accept = { accept: 'text/csv' }
    const first = await server.ask('GET', '/api/v1/traffic?by=pair&limit=1', { headers: accept })
    t.match(first.body, 'alice')
    const [, next = ''] = /<(.+)>; rel="next"/.exec(first.headers.get('link') ?? '') ?? []
    t.match((await server.ask('GET', `/api/v1/traffic${next}`, { headers: accept })).body, 'bob')
  })

  await t.test('a restart and agents that count anew change no sum', async t => {
    const before = await totalOf(server)
    await server.stop()
    server = await start({ dataDir, env: EVERY_100_MS })
    await node.enter(server.mesh, 'fra-1')
    await alice.enter(server.mesh, 'alice')
    const link = await routed(alice)
    report(alice, link, { sentBytes: 10 })
    await until('it is accounted for', async () => (await totalOf(server)) >= before + 10)
    const live = server.mesh.paths({ clientId: 'alice' }).paths[0]
    t.match(live, { nodeId: 'fra-1' })
    t.equal(await totalOf(server), before + 10)
  })
})

async function totalOf(server: RestServer): Promise<number> {
  return (await server.ask('GET', '/api/v1/traffic')).body.totals.bytes
}

async function routed(client: Reporter): Promise<number> {
  client.tell({ type: 'route.request', requestId: 1 })
  const assigned = await until('a route is assigned', () =>
    client.heard.find((event): event is WireOf<'route.assigned'> => event.type === 'route.assigned'),
  )
  return assigned.link
}
