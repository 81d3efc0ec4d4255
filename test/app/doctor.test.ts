/** What `boson doctor` says of each thing that a coordinator or an agent stands on, when it is well and when it is not. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { egress, reach, tools, wireguard } from '../../src/app/doctor/agent-machine.js'
import { certificate } from '../../src/app/doctor/certificate.js'
import { type Finding, ok, runChecks } from '../../src/app/doctor/check.js'
import { clock } from '../../src/app/doctor/clock.js'
import { dataDir } from '../../src/app/doctor/data-dir.js'
import { database } from '../../src/app/doctor/database.js'
import { writeAndSync } from '../../src/app/doctor/host.js'
import { meets, nodeVersion, openFiles, udpBuffers } from '../../src/app/doctor/machine.js'
import { doctorPage } from '../../src/app/doctor/page.js'
import { portFinding, type PortUse } from '../../src/app/doctor/ports.js'
import { holdersOf, listeningPortsOf, type Transport } from '../../src/app/doctor/proc.js'
import { redis } from '../../src/app/doctor/redis.js'
import { secrets } from '../../src/app/doctor/secrets.js'
import { takePort } from '../../src/app/doctor/take-port.js'
import { turn } from '../../src/app/doctor/turn.js'
import { readConfig } from '../../src/app/config.js'
import { secretProblems } from '../../src/app/secrets.js'
import { systemClock } from '../../src/kit/clock.js'
import { systemRandom } from '../../src/kit/random.js'
import { dataDirHolder, lockDataDir, openStore } from '../../src/store/index.js'
import { makeFromImage } from '../../src/store/image.js'
import { lookAtPglite, lookAtPostgres } from '../../src/store/look.js'
import { IMAGE } from '../../src/store/pglite-directory.js'
import { lookAtRedis } from '../../src/store/look-redis.js'
import { tryServer } from '../../src/turn/try-server.js'
import { startPostgres } from '../parts/postgres.js'
import { commandIn, freePort, startServer } from '../support/boson.js'
import { makeCertificate } from '../support/certificate.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { until } from '../support/until.js'

const LOOK = { clock: systemClock, withinMs: 2_000 }
const DAY_MS = 86_400_000

t.test('a check that hangs or breaks says so, and hides no other', async t => {
  const clock = new SimulatedClock()
  const found = runChecks(
    [
      { name: 'slow', look: () => new Promise(() => {}) },
      {
        name: 'broken',
        look: () => {
          throw new Error('no such thing')
        },
      },
      { name: 'good', look: () => [ok('good', 'as it should be')] },
    ],
    clock,
    3_000,
  )
  await clock.run(3_000)
  t.match(await found, [
    { check: 'slow', verdict: 'warning', found: 'could not be told within 3 s' },
    { check: 'broken', verdict: 'failed', found: /no such thing/ },
    { check: 'good', verdict: 'ok' },
  ])
})

t.test('the page has a line for each finding, what to do behind it, and a sum', async t => {
  const page = doctorPage([
    ok('database', 'answers'),
    { check: 'clock', verdict: 'warning', found: '3 s behind', advice: 'keep it by NTP' },
    { check: 'http port', verdict: 'failed', found: 'held by nginx', advice: 'end that' },
  ])
  t.equal(
    page,
    [
      'ok       database   answers',
      'warning  clock      3 s behind → keep it by NTP',
      'failed   http port  held by nginx → end that',
      '',
      '1 failed, 1 warning, 1 ok',
    ].join('\n'),
  )
  t.match(doctorPage([ok('database', 'answers')]), /everything that was looked at is ok/)
})

t.test('a port that another process has is told with its name, in TCP and in UDP', async t => {
  for (const transport of ['tcp', 'udp'] as const) {
    const { port, pid } = await listener(t, transport)
    const found = await portFinding(portUse({ transport, port }), stranger)
    t.match(found, { verdict: 'failed', advice: /choose another port with PORT/ })
    t.match(found.found, new RegExp(`held by .* \\(process ${pid}\\)`), transport)
    t.match(await portFinding(portUse({ transport, port }), { ...stranger, own: [pid], runs: true }), {
      verdict: 'ok',
      found: /held by our coordinator/,
    })
    if (transport === 'tcp') t.same(listeningPortsOf(pid), [port])
  }
})

t.test('a port that nobody has is free, and one that cannot be had says why', async t => {
  const port = await freePort()
  t.match(await portFinding(portUse({ port }), stranger), { verdict: 'ok', found: /is free/ })
  t.match(await portFinding(portUse({ port: 0 }), stranger), { verdict: 'ok', found: /any free one/ })
  const elsewhere = await portFinding(portUse({ port, address: '192.0.2.1' }), stranger)
  t.match(elsewhere, { verdict: 'failed', found: /no address 192\.0\.2\.1/ })
  t.match(await portFinding(portUse({ port }), { ...stranger, runs: true }), {
    verdict: 'failed',
    found: /free, although the coordinator runs/,
  })
  const refused = { ...stranger, take: async () => 'EACCES' }
  t.match(await portFinding(portUse({ port: 443 }), refused), { verdict: 'warning', advice: /CAP_NET_BIND/ })
  const hidden = { ...stranger, holders: () => null, take: async () => 'EADDRINUSE' }
  t.match(await portFinding(portUse({ port }), hidden), { verdict: 'failed', found: /cannot be told/ })
  t.match(await portFinding(portUse({ port }), { ...hidden, answers: true }), { verdict: 'ok' })
})

t.test(
  'the data directory: private, held by one who lives, on a disk that takes what is written',
  async t => {
    const path = join(t.testdir(), 'data')
    t.match(await dataDir({ ...dataDirPorts(path), folder: null }), [
      { verdict: 'ok', found: /not there yet/ },
    ])
    const barred = { ...dataDirPorts(path), folder: null, mayMake: 'permission denied' }
    t.match(await dataDir(barred), [{ verdict: 'failed', found: /cannot be made/ }])

    const lock = lockDataDir(path)
    t.same(dataDirHolder(path), { pid: process.pid, elsewhere: false })
    const held = { ...dataDirPorts(path), holder: dataDirHolder(path) }
    t.match(await of('data lock', dataDir(held)), {
      verdict: 'failed',
      found: /does not answer at port 3000/,
    })
    t.match(await of('data lock', dataDir({ ...held, holderPorts: [4000] })), {
      verdict: 'warning',
      advice: /PORT=4000/,
    })
    t.match(await of('data lock', dataDir({ ...held, answers: true })), {
      verdict: 'ok',
      found: /our coordinator/,
    })
    lock.release()
    t.equal(dataDirHolder(path), null)
    t.match(await of('data lock', dataDir(dataDirPorts(path))), { verdict: 'ok', found: /free/ })
    t.match(await of('disk writes', dataDir(dataDirPorts(path))), { verdict: 'ok', found: /on the disk in/ })

    const gone = { ...dataDirPorts(path), sync: () => writeAndSync(join(path, 'gone'), systemClock) }
    t.match(await of('disk writes', dataDir(gone)), { verdict: 'failed', found: /takes no file \(ENOENT/ })
    t.match(await of('disk space', dataDir({ ...dataDirPorts(path), freeBytes: 5e6 })), { verdict: 'failed' })
    t.match(await of('data dir', dataDir({ ...dataDirPorts(path), folder: { mode: 0o40755, uid: 1 } })), {
      verdict: 'failed',
      advice: `chmod 700 ${path}`,
    })
  },
)

t.test('a PostgreSQL that is stopped, newer than we, or not ours to write', async t => {
  const postgres = await startPostgres(t)
  if ('missing' in postgres) {
    t.comment(postgres.missing)
    return
  }
  const url = await postgres.schema()
  const ask = (at = url) =>
    database(databasePorts({ kind: 'postgres', look: () => lookAtPostgres(at, LOOK) }))

  t.match(await of('tables', ask()), { verdict: 'ok', found: /the next start makes 0001_mesh/ })
  const store = await openStore({ databaseUrl: url, overlay4: '10.77.0.0/16', overlay6: 'fd77::/64' })
  t.match(await ask(), [
    { check: 'database', verdict: 'ok', found: /^PostgreSQL \d+.* answers in/ },
    { check: 'tables', verdict: 'ok', found: 'of this version' },
    { check: 'connections', verdict: 'ok' },
  ])
  await postgres.ask(url, `insert into kysely_migration values ('9999_future', now()::text)`)
  t.match(await of('tables', ask()), { verdict: 'failed', found: /newer version \(9999_future\)/ })
  await postgres.ask(url, 'create role looker login; grant usage on schema public to looker')
  const looker = new URL(url)
  looker.username = 'looker'
  await postgres.ask(url, `grant usage on schema ${schemaOf(url)} to looker`)
  await postgres.ask(url, `grant select on all tables in schema ${schemaOf(url)} to looker`)
  t.match(await of('database', ask(looker.href)), { verdict: 'failed', found: /may not write all tables/ })
  await store.close()
  await postgres.stop()
  t.match(await ask(), [{ check: 'database', verdict: 'failed', found: /does not answer \(.*ECONNREFUSED/ }])
})

t.test('the embedded database: not made yet, cut off, in use, and not to be opened', async t => {
  const say = async (parts: Partial<Parameters<typeof database>[0]>) =>
    (await database(databasePorts({ kind: 'embedded', ...parts })))[0]
  t.match(await say({ found: 'nothing' }), { verdict: 'ok' })
  t.match(await say({ found: 'unfinished' }), { verdict: 'warning' })
  t.match(await say({ used: 'unknown' }), { verdict: 'ok', found: /cannot be asked/ })
  t.match(await say({ used: { status: 'healthy', latencyMs: 3 } }), { verdict: 'ok', found: /3 ms/ })
  t.match(await say({ used: { status: 'unhealthy', latencyMs: null } }), { verdict: 'failed' })
  const broken = { look: () => Promise.reject(new Error('invalid checkpoint record')) }
  t.match(await say(broken), { verdict: 'failed', found: /invalid checkpoint/, advice: /backup/ })
})

t.test('the embedded database that nobody uses is opened as a copy, and stays as it is', async t => {
  const dir = join(t.testdir(), 'pglite')
  mkdirSync(dir)
  await makeFromImage(IMAGE, dir)
  const control = join(dir, 'global/pg_control')
  const before = readFileSync(control)
  const patient = { clock: systemClock, withinMs: 60_000, copyMax: 256e6 }
  const found = await lookAtPglite(dir, patient)
  t.match(found, { version: /^PostgreSQL \d/, missing: [], unknown: [], refused: [] })
  t.ok(readFileSync(control).equals(before))
  t.equal(await lookAtPglite(dir, { ...patient, copyMax: 1 }), null, 'too large to be copied')
  writeFileSync(control, Buffer.alloc(before.length))
  await t.rejects(lookAtPglite(dir, patient), 'a control file of nothing')
  await t.rejects(lookAtPglite(join(dir, 'elsewhere'), patient), { code: 'ENOENT' })
})

t.test('a Redis that is not there', async t => {
  const port = await freePort()
  const found = await redis(() => lookAtRedis(`redis://127.0.0.1:${port}`, LOOK))
  t.match(found, { verdict: 'failed', found: /ECONNREFUSED/, advice: /serves without/ })
})

t.test('clocks that differ, jump, or are kept by nobody', async t => {
  const steady = { wallMs: 500, monotonicMs: 500 }
  const at = (ms: number, roundTripMs = 4) =>
    clock({ ahead: [{ who: 'the database', ms, roundTripMs }], counted: steady, synchronised: true })
  t.match(at(20)[0], { verdict: 'ok' })
  t.match(at(-5_000)[0], { verdict: 'warning', found: 'the database is 5.0 s behind this machine' })
  t.match(at(120_000)[0], { verdict: 'failed', found: /120\.0 s ahead/ })
  t.match(at(1_500, 2_000)[0], { verdict: 'ok' }, 'the way there took longer than the difference')
  const rest = { ahead: [], counted: steady, synchronised: true }
  t.match(clock({ ...rest, counted: { wallMs: 3_500, monotonicMs: 500 } })[0], {
    verdict: 'warning',
    found: /set by 3\.0 s/,
  })
  t.match(clock({ ...rest, counted: { wallMs: 500, monotonicMs: 0 } })[0], { verdict: 'failed' })
  t.match(clock({ ...rest, synchronised: false })[1], { verdict: 'warning' })
  t.match(clock({ ...rest, synchronised: null })[1], { verdict: 'ok', found: /does not tell/ })
})

t.test('STUN and TURN that are off, silent, or of another secret', async t => {
  const silent = await listener(t, 'udp')
  const attempt = (url: string) =>
    tryServer({ url, credential: null, clock: systemClock, random: systemRandom, withinMs: 200 })
  const ports = {
    mode: 'external',
    urls: [`stun:127.0.0.1:${silent.port}`],
    runs: false,
    secret: true,
    attempt,
  } as const
  t.match(await turn(ports), [{ verdict: 'failed', found: /no answer within 200 ms/ }])
  t.match(await turn({ ...ports, urls: ['turn:127.0.0.1:1?transport=tcp'] }), [
    { verdict: 'failed', found: /ECONNREFUSED/ },
  ])
  t.match(await turn({ ...ports, mode: 'off' }), [{ verdict: 'warning' }])
  t.match(await turn({ ...ports, mode: 'embedded' }), [{ verdict: 'ok', found: /when it runs/ }])
  const refused = { ...ports, attempt: () => Promise.reject(new Error('the server refused with 401')) }
  t.match(await turn(refused), [{ verdict: 'failed', advice: /another TURN_STATIC_SECRET/ }])
})

t.test('a certificate that ran out, soon will, has another key or other names', async t => {
  const dir = t.testdir()
  makeCertificate(dir, 'mesh.test')
  makeCertificate(dir, 'other.test')
  const read = (name: string) => readFileSync(join(dir, name), 'utf8')
  const nowMs = Date.now()
  const ports = {
    cert: read('mesh.test.crt'),
    key: read('mesh.test.key'),
    keyMode: 0o600,
    names: ['mesh.test'],
    shown: null,
    production: true,
    exposed: true,
    nowMs,
  }
  t.match(certificate(ports), [
    { verdict: 'ok', found: /CN=mesh\.test, with its key/ },
    { verdict: 'warning', found: /good for 1 more day/ },
  ])
  t.match(certificate({ ...ports, nowMs: nowMs + 3 * DAY_MS })[1], { verdict: 'failed', found: /ran out on/ })
  t.match(certificate({ ...ports, key: read('other.test.key') })[0], {
    verdict: 'failed',
    found: /another certificate/,
  })
  t.match(certificate({ ...ports, names: ['elsewhere.test'] })[2], {
    verdict: 'failed',
    found: /not for elsewhere\.test/,
  })
  t.match(certificate({ ...ports, shown: 'AA:BB' })[2], { verdict: 'warning', advice: /SIGHUP/ })
  t.match(certificate({ ...ports, keyMode: 0o644 })[2], { verdict: 'failed', found: /read by everyone/ })
  t.match(certificate({ ...ports, cert: 'nonsense' }), [{ verdict: 'failed', advice: /PEM/ }])
  t.match(certificate({ ...ports, cert: new Error('ENOENT') }), [{ verdict: 'failed', found: /ENOENT/ }])
  t.match(certificate({ ...ports, cert: null }), [{ verdict: 'warning', found: /in clear/ }])
  t.match(certificate({ ...ports, cert: null, exposed: false }), [{ verdict: 'ok' }])
})

t.test('secrets that are weak, missing, or open to others; none is printed', async t => {
  const of = (env: Record<string, string>) => {
    const config = readConfig({ flags: {}, env })
    return secrets({
      production: config.mode === 'production',
      problems: secretProblems(config, env),
      files: [],
    })
  }
  t.match(of({}), [{ verdict: 'ok' }])
  t.match(of({ SECRET_TOKEN: 'hunter2' }), [
    { verdict: 'warning', found: /SECRET_TOKEN: wanted at least 32/ },
  ])
  const production = of({ NODE_ENV: 'production', SECRET_TOKEN: 'change-this-secret-change-this-secret' })
  t.match(production[0], { verdict: 'failed', found: /SECRET_TOKEN: wanted a secret that nobody knows/ })
  t.equal(production.length, 3)
  t.notMatch(JSON.stringify(of({ SECRET_TOKEN: 'hunter2' })), 'hunter2')
  const open = secrets({ production: false, problems: [], files: [{ path: 'x', mode: 0o100644 }] })
  t.match(open, [{ verdict: 'failed', advice: 'chmod 600 x' }])
})

t.test('a machine with an old Node, few open files or small buffers', async t => {
  for (const [has, good] of [
    ['v20.19.0', true],
    ['v20.20.2', true],
    ['v20.18.9', false],
    ['v22.12.0', true],
    ['v22.11.0', false],
    ['v24.0.0', false],
  ] as const)
    t.equal(meets(has, '^20.19.0 || ^22.12.0'), good, has)
  const ports = {
    nodeVersion: 'v18.0.0',
    nodeWanted: '^20.19.0',
    files: { max: 1_024, open: 20 },
    sessions: 10_000,
    rmemMax: 212_992,
    wmemMax: 212_992,
    udpBuffer: 4 << 20,
  }
  t.match(nodeVersion(ports), { verdict: 'failed' })
  t.match(openFiles(ports), { verdict: 'warning', advice: /LimitNOFILE=10512/ })
  t.match(openFiles({ ...ports, files: { max: 1_024, open: 1_000 } }), { verdict: 'failed' })
  t.match(openFiles({ ...ports, sessions: 100 }), { verdict: 'ok' })
  t.match(openFiles({ ...ports, files: null }), { verdict: 'ok', found: /does not tell/ })
  t.match(udpBuffers(ports), { verdict: 'warning', advice: /rmem_max=4194304/ })
  t.match(udpBuffers({ ...ports, udpBuffer: null }), { verdict: 'ok' })
})

t.test('a machine for agents: without tools, rights, or a way to the coordinator', async t => {
  const bare = { program: () => null, kernelHas: false, tun: 'ENOENT', netAdmin: false }
  t.match(tools(bare), [
    { check: 'wg', verdict: 'failed' },
    { check: 'ip' },
    { check: 'nft', verdict: 'warning' },
  ])
  t.match(wireguard(bare), [
    { check: 'wireguard', verdict: 'failed' },
    { check: 'rights', verdict: 'failed' },
  ])
  const userspace = { ...bare, program: (name: string) => `/usr/bin/${name}`, netAdmin: true }
  t.match(wireguard(userspace), [
    { verdict: 'ok' },
    { check: '/dev/net/tun', verdict: 'failed' },
    { verdict: 'ok' },
  ])
  t.match(wireguard({ ...bare, kernelHas: true }), [{ verdict: 'ok' }, { verdict: 'failed' }])
  t.match(await reach(null, () => Promise.reject(new Error())), [{ verdict: 'warning' }])
  const selfSigned = () => Promise.reject(new Error('self-signed certificate'))
  t.match(await reach('https://mesh.test', selfSigned), [{ verdict: 'failed', advice: /--ca/ }])
  const blocked = async () => ({ roundTripMs: 3, aheadMs: 0, greeted: 'closed with 1006' })
  t.match(await reach('https://mesh.test', blocked), [{ verdict: 'failed', advice: /proxy/ }])
  t.match(await egress(() => Promise.reject(new Error('no answer'))), {
    verdict: 'warning',
    advice: /let UDP out/,
  })
})

t.test(
  'the command beside a running coordinator, without it, and with settings that are not right',
  async t => {
    const cwd = t.testdir()
    const turnPort = await freePort()
    const env = { TURN_LISTENING_PORT: String(turnPort) }
    const server = await startServer(t, { cwd, env })
    const boson = commandIn(t, { cwd, env: { ...env, PORT: String(server.port) } })
    // Where the cores are busy with something else, an answer may come too late for it.
    const beside = await until('all is well', async () => {
      const said = await boson('doctor')
      return said.code === 0 && /relays at/.test(said.stdout) && said
    })
    for (const line of [
      /^ok +coordinator +runs at http:\/\/127\.0\.0\.1:\d+, healthy, version/m,
      /^ok +http port .* is held by our coordinator \(process \d+\)$/m,
      /^ok +data lock +held by our coordinator/m,
      /^ok +database +embedded; the coordinator has it open/m,
      /^ok +clock +as that of the coordinator/m,
      /^ok +turn +turn:127\.0\.0\.1:\d+\?transport=udp answers in .*, and relays at 127\.0\.0\.1:\d+$/m,
      /^ok +turn +turn:127\.0\.0\.1:\d+\?transport=tcp answers in .*, and relays at/m,
    ])
      t.match(beside.stdout, line)
    const another = await boson('doctor', '--json', '--turn-listening', 'x')
    t.match(another, { code: 2, stderr: /unknown option/ })
    const wrong = commandIn(t, {
      cwd,
      env: { ...env, PORT: String(server.port), TURN_STATIC_SECRET: 'another secret of thirty-two bytes' },
    })
    const refused = await wrong('doctor', '--json')
    t.equal(refused.code, 1)
    t.match(inJson(refused.stdout, 'turn', 'failed').advice, /another TURN_STATIC_SECRET/)
    const agent = await boson('doctor', '--node', '--server', `http://127.0.0.1:${server.port}`, '--json')
    t.match(inJson(agent.stdout, 'coordinator', 'ok').found, /greets agents/)

    t.equal(await server.end('SIGTERM'), 0)
    chmodSync(join(cwd, '.boson'), 0o755)
    const without = await boson('doctor', '--json')
    t.equal(without.code, 1)
    t.match(inJson(without.stdout, 'data dir', 'failed').advice, /chmod 700/)
    const bad = await boson('doctor', '--port', 'high')
    t.match(bad, { code: 1, stdout: /^failed +settings +--port: wanted a whole number/ })
  },
)

/** A process of its own that listens on a port; ended with the test. */
async function listener(
  t: Test,
  transport: Transport,
): Promise<{ readonly port: number; readonly pid: number }> {
  const program =
    transport === 'tcp'
      ? `const s = require('net').createServer().listen(0, '127.0.0.1', () => console.log(s.address().port))`
      : `const s = require('dgram').createSocket('udp4').bind(0, '127.0.0.1', () => console.log(s.address().port))`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'], env: {} })
  t.teardown(() => child.kill('SIGKILL'))
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { port: Number(line), pid: child.pid ?? 0 }
}

const portUse = (parts: Partial<PortUse>): PortUse => ({
  check: 'http port',
  transport: 'tcp',
  address: '127.0.0.1',
  port: 3000,
  setting: 'PORT',
  ...parts,
})

/** On the ports of this machine, where no coordinator of ours runs. */
const stranger: Parameters<typeof portFinding>[1] = {
  holders: holdersOf,
  take: ({ transport, address, port }) => takePort(transport, address, port),
  own: [],
  answers: false,
  runs: false,
}

function dataDirPorts(path: string): Parameters<typeof dataDir>[0] {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  return {
    path,
    folder: { mode: 0o40700, uid: 1 },
    mayMake: null,
    uid: 1,
    holder: null,
    holderPorts: [],
    answers: false,
    port: 3000,
    freeBytes: 5e9,
    sync: () => writeAndSync(path, systemClock),
  }
}

const databasePorts = (parts: Partial<Parameters<typeof database>[0]>): Parameters<typeof database>[0] => ({
  kind: 'embedded',
  look: async () => null,
  used: null,
  found: 'database',
  ...parts,
})

const schemaOf = (url: string): string => /search_path=(\w+)/.exec(decodeURIComponent(url))?.[1] ?? ''

async function of(check: string, findings: Promise<readonly Finding[]>): Promise<Finding | undefined> {
  return (await findings).find(one => one.check === check)
}

function inJson(json: string, check: string, verdict: Finding['verdict']): Finding {
  const { findings } = JSON.parse(json) as { readonly findings: readonly Finding[] }
  const found = findings.find(one => one.check === check && one.verdict === verdict)
  if (found === undefined) throw new Error(`no ${check} that is ${verdict}: ${json}`)
  return found
}
