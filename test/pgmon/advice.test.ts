/** What a DBA would say of a server, from where on. */
import t from 'tap'
import { adviceOf, type Facts } from '../../src/pgmon/activity/advice.js'

const WELL: Facts = {
  kind: 'postgres',
  fsync: true,
  full_page_writes: true,
  autovacuum: true,
  connections: 20,
  connections_max: 97,
  idle_in_transaction: 0,
  freeze_age: 150_000_000,
  blocks_hit: 99_000_000,
  blocks_read: 1_000_000,
  slots: [],
  invalid_indexes: [],
}

t.test('of a server that is well there is nothing to say', async t => {
  t.same(adviceOf(WELL), [])
  t.same(adviceOf({ ...WELL, blocks_hit: null, blocks_read: null }), [])
  t.same(adviceOf({ ...WELL, kind: 'pglite', fsync: false, full_page_writes: false, autovacuum: false }), [])
})

t.test('each thing is said from where on there is still time', async t => {
  const table: readonly (readonly [
    facts: Partial<Facts>,
    code: string | null,
    level?: string,
    found?: RegExp,
  ])[] = [
    [{ fsync: false }, 'fsync_off', 'error'],
    [{ full_page_writes: false }, 'full_page_writes_off', 'error'],
    [{ autovacuum: false }, 'autovacuum_off', 'error'],
    [{ freeze_age: 499_999_999 }, null],
    [{ freeze_age: 500_000_000 }, 'wraparound', 'warn', /^500 million/],
    [{ freeze_age: 1_600_000_000 }, 'wraparound', 'error', /^1,600 million/],
    [{ slots: [{ name: 'a', retained_bytes: 9e8 }] }, null],
    [{ slots: [{ name: 'a', retained_bytes: 2.5e9 }] }, 'slot_inactive', 'error', /slot a, .* 2\.5 GB/],
    [{ connections: 77 }, null],
    [{ connections: 78 }, 'connections', 'warn', /^78 of 97/],
    [{ idle_in_transaction: 1 }, 'idle_in_transaction', 'warn'],
    [{ invalid_indexes: ['public.a'] }, 'invalid_index', 'warn', /public\.a/],
    [{ blocks_hit: 9_000_000 }, null],
    [{ blocks_hit: 8_000_000 }, 'cache_misses', 'warn', /^89 %/],
    [{ blocks_hit: 10, blocks_read: 999_999 }, null],
  ]
  for (const [facts, code, level, found] of table) {
    const [advice, ...more] = adviceOf({ ...WELL, ...facts })
    t.same(more, [])
    t.equal(advice?.code ?? null, code, JSON.stringify(facts))
    if (level !== undefined) t.equal(advice?.level, level)
    if (found !== undefined) t.match(advice?.found, found)
  }
})

t.test('what is worst comes first', async t => {
  const all = adviceOf({
    ...WELL,
    connections: 97,
    freeze_age: 5e8,
    slots: [{ name: 'a', retained_bytes: 1e9 }],
  })
  t.same(
    all.map(({ code }) => code),
    ['slot_inactive', 'wraparound', 'connections'],
  )
})
