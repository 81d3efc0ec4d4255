/** Machines of databases, reached by SSH: which key they show, and their file systems. P-02, P-08. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import t from 'tap'
import { type Clock, systemClock } from '../../src/kit/clock.js'
import { DF, disksOf, readFileSystems } from '../../src/pgmon/disks/file-systems.js'
import { ServerDisks } from '../../src/pgmon/disks/server-disks.js'
import { pgmonPlugin } from '../../src/pgmon/plugin.js'
import type { Server, SshPlace } from '../../src/pgmon/ports.js'
import { SshError } from '../../src/ssh/errors.js'
import { SshHost } from '../../src/ssh/ssh-host.js'
import { startSshd } from '../parts/sshd.js'
import { ImpatientClock } from '../support/impatient-clock.js'
import { MovableClock } from '../support/movable-clock.js'
import { type RestServer, restServer } from '../support/rest-server.js'
import { keyOf, newKeyText, startSshHost, USER } from '../support/ssh-host.js'
import { until } from '../support/until.js'

const DEBIAN = `Filesystem     1024-blocks    Used Available Capacity Mounted on
udev               2008464       0   2008464       0% /dev
tmpfs               404260     732    403528       1% /run
/dev/vda1         41152736 9021936  30009792      24% /
/dev/vdb1        103080888 5120000  92693404       6% /var/lib/postgresql
//nas/back ups      524288  262144    262144      50% /mnt/back ups
/dev/loop0           65536   65536         0     100% /snap/core/1
`
const BUSYBOX = `Filesystem           1024-blocks    Used Available Capacity Mounted on
devtmpfs                 10240         0     10240   0% /dev
/dev/vda3              9516656   1211128   7801540  13% /
`
const FREEBSD = `Filesystem  1024-blocks     Used    Avail Capacity  Mounted on
zroot/ROOT/default    19134848  1404928 17729920     7%    /
devfs                        1        0        1     0%    /dev
/dev/ada0p1           1000000  1050000   -50000   105%    /data
`

t.test('the machine of a database', async t => {
  const clock = new MovableClock()
  const lines: string[] = []
  const found: Record<string, readonly string[]> = {}
  const lookUp = async (name: string) => found[name] ?? []
  const server = await restServer(t, {
    clock,
    lines,
    plugins: [pgmonPlugin({ lookUp })],
    env: { BOSON_PGMON_NETWORKS: '127.0.0.1' },
  })
  const { ask } = server
  const fake = await startSshHost(t)
  fake.intercept = () => ({ code: 0, output: DEBIAN })
  const { id: key } = (await importKey(server, fake.userKeyText)).body
  const watch = async (name: string, wish: object = {}) => {
    const ssh = { ssh_auth: 'key', ssh_key_id: key, ssh_user: USER, ssh_port: fake.port }
    const body = { name, host: '127.0.0.1', port: 9, user: 'monitor', ...ssh, ...wish }
    const answer = await ask('POST', '/pgmon/servers', { body })
    if (answer.status !== 201) t.fail(JSON.stringify(answer.body))
  }
  const change = (name: string, body: object) => ask('PUT', `/pgmon/servers/${name}`, { body })
  const test = (name: string, body: object = {}) => ask('POST', `/pgmon/servers/${name}/test-ssh`, { body })
  const disk = (name: string) => ask('GET', `/pgmon/servers/${name}/disk`)
  const audited = async (kind: string) => (await ask('GET', `/api/v1/audit?kind=${kind}`)).body.audit

  await t.test('P-02: test-ssh shows the key of a machine, and pins it when it is told to', async t => {
    await watch('db1')
    t.match(await test('db1'), {
      status: 200,
      body: { ok: false, host_key: fake.hostKey, is_pinned: false, message: `ssh_host_key=${fake.hostKey}` },
    })
    t.match(await disk('db1'), { status: 409, body: { code: 'ssh_host_key_unknown' } })
    t.match(
      await test('db1', { pin: `SHA256:${'A'.repeat(43)}` }),
      { body: { ok: false, host_key: fake.hostKey, is_pinned: false } },
      'only the key that is shown can be pinned',
    )
    t.equal(fake.ways.length, 0, 'nobody has tried to get in')
    t.match(await test('db1', { pin: fake.hostKey }), {
      body: { ok: true, host_key: fake.hostKey, is_pinned: true, message: 'it lets us in' },
    })
    t.match((await ask('GET', '/pgmon/servers/db1')).body, { ssh_host_key: fake.hostKey })
    await until(
      'the audit has it',
      async () => (await audited('monitored_server.host_key_pinned')).length > 0,
    )
    t.match(await audited('monitored_server.host_key_pinned'), [
      { actor: 'operator', subject: 'db1', detail: { hostKey: fake.hostKey, was: null } },
    ])
    t.match((await test('db1')).body, { ok: true, is_pinned: true })
    t.equal((await test('db1', { pin: 'MD5:00' })).status, 400)
    t.equal((await test('nobody')).status, 404)
  })

  await t.test('P-08: a machine is asked once in 30 s, however many ask', async t => {
    t.match(await disk('db1'), {
      status: 200,
      body: {
        name: 'db1',
        disks: [
          { mount: '/', filesystem: '/dev/vda1', size_bytes: 41_152_736 * 1_024, holds_data: false },
          {
            mount: '/var/lib/postgresql',
            used_bytes: 5_120_000 * 1_024,
            available_bytes: 92_693_404 * 1_024,
          },
          { mount: '/mnt/back ups', filesystem: '//nas/back ups' },
        ],
      },
    })
    const asked = fake.ran.length
    clock.advance(29_000)
    await disk('db1')
    t.equal(fake.ran.length, asked)
    clock.advance(1_500)
    const answers = await Promise.all(Array.from({ length: 8 }, () => disk('db1')))
    t.same([...new Set(answers.map(({ status }) => status))], [200])
    t.equal(fake.ran.length, asked + 1)
    t.same([...new Set(fake.ran.map(({ command, input }) => `${command}<${input}`))], [`${DF}<`])
  })

  await t.test('P-08: a machine that fails is left alone for a while, and everybody hears why', async t => {
    fake.intercept = () => ({ code: 127, complaint: 'sh: \u001b[2Jdf: not found' })
    clock.advance(30_500)
    const asked = fake.ran.length
    const failed = {
      status: 409,
      body: { code: 'ssh_answer', detail: /cannot run.*: sh: ·\[2Jdf: not found/ },
    }
    for (let i = 0; i < 3; i++) t.match(await disk('db1'), failed)
    t.equal(fake.ran.length, asked + 1)
    clock.advance(30_500)
    await disk('db1')
    t.equal(fake.ran.length, asked + 2)
    clock.advance(30_500)
    await disk('db1')
    t.equal(fake.ran.length, asked + 2, 'each time for longer')
    fake.intercept = () => ({
      code: 1,
      output: BUSYBOX,
      complaint: 'df: /run/user/1000/doc: Permission denied',
    })
    await test('db1')
    t.match(
      await disk('db1'),
      { status: 200, body: { disks: [{ mount: '/' }] } },
      'unless somebody has tried it',
    )
  })

  await t.test(
    'P-02: a machine that shows another key is told nothing, and operators hear of it once',
    async t => {
      const pinned = `SHA256:${'B'.repeat(43)}`
      await change('db1', { ssh_host_key: pinned })
      const [ran, ways] = [fake.ran.length, fake.ways.length]
      for (let i = 0; i < 3; i++) {
        t.match(await disk('db1'), {
          status: 409,
          body: { code: 'ssh_host_key_changed', detail: /somebody may stand in between/ },
        })
        clock.advance(300_500)
      }
      t.match((await test('db1')).body, { ok: false, host_key: fake.hostKey, is_pinned: false })
      t.same([fake.ran.length, fake.ways.length], [ran, ways])
      await until(
        'the audit has it',
        async () => (await audited('monitored_server.host_key_changed')).length > 0,
      )
      t.match(await audited('monitored_server.host_key_changed'), [
        { actor: 'coordinator', subject: 'db1', detail: { pinned, seen: fake.hostKey } },
      ])
      t.equal((await audited('monitored_server.host_key_changed')).length, 1)
      t.equal(lines.filter(line => line.includes('shows another key')).length, 1)
      await test('db1', { pin: fake.hostKey })
      t.equal((await disk('db1')).status, 200)
    },
  )

  await t.test('a password is tried only where one is asked for, and then nothing else', async t => {
    fake.password = 'open sesame'
    fake.ways.length = 0
    const by = {
      ssh_auth: 'password',
      ssh_password: 'open sesame',
      ssh_key_id: null,
      ssh_host_key: fake.hostKey,
    }
    await watch('db2', by)
    t.equal((await disk('db2')).status, 200)
    t.same(fake.ways, ['password'])
    await change('db2', { ssh_password: 'wrong' })
    t.match(await disk('db2'), {
      status: 409,
      body: { code: 'ssh_unauthorised', detail: /by the password of ssh_password/ },
    })
    t.same(fake.ways, ['password', 'password'])
    fake.password = null
    fake.ways.length = 0
    await change('db2', { ssh_auth: 'key', ssh_key_id: (await importKey(server, newKeyText())).body.id })
    t.match((await disk('db2')).body, {
      code: 'ssh_unauthorised',
      detail: /ssh_key_id: see its authorized_keys/,
    })
    t.same([...new Set(fake.ways)], ['publickey'])
    t.notMatch(lines.join('\n'), /open sesame/)
  })

  await t.test('nothing is asked of a machine that is not to be asked', async t => {
    const connections = fake.ways.length
    await watch('db3', { ssh_auth: 'none', ssh_key_id: null })
    t.match(await disk('db3'), { status: 409, body: { detail: /ssh_auth/ } })
    t.match(await test('db3'), { status: 409 })
    await watch('db4', { ssh_host_key: fake.hostKey, enabled: false })
    t.match(await disk('db4'), { status: 409, body: { code: 'server_disabled' } })
    t.match(await test('db4'), { status: 409, body: { code: 'server_disabled' } })
    t.equal(fake.ways.length, connections)
  })

  await t.test('a name leads where it may each time, or nowhere', async t => {
    const ssh = { host: 'db5.example.org', ssh_host_key: fake.hostKey }
    found['db5.example.org'] = ['127.0.0.1']
    await watch('db5', ssh)
    t.match((await test('db5')).body, { ok: true })
    for (const address of ['169.254.169.254', '10.0.0.8', '::1', '::ffff:127.0.0.1']) {
      found['db5.example.org'] = ['127.0.0.1', address]
      t.match(
        (await test('db5')).body,
        { ok: false, host_key: null, message: /BOSON_PGMON_NETWORKS/ },
        address,
      )
      t.match(await disk('db5'), { status: 409, body: { code: 'ssh_destination' } })
    }
    found['db5.example.org'] = []
    t.match((await test('db5')).body, { ok: false, host_key: null })
  })

  await t.test('a machine that hangs keeps nobody waiting but who asks for it', async t => {
    let release = () => {}
    const held = new Promise<void>(resolve => {
      release = resolve
    })
    fake.intercept = async () => {
      await held
      return { code: 0, output: DEBIAN }
    }
    const other = await startSshHost(t)
    other.intercept = () => ({ code: 0, output: FREEBSD })
    const body = { name: 'other', private_key: other.userKeyText }
    const { id } = (await ask('POST', '/pgmon/ssh-keys/import', { body })).body
    await watch('db6', { ssh_key_id: id, ssh_port: other.port, ssh_host_key: other.hostKey })
    await test('db1')
    const waiting = [disk('db1'), disk('db1'), disk('db1')]
    await until('it is asked', () => fake.running === 1)
    t.match(await disk('db6'), {
      status: 200,
      body: { disks: [{ mount: '/' }, { mount: '/data', available_bytes: 0 }] },
    })
    t.equal(fake.running, 1, 'one command at a time')
    release()
    for (const { status } of await Promise.all(waiting)) t.equal(status, 200)
  })

  await t.test('whatever a machine prints, it is read as df or refused', async t => {
    const head = 'Filesystem 1024-blocks Used Available Capacity Mounted on\n'
    const hostile = [
      'Linux 6.1\n',
      `${head}/dev/vda1 -5 1 1 1% /\n`,
      `${head}/dev/vda1 99999999999999999999 1 1 1% /\n`,
      `${head}/dev/vda1 5 5 5 5% relative\n`,
      `${head}${'x '.repeat(3_000)}\n`,
      `${head}\u001b[2J\n`,
      'x'.repeat(10 << 20),
    ]
    for (const output of hostile) {
      fake.intercept = () => ({ code: 0, output })
      await test('db1')
      t.match(await disk('db1'), { status: 409, body: { code: 'ssh_answer' } }, output.slice(0, 80))
    }
    const shown = `${head}/dev/\u001b[2J 8 4 4 50% /a\u0007b<script>\n`
    fake.intercept = () => ({ code: 0, output: `Welcome!\n${shown}` })
    await test('db1')
    t.match((await disk('db1')).body.disks, [
      { filesystem: '/dev/·[2J', mount: '/a·b<script>', size_bytes: 8_192 },
    ])
  })
})

t.test('df of Debian, Alpine and FreeBSD is read', async t => {
  const mountsOf = (output: string) => readFileSystems(output).map(({ mount }) => mount)
  t.same(mountsOf(DEBIAN), ['/', '/var/lib/postgresql', '/mnt/back ups'])
  t.same(mountsOf(BUSYBOX), ['/'])
  t.same(mountsOf(FREEBSD), ['/', '/data'])
  t.same(
    mountsOf(execFileSync('sh', ['-c', DF], { encoding: 'utf8' })).includes('/'),
    true,
    'and the one here',
  )
})

t.test('the data is on the longest mount that leads to it', async t => {
  const rows = readFileSystems(DEBIAN)
  const holding = (dataDirectory: string | null) =>
    disksOf(rows, dataDirectory).flatMap(({ mount, holds_data }) => (holds_data ? [mount] : []))
  t.same(holding('/var/lib/postgresql/15/main'), ['/var/lib/postgresql'])
  t.same(holding('/var/lib/postgresql'), ['/var/lib/postgresql'])
  t.same(holding('/var/lib/postgresql2/main'), ['/'])
  t.same(holding('C:/data'), [])
  t.same(holding(null), [])
})

t.test('nothing but an SshError comes of what is no df', async t => {
  const word = fc.oneof(
    fc.constantFrom(
      'Filesystem',
      '1024-blocks',
      'Used',
      'Available',
      'Capacity',
      'Mounted on',
      '\n',
      '1%',
      '-',
      '/',
    ),
    fc.nat().map(String),
    fc.string({ unit: 'binary', maxLength: 20 }),
  )
  const head = fc.constantFrom('', 'Filesystem 1024-blocks Used Available Capacity Mounted on\n')
  const text = fc
    .tuple(head, fc.array(word, { maxLength: 40 }))
    .map(([first, words]) => first + words.join(' '))
  fc.assert(
    fc.property(text, output => {
      try {
        disksOf(readFileSystems(output), '/var/lib/postgresql')
      } catch (error) {
        if (!(error instanceof SshError)) throw error
      }
    }),
    { numRuns: 300 },
  )
  t.pass('of 300 texts')
})

t.test(
  'a real host tells its file systems; one that is stopped is away, and back when it goes on',
  async t => {
    const sshd = await startSshd(t, { keyOptions: 'restrict', env: {} })
    if ('missing' in sshd) return t.pass(sshd.missing)
    const clock = new ImpatientClock()
    const disks = disksAt(sshd, clock)
    const told = await disks.of(SERVER, '/')
    t.match(told?.find(({ holds_data }) => holds_data)?.mount, '/')
    sshd.pause()
    clock.hurry()
    disks.forget(SERVER.serverId)
    await t.rejects(disks.of(SERVER), { code: 'SSH_AWAY', message: /no connection in time/ })
    await t.rejects(disks.of(SERVER), { code: 'SSH_AWAY' })
    sshd.resume()
    clock.relax()
    disks.forget(SERVER.serverId)
    t.ok(
      (await disks.of(SERVER))?.some(({ holds_data }) => holds_data),
      'where the data is, it knows still',
    )
  },
)

const SSH: SshPlace = {
  host: '127.0.0.1',
  port: 22,
  user: USER,
  auth: 'key',
  keyId: 1,
  hasPassword: false,
  hostKey: `SHA256:${'A'.repeat(43)}`,
}
const SERVER = { serverId: 7, name: 'db', isEnabled: true, revision: 1, ssh: SSH } as Server // as much of it as is looked at

function disksAt(
  { port, user, hostKey, userKey }: { port: number; user: string; hostKey: string; userKey: string },
  clock: Clock = systemClock,
): ServerDisks {
  const host = new SshHost({
    clock,
    address: { user, host: '127.0.0.1', port },
    login: { kind: 'key', key: keyOf(readFileSync(userKey)) },
    hostKey,
    settings: { login: 'ssh_key_id', hostKey: 'ssh_host_key' },
    alarm: () => undefined,
  })
  return new ServerDisks({ clock, open: async () => host })
}

let keys = 0
const importKey = ({ ask }: RestServer, private_key: string) =>
  ask('POST', '/pgmon/ssh-keys/import', { body: { name: `key ${++keys}`, private_key } })
