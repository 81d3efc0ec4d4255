/** Figures without a server: rates of what was counted twice, and servers at a glance. */
import * as fc from 'fast-check'
import t from 'tap'
import { glanceOf } from '../../src/pgmon/figures/glance.js'
import { gainOf, ratesOf, totalGainOf } from '../../src/pgmon/figures/rates.js'
import { nothingOf } from '../../src/pgmon/figures/stats.js'
import { type Count, COUNTS, type DatabaseWork } from '../../src/pgmon/figures/work.js'
import type { Server } from '../../src/pgmon/ports.js'

const QUIET = Object.fromEntries(COUNTS.map(name => [name, 0])) as Record<Count, number> // each of them

const work = (wish: Partial<DatabaseWork> = {}): DatabaseWork => ({
  id: '5',
  name: 'shop',
  owner: 'ada',
  connections: 1,
  freeze_age: 10,
  stats_reset_at_ms: null,
  at_s: 1_000,
  ...QUIET,
  ...wish,
})
const byId = (...all: readonly DatabaseWork[]) => new Map(all.map(each => [each.id, each]))

t.test('rates are of the seconds between two looks', async t => {
  const before = work({ commits: 100, blocks_hit: 10, blocks_read: 10, temp_bytes: 5 })
  const now = work({ at_s: 1_010, commits: 350, blocks_hit: 100, blocks_read: 20, temp_bytes: 5 })
  t.match(ratesOf(gainOf(now, before)), {
    commits_per_s: 25,
    rollbacks_per_s: 0,
    cache_hit_ratio: 0.9,
    temp_bytes_per_s: 0,
  })
})

t.test('what is not known is null, not zero', async t => {
  const table: readonly (readonly [what: string, now: DatabaseWork, before?: DatabaseWork])[] = [
    ['the first look', work()],
    ['looks that are too close', work({ at_s: 1_000.9, commits: 5 }), work()],
    ['a clock that went back', work({ at_s: 990, commits: 5 }), work()],
    ['a reset that is told', work({ at_s: 1_010, stats_reset_at_ms: 7, commits: 5 }), work()],
    ['a reset that shows in one figure', work({ at_s: 1_010, commits: 900 }), work({ deadlocks: 1 })],
  ]
  for (const [what, now, before] of table) {
    const rates = ratesOf(gainOf(now, before))
    t.same(new Set(Object.values(rates)), new Set([null]), what)
  }
  const idle = ratesOf(gainOf(work({ at_s: 1_010 }), work()))
  t.match(idle, { commits_per_s: 0, cache_hit_ratio: null }, 'nothing was wanted of the cache')
})

t.test('a server’s work is that of the databases which were there both times', async t => {
  const before = byId(work({ id: '1' }), work({ id: '2' }), work({ id: 'dropped', commits: 9_000 }))
  const now = [
    work({ id: '1', at_s: 1_010, commits: 10 }),
    work({ id: '2', at_s: 1_010, commits: 20 }),
    work({ id: 'made', at_s: 1_010, commits: 5_000 }),
  ]
  t.equal(ratesOf(totalGainOf(now, before)).commits_per_s, 3)
  const reset = [...now, work({ id: 'dropped', at_s: 1_010, commits: 1 })]
  t.equal(totalGainOf(reset, before), null, 'one was reset: what all did is not known')
  t.equal(totalGainOf([], before), null)
  t.equal(totalGainOf(now, new Map()), null)
})

t.test('no counters, whatever they say, give a rate below zero or a ratio beyond one', async () => {
  const counts = fc.record(Object.fromEntries(COUNTS.map(name => [name, fc.option(fc.nat(1_000_000))])))
  const counted = fc
    .tuple(counts, fc.integer({ min: -5, max: 100 }))
    .map(([each, at_s]) => work({ ...each, at_s } as Partial<DatabaseWork>)) // each is a count
  fc.assert(
    fc.property(counted, counted, (before, now) => {
      const rates = ratesOf(gainOf(now, before))
      const figures = Object.values(rates).filter(rate => rate !== null)
      return figures.every(rate => Number.isFinite(rate) && rate >= 0) && (rates.cache_hit_ratio ?? 0) <= 1
    }),
  )
})

t.test('a glance says how a server is, also when it has told nothing', async t => {
  const server = { name: 'shop', isOwn: false, isEnabled: true } as Server // all that is looked at
  const moment = { checkedAtMs: 0, tookMs: 3 }
  const down = nothingOf(server, 'postgres', { status: 'down', fault: 'it does not answer' }, moment)
  t.match(glanceOf(server, 'postgres', null), { status: 'unknown', checked_at: null, connections: null })
  t.match(glanceOf({ isEnabled: false }, 'postgres', down), { status: 'disabled' })
  t.match(glanceOf(server, 'postgres', down), { status: 'down', fault: 'it does not answer', version: null })

  const disk = { mount: '/', filesystem: '/dev/sda1', size_bytes: 100, used_bytes: 60, available_bytes: 20 }
  const replica = { name: 'r', address: null, state: 'streaming', sync: 'async', lag_bytes: 0 }
  const lags = { write_lag_s: null, flush_lag_s: null }
  const up = {
    ...down,
    status: 'up' as const,
    commits_per_s: 7,
    rollbacks_per_s: 1,
    disks: [
      { ...disk, mount: '/boot', holds_data: false },
      { ...disk, holds_data: true },
    ],
    replication: {
      is_replica: false,
      lag_s: null,
      lag_bytes: null,
      receiver: null,
      replicas: [
        { ...replica, ...lags, replay_lag_s: 2 },
        { ...replica, ...lags, replay_lag_s: 9 },
        { ...replica, ...lags, replay_lag_s: null },
      ],
      slots: [],
    },
  }
  t.match(glanceOf(server, 'postgres', up), {
    transactions_per_s: 8,
    replication_lag_s: 9,
    disk_used_ratio: 0.75,
  })
})
