import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import t from 'tap'
import type { EnrolOutcome } from '../../src/actors/ports.js'
import { openStore } from '../../src/store/index.js'
import { startPostgres } from '../parts/postgres.js'
import { until } from '../support/until.js'
import { changeOf, enrolmentKey, enrolRequest, session } from './samples.js'

const overlay = { overlay4: '10.77.0.0/16', overlay6: 'fd77::/64' }
/** Short, so that the tests are. */
const queryTimeoutMs = 800

t.test('a server that accepts and never answers is given up', async t => {
  const sockets: Socket[] = []
  const server = createServer(socket => sockets.push(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const databaseUrl = `postgres://boson:secret@127.0.0.1:${(server.address() as AddressInfo).port}/boson`
  const beganMs = performance.now()
  const error = await openStore({ ...overlay, databaseUrl }).catch((error: Error) => error)
  t.match(error, { code: 'STORE_UNAVAILABLE' })
  t.ok(performance.now() - beganMs < 4_000)
  t.notMatch((error as Error).message, /secret/)
})

t.test('a port where nothing listens is said to be one', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await t.rejects(openStore({ ...overlay, databaseUrl: `postgres://127.0.0.1:${port}/boson` }), {
    code: 'STORE_UNAVAILABLE',
    message: /nothing listens there; start it, or check DATABASE_URL/,
  })
})

const postgres = await startPostgres(t)
if ('missing' in postgres) {
  t.test(`outages of PostgreSQL: ${postgres.missing}`, { skip: true }, async () => {})
} else {
  t.test('a server that hangs is given up within bounds, and asked again when it goes on', async t => {
    const store = await openStore({ ...overlay, queryTimeoutMs, databaseUrl: await postgres.schema() })
    await store.addEnrolmentKey(enrolmentKey('key'))
    postgres.pause()
    t.teardown(() => postgres.resume())
    const beganMs = performance.now()
    const calls = [
      store.load(),
      store.write([changeOf.session(session('s-1'))]),
      store.enrol(enrolRequest('n-1', 'key')),
      store.auditEvents(1),
      store.ping(),
      // More than there are connections: the rest waits for one, and not for ever either.
      ...Array.from({ length: 10 }, () => store.ping()),
    ]
    for (const result of await Promise.allSettled(calls)) {
      t.equal(result.status === 'rejected' && result.reason.code, 'STORE_UNAVAILABLE')
    }
    t.ok(performance.now() - beganMs < 2 * 2_000 + 2 * queryTimeoutMs, 'bounded')

    postgres.resume()
    await store.write([changeOf.session(session('s-1'))])
    t.equal((await store.load()).sessions.length, 1)
    await store.close()
  })

  t.test('a store whose server hangs can be closed', async t => {
    const store = await openStore({ ...overlay, queryTimeoutMs, databaseUrl: await postgres.schema() })
    await Promise.all([store.ping(), store.ping(), store.ping()])
    postgres.pause()
    t.teardown(() => postgres.resume())
    const beganMs = performance.now()
    await store.close()
    t.ok(performance.now() - beganMs < 4_000)
    const sockets = () => process.getActiveResourcesInfo().filter(name => name === 'TCPSocketWrap').length
    await until('no socket keeps the process from ending', () => sockets() === 0)
    postgres.resume()
  })

  t.test('a server that crashes is missed, and found again when it is back', async t => {
    const store = await openStore({ ...overlay, queryTimeoutMs, databaseUrl: await postgres.schema() })
    await store.write([changeOf.session(session('s-1'))])
    await postgres.stop()
    await t.rejects(store.write([changeOf.session(session('s-2'))]), { code: 'STORE_UNAVAILABLE' })
    await t.rejects(store.ping(), { code: 'STORE_UNAVAILABLE' })
    await postgres.start()
    await store.write([changeOf.session(session('s-2'))])
    t.equal((await store.load()).sessions.length, 2)
    await store.close()
  })

  t.test('two coordinators on one server give each agent addresses of its own', async t => {
    const databaseUrl = await postgres.schema()
    // Both bring the tables to this version at once.
    const stores = await Promise.all([
      openStore({ ...overlay, databaseUrl }),
      openStore({ ...overlay, databaseUrl }),
    ])
    await stores[0].addEnrolmentKey(enrolmentKey('three', { usesLeft: 3 }))
    await stores[0].addEnrolmentKey(enrolmentKey('any'))
    const all = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        Promise.all(stores.map(store => store.enrol(enrolRequest(`n-${i}`, 'any')))),
      ),
    )
    for (const [one, other] of all) t.strictSame(one, other, 'the same id, the same identity')
    t.equal(new Set(all.map(([outcome]) => addressOf(outcome))).size, 40)

    const few = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        (i % 2 ? stores[0] : stores[1]).enrol(enrolRequest(`few-${i}`, 'three')),
      ),
    )
    t.equal(few.filter(outcome => outcome.ok).length, 3)
    await Promise.all(stores.map(store => store.close()))
  })

  t.test('two coordinators that write the same rows at once do not block each other', async t => {
    const databaseUrl = await postgres.schema()
    const stores = await Promise.all([
      openStore({ ...overlay, databaseUrl }),
      openStore({ ...overlay, databaseUrl }),
    ])
    const changes = Array.from({ length: 500 }, (_, i) => changeOf.session(session(`s-${i}`)))
    for (let round = 0; round < 5; round++) {
      await Promise.all(stores.map((store, i) => store.write(i === 0 ? changes : changes.toReversed())))
    }
    t.equal((await stores[0].load()).sessions.length, 500)
    await Promise.all(stores.map(store => store.close()))
  })

  t.test('tables of a newer version are left alone', async t => {
    const databaseUrl = await postgres.schema()
    await (await openStore({ ...overlay, databaseUrl })).close()
    await postgres.ask(databaseUrl, `insert into kysely_migration values ('9999_newer', 'now')`)
    await t.rejects(openStore({ ...overlay, databaseUrl }), {
      code: 'MIGRATION_FAILED',
      message: /start the newest version/,
    })
  })
}

const addressOf = (outcome: EnrolOutcome | undefined) => (outcome?.ok ? outcome.identity.overlay4 : undefined)
