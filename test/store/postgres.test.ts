import t from 'tap'
import { openStore } from '../../src/store/index.js'
import { storeConformance } from '../conformance/store.js'
import { startPostgres } from '../parts/postgres.js'

const postgres = await startPostgres(t)
if ('missing' in postgres) {
  t.test(`PostgreSQL: ${postgres.missing}`, { skip: true }, async () => {})
} else {
  storeConformance(t, async (t, conditions) => {
    const store = await openStore({
      ...conditions,
      clock: { now: () => performance.now(), ...conditions.clock },
      databaseUrl: await postgres.schema(),
    })
    t.teardown(() => store.close())
    return store
  })
}
