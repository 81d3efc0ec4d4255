/** The `boson` command as it is installed, run as a process of its own. */
import { createServer } from 'node:net'
import { join } from 'node:path'
import { statSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { commandIn, freePort, startServer } from '../support/boson.js'
import { until } from '../support/until.js'

const TOKEN = '0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0'

t.test('--help of every command shows an example and ends well', async t => {
  const boson = commandIn(t)
  const { stdout } = await boson('--help')
  for (const name of [
    'server',
    'node',
    'client',
    'enrol',
    'users',
    'peers',
    'status',
    'steer',
    'route',
    'explain',
    'drain',
    'kick',
    'revoke',
    'reprobe',
    'jobs',
    'log-level',
    'bundle',
    'doctor',
    'demo',
    'version',
  ]) {
    t.match(stdout, new RegExp(`^  ${name} `, 'm'))
    const help = await boson(name, '--help')
    t.equal(help.code, 0, name)
    t.match(help.stdout, /Examples?:\n {2}\$ /, name)
  }
})

t.test('the version, for people and for programs', async t => {
  const boson = commandIn(t)
  t.match((await boson('version')).stdout, /^BosonServer \d+\.\d+\.\d+\n$/)
  t.match(JSON.parse((await boson('version', '--json')).stdout), {
    version: /^\d/,
    protocol: 'boson.v1',
    node: /^v/,
  })
})

t.test(
  'a command line that is not right ends with 2, and says what was wanted on the error output',
  async t => {
    const boson = commandIn(t)
    const table: readonly (readonly [readonly string[], RegExp])[] = [
      [['nonsense'], /unknown command/],
      [['server', '--prot', '3000'], /unknown option '--prot'/],
      [['server', '--port', 'high'], /--port: wanted a whole number from 0 to 65535, got "high"/],
      [['server', '--config', 'missing.json'], /missing\.json: wanted a JSON file/],
      [['demo', '--nodes', '0'], /--nodes: wanted a whole number/],
      [['enrol', '--ttl', 'soon', '--token', 'x'], /--ttl: wanted a time/],
      [['enrol', '--role', 'king', '--token', 'x'], /--role: wanted node or client/],
      [['enrol', '--uses', '0', '--token', 'x'], /--uses: wanted/],
      [['drain', 'fra-1', '--within', 'soon', '--token', 'x'], /--within: wanted a time/],
      [['drain', 'fra-1', '--within', '5m', '--until-empty', '--token', 'x'], /cannot be used with/],
      [['revoke', 'fra-1', '--token', 'x'], /wanted --yes/],
      [['kick', 'fra-1', '--for', 'soon', '--token', 'x'], /--for: wanted a time/],
      [['jobs', 'order', 'fra-1', 'log-level', '--token', 'x'], /wanted a level/],
      [['drain', '--cancel', '--token', 'x'], /wanted the id of the node/],
      [['users', 'add', 'ada', '--token', 'x'], /required option '--role <role>'/],
      [['users', 'set', 'ada', '--token', 'x'], /wanted what to change/],
      [['users', 'set', 'ada', '--enable', '--disable', '--token', 'x'], /exclude each other/],
      [['status'], /wanted the operator’s token/],
      [[], /Usage: boson/],
    ]
    for (const [args, message] of table) {
      const { code, stdout, stderr } = await boson(...args)
      t.equal(code, 2, args.join(' '))
      t.match(stderr, message, args.join(' '))
      t.equal(stdout, '', args.join(' '))
    }
  },
)

t.test('production does not start without good secrets, and names each of them', async t => {
  const boson = commandIn(t, { env: { NODE_ENV: 'production', SECRET_TOKEN: 'change-this-secret' } })
  const { code, stderr } = await boson('server', '--port', '0')
  t.equal(code, 2)
  for (const name of ['SECRET_TOKEN', 'JWT_SECRET', 'TURN_STATIC_SECRET']) t.match(stderr, `${name}: wanted`)
})

t.test('no coordinator at the address ends with 3, in one sentence', async t => {
  const port = await freePort()
  const { code, stderr } = await commandIn(t)('status', '--server', `127.0.0.1:${port}`, '--token', TOKEN)
  t.equal(code, 3)
  t.match(stderr, /^boson: no coordinator answers at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)/)
})

t.test('a coordinator starts, is asked, refuses strangers, and stops without losing anything', async t => {
  const boson = commandIn(t)
  const first = await startServer(t, { cwd: boson.cwd })
  const at = ['--port', String(first.port)]

  const made = await boson(
    'enrol',
    ...at,
    '--role',
    'node',
    '--uses',
    '3',
    '--ttl',
    '12h',
    '--note',
    'lab',
    '--json',
  )
  t.match(JSON.parse(made.stdout), {
    keyId: String,
    secret: /^bek_/,
    role: 'node',
    uses: 3,
    ttlMs: 43_200_000,
  })
  const { keyId } = JSON.parse(made.stdout) as { keyId: string }
  t.match((await boson('enrol', ...at)).stdout, /^bek_\S+\n$/, 'only the key goes to the output')

  const status = await boson('status', ...at)
  t.match(
    status.stdout,
    /^BosonServer \S+ {3}up \d+ s {3}nodes 0\/0 online {3}clients 0 {3}relay 0\.0 Mbit\/s {3}store embedded/,
  )
  t.match(JSON.parse((await boson('status', ...at, '--json')).stdout), {
    status: { state: 'serving' },
    nodes: [],
  })

  t.equal((await boson('paths', ...at, '--tier', 'relayed')).stdout, 'no paths\n')
  const why = await boson('why', 'anna', 'fra-1', ...at)
  t.match(why, { code: 1, stdout: '', stderr: /nobody has enrolled as anna or fra-1/ })

  const stranger = await boson('status', ...at, '--token', 'not-the-token')
  t.equal(stranger.code, 4)
  t.match(stranger.stderr, 'does not take this token')
  const second = await boson('server', '--port', '0')
  t.equal(second.code, 5, 'one process at a time in a data directory')
  t.match(second.stderr, /is in use by process/)
  t.equal(statSync(join(boson.cwd, '.boson/secret-token')).mode & 0o777, 0o600)

  t.equal(await first.end('SIGTERM'), 0)
  const again = await startServer(t, { cwd: boson.cwd })
  const list = await boson('enrol', 'list', '--port', String(again.port))
  t.match(list.stdout, /^KEY +ROLE +LEFT +EXPIRES \(UTC\) +NOTE\n/)
  t.match(list.stdout, new RegExp(`^${keyId} +node +3 `, 'm'))
  t.equal((await boson('enrol', 'revoke', keyId, '--port', String(again.port))).code, 0)
  t.equal((await boson('enrol', 'revoke', 'nothing', '--port', String(again.port))).code, 1)
  t.equal(await again.end('SIGINT'), 0)
})

t.test('a port that is taken ends with 5', async t => {
  const boson = commandIn(t)
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => taken.close())
  await until('the port is taken', () => taken.listening)
  const { port } = taken.address() as { port: number } // it listens
  const { code, stderr } = await boson('server', '--port', String(port))
  t.equal(code, 5)
  t.match(stderr, `cannot listen on 127.0.0.1 port ${port}`)
})

t.test('.env of the working directory is read, and what is set already counts first', async t => {
  const boson = commandIn(t, { env: { LOG_LEVEL: 'info' } })
  writeFileSync(join(boson.cwd, '.env'), 'PORT=high\nLOG_LEVEL=loud\n')
  const { stderr } = await boson('server')
  t.match(stderr, 'PORT: wanted a whole number')
  t.notMatch(stderr, 'LOG_LEVEL')
})

t.test('the demo loses a node, moves its clients, and its totals add up', async t => {
  const { code, stdout } = await commandIn(t)('demo', '--seconds', '4', '--json')
  t.equal(code, 0)
  const totals = JSON.parse(stdout) as {
    nodes: number
    clients: number
    routes: number
    datagrams: { sent: number; delivered: number; lost: number }
    failovers: number
    failoverMs: { p50: number; max: number }
  }
  t.match(totals, { nodes: 3, clients: 5, routes: 5 })
  const { sent, delivered, lost } = totals.datagrams
  t.ok(sent > 500, `${sent} sent`)
  t.equal(sent, delivered + lost)
  t.ok(delivered > sent * 0.6, `${delivered} of ${sent} delivered`)
  t.ok(totals.failovers >= 1 && totals.failovers <= 5, `${totals.failovers} failovers`)
  t.ok(
    totals.failoverMs.p50 <= totals.failoverMs.max && totals.failoverMs.max < 3_000,
    `${totals.failoverMs.max} ms`,
  )
})
