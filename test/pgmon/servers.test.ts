/** Which servers are watched: listed, added, tried, changed and removed over HTTP, without their secrets. */
import { rootCertificates } from 'node:tls'
import t, { type Test } from 'tap'
import { PLUGINS } from '../../src/app/plugins.js'
import { pgmonPlugin } from '../../src/pgmon/plugin.js'
import { startPostgres } from '../parts/postgres.js'
import { ask as askDirectly } from '../support/postgres-cluster.js'
import { type RestServer, restServer } from '../support/rest-server.js'
import { until } from '../support/until.js'
import { watching } from './watching.js'

const CANARY = 'a-secret-that-nobody-may-see'
/** Anybody’s. */
const CA = rootCertificates[0]
const HOST_KEY = `SHA256:${'A'.repeat(43)}`

/** Addresses that are not of the public, or are others in disguise. */
const NOT_CALLED = [
  '127.0.0.2',
  '0.0.0.0',
  '10.20.0.8',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '10.77.0.1',
  'fd77:b050::1',
  'fe80::1',
  'fe80::1%lo',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:a9fe:a9fe',
  '64:ff9b::7f00:1',
  '2002:7f00:1::1',
  '::',
]
/** What some would take for an address, a socket or a connection string. */
const NO_HOSTS = [
  '127.1',
  '0x7f.0.0.1',
  '0x7f000001',
  '0177.0.0.1',
  '2130706433',
  '127.0.0.1.',
  '127.0.0.1:5432',
  '[::1]',
  '/tmp',
  '/var/run/postgresql',
  '@socket',
  'host=/tmp',
  'db1,db2',
  'db1?sslmode=disable',
  'postgres://db1',
  'db1.example.org/postgres',
  "db1' options='-c x=y",
  'db1\n',
  'db1\0',
  'db 1',
  '',
  '-db1',
  'a..b',
  'x'.repeat(254),
]

const WRONG: readonly (readonly [object, RegExp])[] = [
  [{ name: 'a/b' }, /name: wanted/],
  [{ port: 0 }, /port: wanted/],
  [{ port: 65_536 }, /port: wanted/],
  [{ port: '5432' }, /port: wanted/],
  [{ database: 'x'.repeat(64) }, /database: wanted/],
  [{ database: 'ü'.repeat(32) }, /database: wanted/],
  [{ database: 'a\0b' }, /database: wanted/],
  [{ database: '' }, /database: wanted/],
  [{ user: 'a\nb' }, /user: wanted/],
  [{ user: '' }, /user: wanted/],
  [{ password: 'a\0b' }, /password: wanted/],
  [{ password: '' }, /password: wanted/],
  [{ description: 'a\0b' }, /description: wanted/],
  [{ tls: 'prefer' }, /tls: wanted/],
  [{ tls: 'verify-full', tls_ca: 'no certificate' }, /tls_ca: wanted/],
  [{ tls_ca: CA }, /tls_ca: is for tls verify-full/],
  [{ pool: 'huge' }, /pool: wanted/],
  [{ ssh_auth: 'key' }, /ssh_key_id: wanted/],
  [{ ssh_auth: 'password' }, /ssh_password: wanted/],
  [{ ssh_auth: 'agent' }, /ssh_auth: wanted/],
  [{ ssh_host: '169.254.169.254' }, /ssh_host: .*BOSON_PGMON_NETWORKS/],
  [{ ssh_host: '-oProxyCommand=x' }, /ssh_host: wanted/],
  [{ ssh_host_key: 'SHA256:short' }, /ssh_host_key: wanted/],
  [{ options: '-c x=y' }, /options/],
  [{ sslmode: 'disable' }, /sslmode/],
  [{ is_own: true }, /is_own/],
]

/** No name leads anywhere here. */
const plugins = PLUGINS.map(plugin =>
  plugin.name === 'pgmon' ? pgmonPlugin({ lookUp: async () => [] }) : plugin,
)

t.test('servers that are watched', async t => {
  const postgres = await startPostgres(t)
  if ('missing' in postgres) {
    await t.test(`PostgreSQL: ${postgres.missing}`, { skip: true }, async () => {})
    return
  }
  await askDirectly(postgres.url, `create role watcher login password '${CANARY}'`)
  const db1 = { name: 'db1', host: '127.0.0.1', port: Number(new URL(postgres.url).port), user: 'watcher' }
  const onEach: readonly (readonly [string, object])[] = [
    ['pglite', {}],
    ['postgres', { databaseUrl: await postgres.schema() }],
  ]
  for (const [kind, where] of onEach)
    await t.test(kind, async t => {
      const env = { BOSON_PGMON_NETWORKS: '127.0.0.1/32, ::1/128' }
      const server = await restServer(t, { ...where, env, plugins })
      await theOwnOne(t, server, kind)
      await added(t, server, db1)
      await refused(t, server, db1)
      await tried(t, server)
      await changed(t, server)
      await told(t, server)
      await removed(t, server)
    })

  const databaseUrl = await postgres.schema()

  await t.test('what one coordinator changes, another one sees', async t => {
    const one = await watching(t, { databaseUrl })
    const other = await watching(t, { databaseUrl })
    t.equal(other.servers.all().length, 1, 'they have one own database between them')
    const heard: number[] = []
    other.servers.onChange(serverId => heard.push(serverId))
    const server = await one.add({ ...db1, password: CANARY })
    t.throws(() => other.servers.called('db1'), { code: 'not_found' })
    await other.servers.load()
    t.match(other.servers.called('db1'), { serverId: server.serverId, revision: server.revision })
    t.equal(await other.servers.passwordOf(server), CANARY)

    await one.servers.change(server, { description: 'changed here' })
    await t.rejects(other.servers.change(server, { description: 'and there' }), { code: 'conflict' })
    t.equal(other.servers.called('db1').description, 'changed here', 'and it has been read again')
    await t.rejects(other.servers.pinHostKey(server, HOST_KEY), { code: 'conflict' }, 'of a server that was')
    await one.servers.remove(server)
    await other.servers.load()
    t.equal(other.servers.byId(server.serverId), null)
    t.same(heard, [server.serverId, server.serverId, server.serverId])
    t.equal(await one.servers.passwordOf(server), null)
  })

  await t.test('a secret opens only where it was sealed, and only by its key', async t => {
    const { servers, databases, add } = await watching(t, { databaseUrl })
    const rich = await add({ ...db1, name: 'rich', password: CANARY, ssh_password: `${CANARY}-ssh` })
    const poor = await add({ ...db1, name: 'poor', password: 'another' })
    t.equal(await servers.sshPasswordOf(rich), `${CANARY}-ssh`)
    const within = (sql: string) => askDirectly(databaseUrl, sql)
    await within(`update pgmon_servers set changed_at = changed_at + interval '1 s', password =
      (select password from pgmon_servers where name = 'rich') where name = 'poor'`)
    await servers.load()
    t.equal(await servers.passwordOf(poor), null, 'in the row of another server')
    await t.rejects(
      databases.use(poor, null, async () => {}),
      { code: 'SERVER_SECRET' },
      'nobody tries without it',
    )
    await within(`update pgmon_servers set changed_at = changed_at + interval '1 s', password = ssh_password
      where name = 'rich'`)
    await servers.load()
    t.equal(await servers.passwordOf(rich), null, 'in another column')
  })

  await t.test('two hundred servers are watched, and no more', async t => {
    const { servers, add } = await watching(t, { databaseUrl: await postgres.schema() })
    for (let n = servers.all().length; n < 200; n++) await add({ ...db1, name: `n${n}` })
    await t.rejects(add({ ...db1, name: 'one-more' }), { code: 'conflict' })
  })

  await t.test('the own database has its row whatever the names of others', async t => {
    const url = await postgres.schema()
    const { servers, add } = await watching(t, { databaseUrl: url })
    await add({ ...db1, name: 'other' })
    await askDirectly(url, 'delete from pgmon_servers where is_own')
    await askDirectly(url, `update pgmon_servers set name = 'coordinator'`)
    const started = await Promise.all([watching(t, { databaseUrl: url }), watching(t, { databaseUrl: url })])
    for (const { servers: book } of started)
      t.match(book.all(), [{ name: 'coordinator-2', isOwn: true }, { name: 'coordinator' }])
    await servers.load()
    t.equal(servers.all().length, 2)
  })
})

async function theOwnOne(t: Test, { ask }: RestServer, kind: string): Promise<void> {
  await t.test('P-02, P-14: the coordinator’s own database is there from the start', async t => {
    const { body } = await ask('GET', '/pgmon/servers')
    t.match(body, {
      servers: [{ name: 'coordinator', is_own: true, enabled: true, kind }],
      count: 1,
      total: 1,
    })
    const changed = await ask('PUT', '/pgmon/servers/coordinator', { body: { description: 'ours' } })
    t.match(changed, { status: 200, body: { description: 'ours', has_password: false } })
    for (const body of [{ host: 'db.example.org' }, { name: 'mine' }, { password: 'x' }, { port: 1 }])
      t.match(await ask('PUT', '/pgmon/servers/coordinator', { body }), {
        status: 409,
        body: { detail: /DATABASE_URL/ },
      })
    t.match(await ask('DELETE', '/pgmon/servers/coordinator'), { status: 409 })
    t.match(await ask('POST', '/pgmon/servers/coordinator/test'), {
      status: 200,
      body: { ok: true, role: { is_superuser: true }, is_replica: false },
    })
  })
}

async function added(t: Test, { ask }: RestServer, db1: object): Promise<void> {
  await t.test('P-02: a server is added and listed, and its secrets are not told', async t => {
    const body = {
      ...db1,
      password: CANARY,
      ssh_auth: 'password',
      ssh_password: CANARY,
      ssh_host_key: HOST_KEY,
    }
    const made = await ask('POST', '/pgmon/servers', { body })
    t.match(made, {
      status: 201,
      body: {
        ...db1,
        database: 'postgres',
        tls: 'require',
        pool: 'default',
        enabled: true,
        has_password: true,
        ssh_auth: 'password',
        ssh_host: null,
        ssh_port: 22,
        has_ssh_password: true,
        ssh_host_key: HOST_KEY,
      },
    })
    t.same((await ask('GET', '/pgmon/servers/db1')).body, made.body)
    const first = await ask('GET', '/pgmon/servers?limit=1')
    t.match(first.body, { servers: [{ name: 'coordinator' }], total: 2 })
    const rest = await ask('GET', `/pgmon/servers?after=${first.body.next}`)
    t.match(rest.body, { servers: [{ name: 'db1' }], next: null })
    t.match((await ask('GET', '/pgmon/servers?sort=-name')).body, {
      servers: [{ name: 'db1' }, { name: 'coordinator' }],
    })
    t.match((await ask('GET', '/pgmon/servers?status=disabled')).body, { servers: [], total: 0 })
    t.match(await ask('POST', '/pgmon/servers', { body }), { status: 409 }, 'its name is taken')
    t.match(await ask('GET', '/pgmon/servers/db2'), { status: 404 })
  })
}

async function refused(t: Test, { ask }: RestServer, db1: object): Promise<void> {
  await t.test('what cannot be a server, or may not be called, is refused with a reason', async t => {
    const add = (wish: object) => ask('POST', '/pgmon/servers', { body: { ...db1, name: 'odd', ...wish } })
    for (const host of NOT_CALLED)
      t.match(await add({ host }), { status: 400, body: { detail: /host: .*BOSON_PGMON_NETWORKS/ } }, host)
    for (const host of NO_HOSTS)
      t.match(await add({ host }), { status: 400, body: { detail: /host: wanted a name/ } }, host)
    for (const [wish, words] of WRONG)
      t.match(await add(wish), { status: 400, body: { detail: words } }, JSON.stringify(wish))
    t.equal((await ask('GET', '/pgmon/servers')).body.total, 2)
  })
}

async function tried(t: Test, { ask }: RestServer): Promise<void> {
  await t.test('P-06: a server is tried; whether all are reached, and over which connections', async t => {
    const test = () => ask('POST', '/pgmon/servers/db1/test')
    t.match(await test(), { status: 200, body: { ok: false, message: /does not offer TLS.*tls to disable/ } })
    const to = { tls: 'disable', password: CANARY }
    t.match(await ask('PUT', '/pgmon/servers/db1', { body: to }), { status: 200, body: { tls: 'disable' } })
    const { body } = await test()
    t.match(body, {
      ok: true,
      message: /^PostgreSQL \d+.* answers$/,
      role: { name: 'watcher', is_superuser: false, is_monitor: false, can_signal: false },
      is_replica: false,
      is_encrypted: false,
    })
    for (const words of [
      'GRANT pg_monitor TO "watcher"',
      'pg_signal_backend',
      'pg_stat_statements',
      'not encrypted',
    ])
      t.ok(
        body.warnings.some((warning: string) => warning.includes(words)),
        words,
      )
    t.match(await ask('POST', '/pgmon/servers/none/test'), { status: 404 })

    t.match(await ask('GET', '/pgmon/api/health', { token: null }), { status: 200 })
    t.same(Object.keys((await ask('GET', '/pgmon/api/health', { token: null })).body), ['status'])
    t.match(await ask('GET', '/pgmon/api/pools/status', { token: null }), { status: 401 })
    await ask('GET', '/pgmon/server_stats/db1')
    const { pools } = (await ask('GET', '/pgmon/api/pools/status')).body
    const its = pools.find(({ server }: { server: string }) => server === 'db1')
    t.match(its, { database: 'postgres', profile: 'default', min: 1, max: 5, state: 'open', retry_at: null })
  })
}

async function changed(t: Test, { ask }: RestServer): Promise<void> {
  await t.test('P-02: a secret goes nowhere else than it was given for', async t => {
    const change = (body: object) => ask('PUT', '/pgmon/servers/db1', { body })
    for (const body of [{ host: 'db.example.org' }, { port: 5_433 }, { user: 'other' }, { tls: 'require' }])
      t.match(await change(body), { status: 400, body: { detail: /password: wanted it again/ } })
    for (const body of [{ ssh_host: '8.8.8.8' }, { ssh_port: 2_222 }, { ssh_user: 'other' }])
      t.match(await change(body), { status: 400, body: { detail: /ssh_password: wanted it again/ } })
    t.match(await change({ description: 'the first', pool: 'stats_db' }), {
      status: 200,
      body: { description: 'the first', pool: 'stats_db', has_password: true, ssh_host_key: HOST_KEY },
    })
    t.match(await change({ host: 'db.example.org', password: null, ssh_password: 'new' }), {
      status: 200,
      body: { host: 'db.example.org', has_password: false, has_ssh_password: true, ssh_host_key: null },
    })
    t.match(await change({ ssh_auth: 'key', ssh_key_id: 77 }), {
      status: 400,
      body: { detail: /ssh_key_id: there is no SSH key 77/ },
    })
    t.match(await change({ ssh_password: null }), { status: 400, body: { detail: /ssh_password: wanted/ } })
    t.match(await change({ ssh_auth: 'none', ssh_password: null, enabled: false }), { status: 200 })
    t.match(await change({}), { status: 400 })
    t.match(await change({ name: 'coordinator' }), { status: 409 })
    t.match(await change({ name: 'db2' }), { status: 200, body: { name: 'db2' } })
    t.match(await ask('GET', '/pgmon/servers/db1'), { status: 404 })
    t.match((await ask('GET', '/pgmon/servers?status=disabled')).body, { servers: [{ name: 'db2' }] })
  })
}

async function told(t: Test, { ask }: RestServer): Promise<void> {
  await t.test('every change is in the audit, with who made it and which fields', async t => {
    const kinds = await until('the audit has the last of them', async () => {
      const { audit } = (await ask('GET', '/api/v1/audit?limit=100')).body
      const ours = audit.filter(({ kind }: { kind: string }) => kind.startsWith('monitored_server.'))
      return ours.some(({ subject }: { subject: string }) => subject === 'db2') && ours
    })
    t.match(
      kinds.find(({ kind }: { kind: string }) => kind === 'monitored_server.added'),
      { subject: 'db1', detail: { host: '127.0.0.1', user: 'watcher', tls: 'require' } },
    )
    t.match(
      kinds.filter(({ detail }: { detail: { fields?: string[] } }) => detail.fields?.includes('name')),
      [{ subject: 'db2', actor: /.+/, detail: { fields: ['name'], was: 'db1' } }],
    )
    t.ok(
      kinds.some(({ detail }: { detail: { fields?: string[] } }) => detail.fields?.includes('password')),
      'that it was, not what it was',
    )
    for (const path of [
      '/api/v1/audit',
      '/pgmon/servers',
      '/pgmon/api/pools/status',
      '/metrics',
      '/api/v1/log',
    ])
      t.notMatch(JSON.stringify((await ask('GET', path)).body), CANARY, path)
  })
}

async function removed(t: Test, { ask }: RestServer): Promise<void> {
  await t.test('P-02: a server that is removed is gone, with its connections', async t => {
    t.match(await ask('DELETE', '/pgmon/servers/db2'), { status: 204 })
    t.match(await ask('DELETE', '/pgmon/servers/db2'), { status: 404 })
    t.match((await ask('GET', '/pgmon/servers')).body, { total: 1 })
    const { pools } = (await ask('GET', '/pgmon/api/pools/status')).body
    t.same(
      pools.filter(({ server }: { server: string }) => server !== 'coordinator'),
      [],
    )
  })
}
