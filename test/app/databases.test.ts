/** `boson databases` against a whole coordinator and a PostgreSQL: the command as it is installed. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import t from 'tap'
import { locksPage, statementsPage } from '../../src/app/commands/databases/work.js'
import type { Session, Waiting } from '../../src/pgmon/activity/forms.js'
import { pgmon } from '../../src/pgmon/plugin.js'
import { startPostgres } from '../parts/postgres.js'
import { commandIn } from '../support/boson.js'
import { OPERATOR, restServer } from '../support/rest-server.js'
import { newKeyText } from '../support/ssh-host.js'
import { until } from '../support/until.js'

t.test('boson databases', async t => {
  const postgres = await startPostgres(t)
  if ('missing' in postgres) return void t.pass(`skipped: ${postgres.missing}`)
  const server = await restServer(t, { plugins: [pgmon], env: { BOSON_PGMON_NETWORKS: '127.0.0.1' } })
  const boson = commandIn(t, { env: { SECRET_TOKEN: OPERATOR, BOSON_SERVER: server.url } })
  const { port } = new URL(postgres.url)
  const host = `127.0.0.1:${port}`

  await t.test(
    'P-02: a server is added, tried, changed and removed; its password is on no command line',
    async t => {
      const secret = join(boson.cwd, 'password')
      writeFileSync(secret, 'not needed here\n')
      const [added, without] = await Promise.all([
        boson('databases', 'add', 'db1', '--host', host, '--user', 'boson', '--password-file', secret),
        boson('databases', 'add', 'db2', '--user', 'boson'),
      ])
      t.match(added, { code: 0, stdout: '', stderr: 'db1 is watched: `boson databases test db1`\n' })
      t.match(without, { code: 2, stderr: /wanted --host/ })
      const [refused, changed] = [
        await boson('databases', 'test', 'db1'),
        await boson('databases', 'set', 'db1', '--tls', 'disable', '--password-file', secret, '--json'),
      ]
      t.match(refused, {
        code: 1,
        stdout: /^failed +it does not offer TLS/,
        stderr: /cannot be watched like this/,
      })
      t.match(JSON.parse(changed.stdout), {
        name: 'db1',
        port: Number(port),
        tls: 'disable',
        has_password: true,
      })
      t.match(await boson('databases', 'test', 'db1'), {
        code: 0,
        stdout: /^ok +PostgreSQL \d+\..*\nas +boson\n(?:.*\n)*warning: "boson" is a superuser/,
      })
    },
  )

  await t.test('P-03: all of them at a glance, and one in all that it tells', async t => {
    await until('it was looked at', async () => {
      const { body } = await server.ask('GET', '/pgmon/servers?status=up')
      return body.total === 2
    })
    const [list, page, unknown] = await Promise.all([
      boson('databases'),
      boson('databases', 'show', 'db1'),
      boson('databases', 'show', 'no-such-server'),
    ])
    t.match(list, {
      code: 0,
      stdout: /^NAME +STATE .*WHY\ncoordinator +up +\S+ .*\ndb1 +up +\d+\.\d+ .* of \d+ /,
    })
    t.match(page.stdout, /^server +db1\nstate +up\nversion +PostgreSQL \d+\./)
    t.match(page.stdout, /\nDATABASE +OWNER .*\n(?:.*\n)*postgres +/)
    t.match(unknown, { code: 1, stderr: /no-such-server/ })
  })

  await t.test('what goes on in it, with whatever it is called shown as text', async t => {
    const [holder, waiter] = ['holder', 'waiter'].map(
      name => new pg.Client({ connectionString: postgres.url, application_name: name }),
    )
    for (const client of [holder, waiter]) {
      await client?.connect()
      t.teardown(() => client?.end())
      await client?.query('begin')
    }
    await holder?.query('select pg_advisory_xact_lock(17) -- \u001b[2J')
    const waited = waiter?.query('select pg_advisory_xact_lock(17)')
    await until('one waits for the other', async () => {
      const { body } = await server.ask('GET', '/pgmon/servers/db1/locks')
      return body.blocked === 1
    })
    const [activity, locks, statements] = await Promise.all([
      boson('databases', 'activity', 'db1'),
      boson('databases', 'locks', 'db1'),
      boson('databases', 'statements', 'db1', '--by', 'calls', '--limit', '5'),
    ])
    t.match(statements, { code: 0, stdout: /^no statement is known\nnot known: .*pg_stat_statements/ })
    t.match(activity.stdout, /^ *PID +USER .*TEXT\n/)
    t.match(
      activity.stdout,
      /boson +postgres +holder +idle in transaction .* select pg_advisory_xact_lock\(17\) -- \[2J\n/,
    )
    t.notOk(activity.stdout.includes('\u001b'), 'nothing that a terminal would do')
    t.match(
      locks.stdout,
      /^1 waiting\n\d+ boson@postgres \(holder\): .* -- \[2J\n└─ \d+ boson@postgres \(waiter\) wants ExclusiveLock/,
    )
    await holder?.query('commit')
    await waited
  })

  await t.test('what the first monitor kept in its files is taken over, after a trial', async t => {
    const keys = join(boson.cwd, 'ssh_keys')
    mkdirSync(join(keys, 'private'), { recursive: true })
    const file = (path: string, text: string) => writeFileSync(join(boson.cwd, path), text, { mode: 0o600 })
    file('encryption_key.key', `${Buffer.alloc(32, 7).toString('base64url')}=\n`)
    // What is not sealed is taken as it is.
    file('ssh_keys/private/key_a.pem', newKeyText())
    file(
      'ssh_keys/keys.json',
      JSON.stringify([
        { id: 'a', name: 'old', private_key_path: '/etc/pg_activity_monitor/ssh_keys/private/key_a.pem' },
      ]),
    )
    const old = { host: '127.0.0.1', port: Number(port), user: 'boson', password: 'not-needed' }
    file(
      'servers.json',
      JSON.stringify([
        { ...old, name: 'Old one', ssh_user: 'root', ssh_auth_type: 'key', ssh_key_id: 'a' },
        { ...old, name: 'elsewhere', host: '10.9.9.9' },
      ]),
    )
    file('users.json', JSON.stringify([{ login: 'bob', role: 'viewer', password: '$2b$12$notthis' }]))
    const files = ['--servers', 'servers.json', '--key', 'encryption_key.key', '--ssh-keys', 'ssh_keys']
    const trial = await boson('databases', 'import', ...files, '--users', 'users.json', '--dry-run')
    t.match(trial, { code: 1, stderr: /a trial: nothing is kept.*\n.*1 of them could not be imported/ })
    t.match(trial.stdout, /^SSH key +old +imported +-$/m)
    t.match(trial.stdout, /^server +Old-one \(was Old one\) +imported +pin the key/m)
    t.match(trial.stdout, /^server +elsewhere +failed .*BOSON_PGMON_NETWORKS/m)
    t.match(trial.stdout, /^user +bob +password needed /m)
    t.match((await server.ask('GET', '/pgmon/servers')).body, { total: 2 })
    chmodSync(join(boson.cwd, 'encryption_key.key'), 0o644)
    const taken = await boson('databases', 'import', ...files)
    t.match(taken, { code: 1, stderr: /^warning: encryption_key\.key: .*mode 644/ })
    t.match((await server.ask('GET', '/pgmon/servers/Old-one')).body, { ssh_auth: 'key', has_password: true })
    t.match(await boson('databases', 'test-ssh', 'Old-one'), { code: 1, stdout: /^failed +/ })
    t.match((await server.ask('GET', '/pgmon/ssh-keys')).body, { ssh_keys: [{ name: 'old' }] })
  })

  await t.test('one that is removed is unknown', async t => {
    t.match(await boson('databases', 'remove', 'db1'), { code: 0, stderr: 'db1 is watched no more\n' })
    t.match(await boson('databases', 'test', 'db1'), { code: 1, stderr: /db1/ })
  })
})

t.test('locks are drawn as a tree, those that hold what others want at the left', async t => {
  const tree = [
    waiting(17, [waiting(18, [waiting(19)]), waiting(20)]),
    waiting(21, [{ ...waiting(19), is_repeated: true }]),
  ]
  const page = locksPage({ name: 'db1', checked_at: AT, blocked: 3, tree, left_out: 2, unknown: [] })
  t.same(page.split('\n'), [
    '3 waiting',
    '17 ada@shop (psql): update a set b = 1',
    '├─ 18 ada@shop (psql) wants ShareLock on public.a, 4 s: update a set b = 1',
    '│  └─ 19 ada@shop (psql) wants ShareLock on public.a, 4 s: update a set b = 1',
    '└─ 20 ada@shop (psql) wants ShareLock on public.a, 4 s: update a set b = 1',
    '21 ada@shop (psql): update a set b = 1',
    '└─ 19 ada@shop (psql) wants ShareLock on public.a, 4 s (again): update a set b = 1',
    '… 2 more',
  ])
})

t.test('statements are listed with what they cost, and why there are none', async t => {
  const one = { id: '1', database: 'shop', user: 'ada', max_ms: 90, rows: 3, blocks_hit: 9, read_ms: null }
  const more = { query: 'select\n  1', calls: 12, total_ms: 60, mean_ms: 5, blocks_read: 1, temp_blocks: 0 }
  const statements = [{ ...one, ...more, cache_hit_ratio: 0.9, time_ratio: 0.255 }]
  const told = { name: 'db1', checked_at: AT, since: AT, unknown: [] }
  t.same(statementsPage({ ...told, statements }).split('\n'), [
    'TIME  CALLS    MEAN    MAX  ROWS  HITS  READ  DATABASE  TEXT',
    '26 %     12  5.0 ms  90 ms     3  90 %     1  shop      select 1',
    'since 2026-01-15 10:30 UTC',
  ])
  const unknown = [{ what: 'statements', why: 'pg_stat_statements is not installed' }]
  t.equal(
    statementsPage({ ...told, statements: [], unknown }),
    'no statement is known\nnot known: statements: pg_stat_statements is not installed',
  )
})

const AT = '2026-01-15T10:30:00.000Z'

/** Returns a session that waits for the one above it; roots wait for nobody. */
function waiting(pid: number, below: Waiting[] = []): Waiting {
  const isRoot = pid === 17 || pid === 21
  const session: Session = {
    pid,
    database: 'shop',
    user: 'ada',
    application: 'psql',
    client: null,
    kind: 'client backend',
    state: 'active',
    wait: null,
    started_at: AT,
    transaction_s: 4,
    query_s: 4,
    query: 'update a\n   set b = 1',
    blocked_by: [],
    is_ours: false,
  }
  const lock = isRoot ? null : { mode: 'ShareLock', type: 'relation', relation: 'public.a' }
  return { session, lock, waited_s: isRoot ? null : 4, is_repeated: false, waiting: below }
}
