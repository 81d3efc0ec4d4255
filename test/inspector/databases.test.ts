/** What the inspector makes of what servers tell: words, what is wrong first, plots with gaps, trees, forms. */
import t from 'tap'
import { byWeight, concernsOf, concernsOfRow } from '../../src/inspector/page/databases/concerns.js'
import type {
  History,
  ServerForm,
  ServerRow,
  ServerStats,
  Session,
  Waiting,
} from '../../src/inspector/page/databases/kinds.js'
import { longestWait, mostWaitedFor, waitersBelow } from '../../src/inspector/page/databases/lock-tree.js'
import { bandOf, spanFrom } from '../../src/inspector/page/databases/series.js'
import { bodyOf, changesOf, fieldsOf, NEW, roleSql } from '../../src/inspector/page/databases/server-form.js'
import {
  lockWords,
  mended,
  millions,
  oneLine,
  perSecond,
  ratio,
  roughly,
  seconds,
  toneOfSession,
  whose,
} from '../../src/inspector/page/databases/words.js'
import { sorted } from '../../src/inspector/page/ui/sorted.js'

t.test('figures have their unit, and what is not known is a dash', async t => {
  t.equal(seconds(90), '1 min 30 s')
  t.equal(seconds(0.2), '200 ms')
  t.equal(ratio(0.9997), '99.9 %', 'nothing is called whole that is not')
  t.equal(ratio(1), '100 %')
  t.equal(ratio(0.57), '57.0 %', 'floating point takes nothing away')
  t.equal(perSecond(12_500), '12.5 k/s')
  t.equal(roughly(3725), '1 h')
  t.equal(millions(1_300_000_000), '1,300 M')
  for (const write of [seconds, ratio, perSecond, roughly, millions]) t.equal(write(null), '–')
})

t.test('sessions, locks and what is missing are said in words', async t => {
  t.equal(whose(session(1)), 'app on shop, billing')
  t.equal(whose({ ...session(1), user: null, database: null, kind: 'checkpointer' }), 'checkpointer')
  t.equal(toneOfSession({ state: 'active', blocked_by: [7] }), 'bad')
  t.equal(toneOfSession({ state: 'idle in transaction (aborted)', blocked_by: [] }), 'warn')
  t.equal(
    lockWords({ mode: 'ShareLock', type: 'transactionid', relation: null }),
    'ShareLock on the end of a transaction',
  )
  t.equal(
    lockWords({ mode: 'ExclusiveLock', type: 'tuple', relation: 'public.orders' }),
    'ExclusiveLock on public.orders, one row',
  )
  t.equal(
    lockWords({ mode: 'ShareLock', type: 'transactionid', relation: 'public.orders' }),
    'ShareLock on public.orders, a row that another transaction holds',
  )
  t.equal(oneLine(' select\n\t1 '), 'select 1')
  t.strictSame(mended('much stays unknown without: GRANT pg_monitor TO "m"'), {
    words: ['much stays unknown without:'],
    sql: 'GRANT pg_monitor TO "m";',
  })
  t.equal(mended('preload it, and CREATE EXTENSION').sql, null, 'half a statement mends nothing')
  t.strictSame(mended('run `CREATE EXTENSION x`, or `GRANT pg_monitor TO …` to the role'), {
    words: ['run ', 'CREATE EXTENSION x', ', or ', 'GRANT pg_monitor TO …', ' to the role'],
    sql: 'CREATE EXTENSION x;',
  })
})

t.test('what is wrong comes worst first, and names where one sees more', async t => {
  const row = (change: Partial<ServerRow>) => ({ ...ROW, ...change })
  t.strictSame(concernsOfRow(ROW), [], 'a server that is well is left alone')
  t.strictSame(concernsOfRow(row({ status: 'disabled', blocked: 9 })), [], 'nobody asked it')
  const all = [
    ...concernsOfRow(row({ connections: 80 })),
    ...concernsOfRow(row({ blocked: 1 })),
    ...concernsOfRow(row({ status: 'down', fault: 'no route to host', blocked: 4 })),
  ].toSorted(byWeight)
  t.match(all, [
    { tone: 'bad', what: 'Down, no route to host' },
    { tone: 'bad', what: '1 session waits for somebody else’s lock', part: 'locks' },
    { tone: 'warn', what: '80 of 100 connections are taken', part: 'activity' },
  ])
  t.equal(all.length, 3, 'of what is down nothing else is said')
  t.match(concernsOfRow(row({ disk_used_ratio: 0.97 })), [{ tone: 'bad', what: /97\.0 % full/ }])
  t.match(concernsOfRow(row({ replication_lag_s: 73 })), [{ tone: 'warn', what: /1 min 13 s behind/ }])
})

t.test('a whole look at a server tells of old transactions, freezing, slots and checksums too', async t => {
  const stats = {
    status: 'up',
    fault: null,
    blocked: 0,
    connections: { total: 4, max: 100 },
    oldest_transaction_s: 7200,
    freeze_age: 1_700_000_000,
    deadlocks_per_s: 0,
    disks: null,
    databases: [{ name: 'shop', checksum_failures: 2 }],
    replication: {
      is_replica: false,
      lag_s: null,
      replicas: [{ replay_lag_s: 0.5 }, { replay_lag_s: 90 }],
      slots: [
        { name: 'gone', active: false, retained_bytes: 2e9 },
        { name: 'read', active: true, retained_bytes: 9e9 },
      ],
    },
  } as unknown as ServerStats // what concerns reads
  t.strictSame(
    concernsOf(stats).map(({ tone, what }) => `${tone}: ${what.split(/[:;]/)[0]}`),
    [
      'bad: 1,700 M transactions since the oldest row was frozen',
      'bad: 2 pages of shop failed the checksum',
      'warn: Replication is 1 min 30 s behind',
      'warn: A transaction is open for 2 h',
      'warn: Nobody reads slot gone',
    ],
  )
})

t.test('a history is drawn with a gap where nothing was told, sizes as rarely as they are kept', async t => {
  const at = [0, 600, 1200, 1800, 3600, 4200, 4800].map(s => new Date(s * 1000).toISOString())
  const history = {
    at,
    series: {
      tps: same([1, 2, 3, 4, 5, 6, 7]),
      size: same([1, null, null, 2, 3, null, null]),
      none: same(at.map(() => null)),
    },
  } as unknown as History // what is read of it
  const drawn = (name: string) => bandOf(history, name)?.slice(0, 2)
  t.strictSame(drawn('tps'), [
    [0, 600, 1200, 1800, 2400, 3600, 4200, 4800],
    [1, 2, 3, 4, null, 5, 6, 7],
  ])
  t.strictSame(drawn('size'), [
    [0, 1800, 3600],
    [1, 2, 3],
  ])
  t.equal(drawn('none'), undefined, 'what was never told has no plot')
  t.equal(drawn('unheard of'), undefined)
})

t.test(
  'a span begins at a moment that stands for minutes, so that one asks not with each second',
  async t => {
    const now = Date.parse('2026-11-22T03:59:58Z')
    t.equal(spanFrom('7d', now), '2026-11-15T03:55:00.000Z')
    t.equal(spanFrom('7d', now + 1000), spanFrom('7d', now))
    t.equal(spanFrom('<b>', now), '2026-11-21T03:55:00.000Z', 'what is no span is a day')
  },
)

t.test('rows are ordered as the address says, what is unknown last in both directions', async t => {
  const rows = [{ n: 2 }, { n: null }, { n: 10 }]
  const by = (sort?: string) => sorted(rows, sort, row => row.n).map(({ n }) => n)
  t.strictSame(by(), [2, null, 10])
  t.strictSame(by('n'), [2, 10, null])
  t.strictSame(by('-n'), [10, 2, null])
})

t.test('of a tree one hears how many wait, each counted once, and for how long', async t => {
  const shared = waiting(4, 5)
  const small = waiting(1, null, [waiting(9, 1)])
  const large = waiting(2, null, [waiting(3, 60, [shared]), { ...shared, is_repeated: true }])
  t.equal(waitersBelow(large), 2)
  t.equal(longestWait(large), 60)
  t.equal(longestWait(waiting(1, 7)), null, 'nobody waits below it')
  t.strictSame(
    mostWaitedFor([small, large]).map(({ session: { pid } }) => pid),
    [2, 1],
  )
})

t.test('a form becomes a body, and a change only what differs', async t => {
  const typed = { ...NEW, name: ' orders ', host: 'db.example.org', password: ' x ' }
  t.match(bodyOf(typed), {
    name: 'orders',
    host: 'db.example.org',
    port: 5432,
    password: ' x ',
    tls: 'require',
  })
  t.notOk('tls_ca' in bodyOf(typed), 'what is left empty is not said')
  t.throws(() => bodyOf({ ...typed, port: 'http' }), /^Port: wanted a number/)
  t.strictSame(changesOf(FORM, fieldsOf(FORM)), {}, 'secrets stay unless something is typed')
  t.strictSame(changesOf(FORM, { ...fieldsOf(FORM), port: '5433', password: 'y', ssh_host: '' }), {
    port: 5433,
    password: 'y',
    ssh_host: null,
  })
  t.strictSame(
    changesOf({ ...FORM, is_own: true }, { ...fieldsOf(FORM), host: 'elsewhere', description: 'ours' }),
    { description: 'ours' },
    'of the coordinator’s own database the settings say the rest',
  )
  t.match(roleSql('a"b'), 'GRANT pg_monitor TO "a""b";')
})

const same = (mean: readonly (number | null)[]) => ({ mean, min: mean, max: mean })

const session = (pid: number): Session => ({
  pid,
  database: 'shop',
  user: 'app',
  application: 'billing',
  client: '10.0.0.7:5000',
  kind: 'client backend',
  state: 'active',
  wait: null,
  started_at: null,
  transaction_s: null,
  query_s: null,
  query: null,
  blocked_by: [],
  is_ours: false,
})

const waiting = (pid: number, waited: number | null, below: Waiting[] = []): Waiting => ({
  session: session(pid),
  lock: null,
  waited_s: waited,
  is_repeated: false,
  waiting: below,
})

const FORM: ServerForm = {
  name: 'orders',
  is_own: false,
  enabled: true,
  description: '',
  host: 'db.example.org',
  port: 5432,
  database: 'postgres',
  user: 'boson_monitor',
  has_password: true,
  tls: 'require',
  tls_ca: null,
  pool: 'default',
  ssh_auth: 'key',
  ssh_host: 'bastion.example.org',
  ssh_port: 22,
  ssh_user: 'boson',
  ssh_key_id: 1,
  has_ssh_password: false,
  ssh_host_key: null,
  created_by: 'root',
  created_at: '2026-11-22T00:00:00Z',
  changed_at: '2026-11-22T00:00:00Z',
}

const ROW: ServerRow = {
  ...FORM,
  status: 'up',
  fault: null,
  checked_at: '2026-11-22T00:00:00Z',
  kind: 'postgres',
  version: '15.14',
  is_replica: false,
  uptime_s: 100,
  connections: 4,
  connections_max: 100,
  blocked: 0,
  transactions_per_s: 12,
  cache_hit_ratio: 0.99,
  replication_lag_s: null,
  size_bytes: 1e9,
  disk_used_ratio: 0.5,
}
