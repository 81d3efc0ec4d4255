import { existsSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Kysely, PostgresDialect, sql } from 'kysely'
import t from 'tap'
import { openStore } from '../../src/store/index.js'
import type { Database } from '../../src/store/database.js'
import { MIGRATIONS } from '../../src/store/migrations/index.js'
import { migrate } from '../../src/store/migrations/migrate.js'
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
  await migrate(db, MIGRATIONS)
  t.teardown(() => db.destroy())
  storeConformance(t, async (_t, conditions) => {
    await sql`truncate identities, sessions, routes, paths, steerings, audit_events, enrolment_keys`.execute(
      db,
    )
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
  t.strictSame(await store.load(), { identities: [], sessions: [], routes: [], paths: [], steerings: [] })
  await store.close()
  t.notOk(existsSync(join(dataDir, 'pglite.unfinished')))
})

t.test('a first start finds the tables already made', async t => {
  const { pool } = await openDirectory({ dataDir: t.testdir(), queryTimeoutMs: 5_000, log: undefined })
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })
  t.strictSame(await migrate(db, MIGRATIONS), [])
  await db.destroy()
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

t.test('a database that fails is opened again, with everything that was acknowledged', async t => {
  const dataDir = t.testdir()
  const { pool } = await openDirectory({ dataDir, queryTimeoutMs: 5_000, log: undefined })
  const ask = async (statement: string) => {
    const client = await pool.connect()
    try {
      return (await client.query<unknown>(statement, [])).rows
    } finally {
      client.release()
    }
  }
  await ask('create table notes (note text)')
  await ask(`insert into notes values ('kept')`)
  // It cannot go on without this file, and says so as loudly as it can.
  const control = join(dataDir, 'pglite', 'global', 'pg_control')
  renameSync(control, `${control}.away`)
  await t.rejects(ask('checkpoint'), { code: 'STORE_UNAVAILABLE', message: /pg_control/ })
  await t.rejects(ask('select 1'), { code: 'STORE_UNAVAILABLE' })
  renameSync(`${control}.away`, control)
  t.strictSame(await ask('select note from notes'), [{ note: 'kept' }])
  await pool.end()
})

t.test('a statement that takes too long is given up, and undone before the next one', async t => {
  const { pool } = await openDirectory({ dataDir: t.testdir(), queryTimeoutMs: 1_000, log: undefined })
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) })
  t.teardown(() => db.destroy())
  await sql`create table notes (note text)`.execute(db)
  const beganMs = performance.now()
  await t.rejects(
    db.transaction().execute(async tx => {
      await sql`insert into notes values ('half')`.execute(tx)
      await sql`select pg_sleep(1.3)`.execute(tx)
    }),
    { code: 'STORE_UNAVAILABLE' },
  )
  t.ok(performance.now() - beganMs < 3_000)
  t.strictSame((await sql`select * from notes`.execute(db)).rows, [])
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
