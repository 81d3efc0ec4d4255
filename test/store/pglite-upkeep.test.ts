import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import t from 'tap'
import { PGLITE_OPTIONS } from '../../src/store/pglite-options.js'
import { PgliteUpkeep } from '../../src/store/pglite-upkeep.js'

t.test('the log of the embedded database does not grow for ever, nor do its tables', async t => {
  const directory = t.testdir()
  const db = await PGlite.create(directory, PGLITE_OPTIONS)
  t.teardown(() => db.close())
  await db.exec('create table notes (id int primary key, note text)')
  let nowMs = 0
  const upkeep = new PgliteUpkeep(db, nowMs)
  const sizes: number[] = []
  for (let round = 0; round < 4; round++) {
    // About 40 MB of log, and a table of dead rows.
    await db.exec(`
      insert into notes select id, repeat('x', 1000) from generate_series(1, 15000) as id;
      delete from notes`)
    nowMs += 600_000
    await upkeep.run(nowMs)
    const { rows } = await db.query<{ size: number }>(`select pg_relation_size('notes')::int as size`)
    sizes.push(rows[0]?.size ?? 0)
  }
  const segments = readdirSync(join(directory, 'pg_wal')).filter(name => /^[0-9A-F]{24}$/.test(name))
  t.ok(segments.length <= 6, `${segments.length} segments of 16 MB`)
  t.same(sizes, [0, 0, 0, 0], 'the room of deleted rows is given back')
})
