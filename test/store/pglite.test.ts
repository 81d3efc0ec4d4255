import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Kysely, PostgresDialect, sql } from 'kysely'
import t from 'tap'
import { openStore } from '../../src/store/index.js'
import type { Database } from '../../src/store/database.js'
import { migrate } from '../../src/store/migrations/index.js'
import { OverlayPool } from '../../src/store/overlay-pool.js'
import { openDirectory } from '../../src/store/pglite-directory.js'
import { RETENTION } from '../../src/store/retention.js'
import { SqlStore } from '../../src/store/sql-store.js'
import { storeConformance } from '../conformance/store.js'
import { changeOf, enrolmentKey, enrolRequest, route, session } from './samples.js'

const overlay = { overlay4: '10.77.0.0/16', overlay6: 'fd77:1:2:3::/64' }

t.test('the promises of a store', async t => {
  // One database for all of them, emptied in between: opening one takes most of a second.
  const { pool } = await openDirectory({ dataDir: t.testdir(), queryTimeoutMs: 5_000, log: undefined })
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })
  await migrate(db)
  t.teardown(() => db.destroy())
  storeConformance(t, async (_t, conditions) => {
    await sql`truncate identities, sessions, routes, audit_events, enrolment_keys`.execute(db)
    return new SqlStore(db, {
      kind: 'pglite',
      pool: new OverlayPool(conditions),
      clock: { now: () => performance.now(), ...conditions.clock },
      retention: { ...RETENTION, ...conditions.retention },
    })
  })
})

t.test('what was written is there after a restart', async t => {
  const dataDir = join(t.testdir(), 'data')
  const first = await openStore({ ...overlay, dataDir })
  t.equal(first.kind, 'pglite')
  await first.addEnrolmentKey(enrolmentKey('key'))
  const enrolled = await first.enrol(enrolRequest('n-1', 'key'))
  await first.write([changeOf.session(session('s-1')), changeOf.route(route('r-1'))])
  const before = await first.load()
  await first.close()

  const second = await openStore({ ...overlay, dataDir })
  t.strictSame(await second.load(), before)
  t.strictSame(await second.enrol(enrolRequest('n-1', 'key')), enrolled)
  await second.close()

  await t.rejects(openStore({ ...overlay, overlay4: '10.78.0.0/16', dataDir }), {
    code: 'BAD_OVERLAY',
    message: /10\.77\.0\.0\/16/,
  })
})

t.test('nobody else can enter the directory', async t => {
  const dataDir = join(t.testdir(), 'data')
  const store = await openStore({ ...overlay, dataDir })
  await store.close()
  t.equal(statSync(dataDir).mode & 0o777, 0o700)
  t.equal(statSync(join(dataDir, 'pglite')).mode & 0o777, 0o700)
})

t.test('a directory whose making was cut short is made anew', async t => {
  const dataDir = t.testdir({ pglite: { PG_VERSION: '18', base: {} }, 'pglite.unfinished': '' })
  const store = await openStore({ ...overlay, dataDir })
  t.strictSame(await store.load(), { identities: [], sessions: [], routes: [] })
  await store.close()
  t.notOk(existsSync(join(dataDir, 'pglite.unfinished')))
})

t.test('a damaged image is no obstacle', async t => {
  const dir = t.testdir({ 'image.tar.gz': 'not an image' })
  const warned: string[] = []
  const log = { info() {}, warn: (_fields: object, message: string) => void warned.push(message) }
  const { pool } = await openDirectory({
    dataDir: join(dir, 'data'),
    image: join(dir, 'image.tar.gz'),
    queryTimeoutMs: 5_000,
    log,
  })
  const client = await pool.connect()
  t.strictSame((await client.query('select 1 as one', [])).rows, [{ one: 1 }])
  client.release()
  await pool.end()
  t.match(warned, ['the prepared database cannot be used; making one instead'])
})

t.test('the event loop goes on while the database opens and writes', async t => {
  let turns = 0
  let counting = true
  const count = () => {
    turns++
    if (counting) setImmediate(count)
  }
  count()
  const store = await openStore({ ...overlay, dataDir: t.testdir() })
  await store.write(Array.from({ length: 2_000 }, (_, i) => changeOf.session(session(`s-${i}`))))
  counting = false
  await store.close()
  t.ok(turns > 1_000, `${turns} turns`)
})
