/** Pools of connections to servers, on a clock of the test's own, over connections that it makes. */
import t from 'tap'
import { ServerFault } from '../../src/pgmon/databases/errors.js'
import type { Line } from '../../src/pgmon/databases/line.js'
import { ServerPools } from '../../src/pgmon/databases/server-pools.js'
import type { PoolProfile, Server, ServerFaultCode } from '../../src/pgmon/ports.js'
import { SimulatedClock } from '../support/simulated-clock.js'

const WAIT_MS = 3_500
const SERVER: Server = {
  serverId: 1,
  name: 'db1',
  isOwn: false,
  isEnabled: true,
  description: '',
  host: 'db1.example.org',
  port: 5_432,
  database: 'postgres',
  user: 'boson_monitor',
  hasPassword: false,
  tls: 'require',
  tlsCa: null,
  pool: 'default',
  ssh: null,
  revision: 1,
  createdBy: 'test',
  createdAtMs: 1,
  changedAtMs: 1,
}
const SHORTEST_MS = 5_000 * 0.75

t.test('P-08: a pool keeps and makes as many connections as its profile says', async t => {
  const sizes = { default: [1, 5], stats_db: [2, 10], high_load: [5, 20] } as const
  for (const [profile, [min, max]] of Object.entries(sizes)) {
    const { clock, pools, lines } = bench(profile as PoolProfile) // a key of the table above
    const held = Array.from({ length: max + 3 }, () => hold(pools))
    await clock.run(0)
    t.match(pools.views(0), [{ min, max, total: max, idle: 0, waiting: 3 }], profile)
    for (const { release } of held) release()
    await Promise.all(held.map(({ done }) => done))
    t.match(pools.views(0), [{ total: max, idle: max, waiting: 0 }], 'they stay for a while')
    clock.advance(31_000)
    pools.tidy()
    t.match(pools.views(0), [{ total: min, idle: min }])
    t.equal(lines.filter(({ isBroken }) => isBroken).length, max - min, 'the others are closed')
  }
})

t.test('a connection is lent to one question at a time, and to the next one after it', async t => {
  const { pools, lines } = bench()
  for (let i = 0; i < 10; i++) await pools.use(null, async () => {})
  t.equal(lines.length, 1)
})

t.test('who waits gets the connection that is given back first, in the order of coming', async t => {
  const { clock, pools } = bench()
  const held = Array.from({ length: 5 }, () => hold(pools))
  await clock.run(0)
  const order: number[] = []
  const waiting = [1, 2, 3].map(n => pools.use(null, async () => order.push(n)))
  held[2]?.release()
  await Promise.all(waiting)
  t.same(order, [1, 2, 3])
  for (const { release } of held) release()
})

t.test('nobody waits for long, and few do', async t => {
  const { clock, pools } = bench()
  const held = Array.from({ length: 5 }, () => hold(pools))
  await clock.run(0)
  const waiting = Array.from({ length: 20 }, () => fault(pools))
  t.match(await fault(pools), { code: 'SERVER_BUSY', message: /20 others wait/ })
  await clock.run(WAIT_MS)
  for (const refused of await Promise.all(waiting))
    t.match(refused, { code: 'SERVER_BUSY', message: /none of 5 .* within 3.5 s/ })
  t.match(pools.views(0), [{ waiting: 0 }])
  for (const { release } of held) release()
})

t.test(
  'a server that is away costs one attempt at a time, and who asks meanwhile hears at once why',
  async t => {
    const { clock, pools, attempts, settle } = bench('high_load', { isSlow: true })
    const asked = Array.from({ length: 15 }, () => fault(pools))
    await clock.run(0)
    t.equal(attempts(), 1, 'fifteen questions, one attempt')
    settle(away('nothing listens'))
    for (const refused of await Promise.all(asked)) t.match(refused, { code: 'SERVER_AWAY' })
    t.equal(attempts(), 1)

    const refused = await fault(pools)
    t.match(refused, { code: 'SERVER_AWAY', message: 'nothing listens' })
    t.ok((refused.retryAfterMs ?? 0) >= SHORTEST_MS, 'and when to come back')
    t.match(await fault(pools, 'another'), { code: 'SERVER_AWAY' }, 'of every database of it')
    t.match(pools.views(1_000)[0], { state: 'away', fault: 'nothing listens' })
    t.ok((pools.views(1_000)[0]?.retryAtMs ?? 0) >= 1_000 + SHORTEST_MS)
    t.equal(attempts(), 1)

    clock.advance(5_000)
    const first = fault(pools)
    await clock.run(0)
    t.match(await fault(pools), { message: 'nothing listens' }, 'at once, while the first one tries')
    t.equal(attempts(), 2)
    settle(away('still'))
    t.match(await first, { message: 'still' })

    clock.advance(5_000)
    t.match(await fault(pools), { message: 'still' }, 'it rests longer each time')
    t.equal(attempts(), 2)
    clock.advance(5_000)
    const found = pools.use(null, async () => 'an answer')
    await clock.run(0)
    settle()
    t.equal(await found, 'an answer')
    t.match(pools.views(0)[0], { state: 'open', fault: null, retryAtMs: null })
  },
)

t.test('what is open is used although no more can be opened', async t => {
  let isAway = false
  const { clock, pools, lines } = bench('default', { refuse: () => (isAway ? away('no address') : null) })
  const held = hold(pools)
  await clock.run(0)
  isAway = true
  const next = pools.use(null, async () => 'an answer')
  await clock.run(0)
  held.release()
  t.equal(await next, 'an answer')
  t.equal(await pools.use(null, async () => 'another'), 'another')
  t.match(pools.views(0), [{ state: 'away', total: 1 }])
  t.equal(lines.length, 1)
})

t.test('a server that stays away is tried once a minute', async t => {
  const { clock, pools, attempts } = bench('default', { refuse: () => away('gone') })
  for (let second = 0; second < 3_600; second++) {
    await fault(pools)
    clock.advance(1_000)
  }
  t.ok(attempts() >= 55 && attempts() <= 90, `${attempts()} attempts in an hour`)
})

t.test('when an answer stays away, whoever waits hears of it and what is idle is closed', async t => {
  const { clock, pools, lines } = bench()
  await pools.use('other', async () => {})
  const held = Array.from({ length: 5 }, () => hold(pools))
  await clock.run(0)
  const waiting = fault(pools)
  for (const line of lines.slice(1)) line.goSilent()
  t.match(await waiting, { code: 'SERVER_AWAY', message: 'it does not answer' })
  t.ok(lines[0]?.isBroken, 'of the other database')
  for (const { release } of held) release()
  await Promise.all(held.map(({ done }) => done))
  t.ok(
    (await fault(pools)).retryAfterMs ?? Number.POSITIVE_INFINITY <= 5_000,
    'five silences are one failure',
  )
})

t.test('a database that refuses us rests by itself', async t => {
  const refuse = (database: string | null) =>
    database === 'none' ? new ServerFault('SERVER_REFUSED', 'there is none') : null
  const { clock, pools, attempts } = bench('default', { refuse })
  for (let i = 0; i < 3; i++) t.match(await fault(pools, 'none'), { message: 'there is none' })
  t.equal(attempts(), 1)
  t.equal(await pools.use(null, async () => 'well'), 'well')
  t.notOk(pools.isAway, 'the server is well')
  clock.advance(6_000)
  pools.tidy()
  t.equal(pools.views(0).length, 1, 'and is forgotten when nobody asks for it again')
})

t.test('a server without a free connection is not asked for one while others are open', async t => {
  let isFull = false
  const full = () => (isFull ? new ServerFault('SERVER_BUSY', 'too many clients') : null)
  const { clock, pools } = bench('default', { refuse: full })
  const held = hold(pools)
  await clock.run(0)
  isFull = true
  const next = pools.use(null, async () => 'an answer')
  await clock.run(0)
  held.release()
  t.equal(await next, 'an answer', 'it has waited for the one that there is')
})

t.test(
  'other databases have two connections each, of eight at a time; who was not asked for longest goes',
  async t => {
    const { clock, pools, lines } = bench()
    const two = [hold(pools, 'a'), hold(pools, 'a'), hold(pools, 'a')]
    await clock.run(0)
    t.match(pools.views(0), [{ database: 'a', min: 0, max: 2, total: 2, waiting: 1 }])
    for (const { release } of two) release()
    await Promise.all(two.map(({ done }) => done))
    for (const database of 'bcdefgh') {
      clock.advance(1)
      await pools.use(database, async () => {})
    }
    clock.advance(1)
    await pools.use('a', async () => {})
    await pools.use('i', async () => {})
    t.same(
      pools
        .views(0)
        .map(({ database }) => database)
        .sort()
        .join(''),
      'acdefghi',
    )
    t.ok(lines[2]?.isBroken, 'what b had is closed')

    const all = pools.views(0).map(({ database }) => hold(pools, database))
    await clock.run(0)
    t.match(
      await fault(pools, 'j'),
      { code: 'SERVER_BUSY' },
      'nobody is thrown out in the middle of a question',
    )
    for (const { release } of all) release()
    await Promise.all(all.map(({ done }) => done))
    clock.advance(31_000)
    pools.tidy()
    t.same(pools.views(0), [], 'and all of them go')
  },
)

t.test('the database that a server is known by is the same when it is named', async t => {
  const { pools, lines } = bench()
  await pools.use(null, async () => {})
  await pools.use('postgres', async () => {})
  t.equal(lines.length, 1)
})

t.test('a connection that broke is lent to nobody', async t => {
  const { pools, lines } = bench()
  await pools.use(null, async () => {})
  lines[0]?.close()
  await pools.use(null, async () => {})
  t.equal(lines.length, 2)
  t.match(pools.views(0), [{ total: 1, idle: 1 }])
})

t.test('a connection of its own is made although the server is away, and shows that it is back', async t => {
  let isAway = true
  const { pools, lines } = bench('default', { refuse: () => (isAway ? away('gone') : null) })
  await fault(pools)
  isAway = false
  t.match(await fault(pools), { message: 'gone' })
  t.equal(await pools.useNew(async () => 'an answer'), 'an answer')
  t.ok(lines[0]?.isBroken, 'nobody else gets it')
  t.equal(await pools.use(null, async () => 'an answer'), 'an answer')
})

t.test('whatever the gate says, one connection is made at a time', async t => {
  const { clock, pools, attempts, settle } = bench('default', { isSlow: true })
  const first = pools.useNew(async () => 'an answer')
  await clock.run(0)
  await t.rejects(
    pools.useNew(async () => {}),
    { code: 'SERVER_BUSY' },
  )
  t.equal(attempts(), 1)
  settle()
  t.equal(await first, 'an answer')
})

t.test('no connection is used for longer than half an hour', async t => {
  const { clock, pools, lines } = bench()
  await pools.use(null, async () => {})
  clock.advance(1_799_000)
  await pools.use(null, async () => {})
  t.equal(lines.length, 1)
  clock.advance(2_000)
  await pools.use(null, async () => {})
  t.ok(lines[0]?.isBroken, 'it is closed when it comes back')
  t.match(pools.views(0), [{ total: 0 }])
  await pools.use(null, async () => {})
  t.equal(lines.length, 2)
})

t.test('what ends refuses who waits, and closes what is lent when it comes back', async t => {
  const { clock, pools, lines } = bench()
  const held = Array.from({ length: 5 }, () => hold(pools))
  await clock.run(0)
  const waiting = fault(pools)
  pools.end(new ServerFault('SERVER_BUSY', 'it was changed'))
  t.match(await waiting, { message: 'it was changed' })
  t.notOk(
    lines.some(({ isBroken }) => isBroken),
    'a question that is under way is answered',
  )
  for (const { release } of held) release()
  await Promise.all(held.map(({ done }) => done))
  t.ok(lines.every(({ isBroken }) => isBroken))
})

interface TestLine extends Line {
  isBroken: boolean
  goSilent(): void
}

interface Behaviour {
  /** Why a connection cannot be made; null: it can. */
  readonly refuse?: (database: string | null) => ServerFault | null
  /** Whether attempts wait until `settle`. */
  readonly isSlow?: boolean
}

function bench(pool: PoolProfile = 'default', { refuse = () => null, isSlow = false }: Behaviour = {}) {
  const clock = new SimulatedClock()
  const lines: TestLine[] = []
  let attempts = 0
  let settle: ((fault: ServerFault | null) => void) | null = null
  const pools = new ServerPools({
    server: { ...SERVER, pool },
    isEmbedded: false,
    clock,
    random: { float: () => 0.5, bytes: size => new Uint8Array(size) },
    waitMs: WAIT_MS,
    connect: async (_server, database, silent) => {
      attempts++
      const fault = isSlow
        ? await new Promise<ServerFault | null>(resolve => {
            settle = resolve
          })
        : refuse(database)
      if (fault !== null) throw fault
      const line: TestLine = {
        kind: 'postgres',
        version: 150_000,
        isBroken: false,
        ask: async () => [],
        close() {
          line.isBroken = true
        },
        goSilent() {
          line.isBroken = true
          silent(away('it does not answer'))
        },
      }
      lines.push(line)
      return line
    },
  })
  return {
    clock,
    pools,
    lines,
    attempts: () => attempts,
    settle: (fault: ServerFault | null = null) => settle?.(fault),
  }
}

/** Holds a connection until it is told to give it back. */
function hold(pools: ServerPools, database: string | null = null) {
  let release = () => {}
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  return { release, done: pools.use(database, () => held) }
}

/** Resolves with why a question has no answer. */
async function fault(pools: ServerPools, database: string | null = null): Promise<ServerFault> {
  try {
    await pools.use(database, async () => {})
  } catch (error) {
    if (error instanceof ServerFault) return error
    throw error
  }
  throw new Error('it was answered')
}

const away = (message: string): ServerFault =>
  new ServerFault('SERVER_AWAY' satisfies ServerFaultCode, message)
