/**
 * The scripts for WireGuard hosts, on a real one: OpenSSH lets our key in, and `wg` sets up an interface of wireguard-go.
 * Whatever is written into a field, nothing but the scripts is run.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { WireGuardHost } from '../../src/access/ssh/wireguard-host.js'
import { takesOrders } from '../../src/agent/wireguard/userspace.js'
import { readConfig } from '../../src/app/config.js'
import { systemClock } from '../../src/kit/clock.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { SshHost } from '../../src/ssh/ssh-host.js'
import { cannotRun, Spaces } from '../netlab/namespaces.js'
import { type Sshd, startSshd } from '../parts/sshd.js'
import { shortFolder } from '../support/short-folder.js'
import { keyOf } from '../support/ssh-host.js'
import { until } from '../support/until.js'

const FOLDER = join(import.meta.dirname, '../../../scripts/wireguard-host')
const SCRIPTS = {
  apply: join(FOLDER, 'wg_apply.sh'),
  remove: join(FOLDER, 'wg_remove.sh'),
  makeKey: join(FOLDER, 'wg_gen_key.sh'),
}
const missing = cannotRun()
const host = missing === false ? await realHost(t) : { missing }
const skip = 'missing' in host && host.missing

t.test('V-09: a real host makes peers so, finds them so, and takes them away', { skip }, async t => {
  const { wireguard, wg } = real()
  const [a, b] = [newKeyPair().publicKey, newKeyPair().publicKey]
  await wireguard.apply({ publicKey: a, overlay4: '10.8.0.2', overlay6: 'fd08::2' })
  await wireguard.apply({ publicKey: b, overlay4: '10.8.0.3', overlay6: null })
  const { peers, port } = await wireguard.list()
  t.equal(port, 51_820)
  t.same(
    new Map(peers.map(({ publicKey, allowedIps }) => [publicKey, allowedIps])),
    new Map([
      [text(a), ['10.8.0.2/32', 'fd08::2/128']],
      [text(b), ['10.8.0.3/32']],
    ]),
  )
  const before = wg('dump')
  await wireguard.apply({ publicKey: a, overlay4: '10.8.0.2', overlay6: 'fd08::2' })
  t.same(sorted(wg('dump')), sorted(before), 'asking again changes nothing')

  wg('set', 'peer', text(a), 'remove')
  wg('set', 'peer', text(b), 'allowed-ips', '0.0.0.0/0')
  await wireguard.apply({ publicKey: a, overlay4: '10.8.0.2', overlay6: 'fd08::2' })
  await wireguard.apply({ publicKey: b, overlay4: '10.8.0.3', overlay6: null })
  t.same(sorted(wg('dump')), sorted(before), 'what was changed by hand is put right')

  t.equal((await wireguard.remove([a, b])).peers.length, 2)
  t.equal((await wireguard.remove([a, b])).peers.length, 0, 'gone is gone')
  t.same((await wireguard.list()).peers, [])
  const made = await wireguard.makeKey()
  t.not(made.privateKey, made.publicKey)
})

t.test('a real host keeps its own peers, whatever it is asked for', { skip }, async t => {
  const { wireguard, wg } = real()
  const [own, ours] = [newKeyPair().publicKey, newKeyPair().publicKey]
  wg('set', 'peer', text(own), 'allowed-ips', '10.8.0.77/32')
  t.teardown(() => wg('set', 'peer', text(own), 'remove'))
  const before = wg('dump')
  const wishes = [
    { publicKey: own, overlay4: '10.8.0.5', overlay6: null },
    { publicKey: ours, overlay4: '10.8.0.77', overlay6: null },
  ]
  for (const wish of wishes)
    await t.rejects(wireguard.apply(wish), { code: 'PROVISION_REFUSED', message: /not ours/ })
  t.equal((await wireguard.remove([own, ours])).peers.length, 0)
  t.equal(wg('dump'), before)
  t.notMatch(
    (await wireguard.list()).peers.map(({ isOurs }) => isOurs),
    [true],
  )
})

t.test('eight at once are done one after another, and all of them', { skip }, async t => {
  const { wireguard } = real()
  const keys = Array.from({ length: 8 }, () => newKeyPair().publicKey)
  await Promise.all(
    keys.map((publicKey, i) => wireguard.apply({ publicKey, overlay4: `10.8.1.${i}`, overlay6: null })),
  )
  t.equal((await wireguard.list()).peers.filter(({ isOurs }) => isOurs).length, 8)
  await wireguard.remove(keys)
  t.equal((await wireguard.list()).peers.length, 0)
})

/** `CANARY` stands for a command that would leave a file behind. */
const CORPUS = [
  '; CANARY',
  '& CANARY',
  '| CANARY',
  '&& CANARY #',
  '$(CANARY)',
  '`CANARY`',
  '"; CANARY; "',
  "'; CANARY; '",
  '\n CANARY\n',
  '\r\nCANARY',
  '\0CANARY',
  '${IFS}CANARY',
  '-oProxyCommand=CANARY',
  '../../../../bin/sh -c CANARY',
  '%s%n CANARY',
  '*',
  '-',
  '',
  '\\',
  'x'.repeat(100_000),
]

/** Requests with this in each of their fields, and as a whole. */
function requestsWith(
  iface: string,
  field: string,
): readonly { readonly path: string; readonly input: string }[] {
  const key = text(new Uint8Array(32))
  const head = `{"interface":"${iface}"}`
  return [
    {
      path: SCRIPTS.apply,
      input: padded(`{"interface":"${field}"}\n{"publicKey":"${key}","allowedIps":"10.8.0.2/32"}`),
    },
    { path: SCRIPTS.apply, input: padded(`${head}\n{"publicKey":"${field}","allowedIps":"10.8.0.2/32"}`) },
    { path: SCRIPTS.apply, input: padded(`${head}\n{"publicKey":"${key}","allowedIps":"${field}"}`) },
    {
      path: SCRIPTS.apply,
      input: padded(`${head}\n{"publicKey":"${key}","allowedIps":"10.8.0.2/32,${field}"}`),
    },
    { path: SCRIPTS.remove, input: padded(`${head}\n{"publicKey":"${field}"}`) },
    { path: SCRIPTS.remove, input: padded(`${head}\n{"publicKey":"${key}","${field}":"${field}"}`) },
    { path: SCRIPTS.apply, input: field },
  ]
}

t.test('nothing that is written into a field is ever run on a real host', { skip }, async t => {
  const { ssh, wg, iface, canary, state } = real()
  const before = wg('dump')
  const codes: (number | null)[] = []
  for (const [i, attack] of CORPUS.map(one => one.replaceAll('CANARY', `touch ${canary}`)).entries()) {
    for (const { path, input } of requestsWith(iface, attack))
      codes.push(spawnSync(path, { input, env: { BOSON_WG_STATE: state } }).status)
    // All of it by the way that it really comes would take a connection each.
    const escaped = requestsWith(iface, JSON.stringify(attack).slice(1, -1))
    const one = escaped[i % escaped.length]
    if (one === undefined) continue
    const { path: command, input } = one
    codes.push((await ssh.run({ command, input, outputMax: 65_536 })).code)
  }
  t.same([codes.length, new Set(codes)], [CORPUS.length * 8, new Set([64])], 'each of them is misshapen')
  t.notOk(existsSync(canary), 'nothing was run')
  t.same(sorted(wg('dump')), sorted(before), 'nothing was changed')
})

t.test('the coordinator’s key runs nothing on a real host but the scripts', { skip }, async t => {
  const { ssh, canary } = real()
  const paths = [
    `touch ${canary}`,
    `${SCRIPTS.apply}; touch ${canary}`,
    `${SCRIPTS.apply} touch ${canary}`,
    `${FOLDER}/../../bin/boson`,
    '/bin/sh',
    '',
    `$(touch ${canary})`,
    `${SCRIPTS.apply}\ntouch ${canary}`,
  ]
  for (const path of paths) {
    const { code } = await ssh.run({ command: path, input: `touch ${canary}\n`, outputMax: 65_536 })
    t.not(code, 0, path)
  }
  t.notOk(existsSync(canary), 'nothing was run')
})

t.test('an interface that was not given to us, or is none, is left alone', { skip }, async t => {
  const { ssh, state } = real()
  const scripts = new WireGuardHost(ssh, 'wgother', SCRIPTS)
  await t.rejects(scripts.list(), { code: 'SSH_SETTINGS', message: /mkdir/ })
  mkdirSync(join(state, 'wgother'))
  await t.rejects(scripts.list(), { code: 'SSH_ANSWER', message: /ended with 69/ })
})

t.test('settings that are no names, paths or fingerprints are refused before anything is asked', async t => {
  const names = [
    'WG_HOST_SSH',
    'WG_INTERFACE',
    'WG_APPLY_SCRIPT',
    'WG_REMOVE_SCRIPT',
    'WG_GEN_SCRIPT',
    'WG_SSH_HOST_KEY',
  ]
  const taken: string[] = []
  for (const name of names)
    for (const attack of CORPUS.filter(one => one !== ''))
      for (const value of [attack, `boson@host${attack}`, `/usr/local/${attack}`, `SHA256:${attack}`])
        if (isTaken(name, value)) taken.push(`${name}=${JSON.stringify(value).slice(0, 60)}`)
  t.same(taken, [])
  t.notOk(isTaken('WG_HOST_SSH', '-oProxyCommand=x@host'))
  t.ok(isTaken('WG_HOST_SSH', 'boson@vpn.example.org:2222'))
  t.throws(
    () => readConfig({ flags: {}, env: { WG_PROVISIONER: 'ssh' } }),
    /WG_HOST_SSH, WG_SSH_KEY, WG_POOL4: wanted/,
  )
  t.throws(
    () => readConfig({ flags: {}, env: { WG_PROVISIONER: 'wg-easy' } }),
    /WG_EASY_URL, WG_EASY_PASSWORD: wanted/,
  )
})

function isTaken(name: string, value: string): boolean {
  try {
    readConfig({ flags: {}, env: { [name]: value } })
    return true
  } catch {
    return false
  }
}

interface RealHost {
  readonly ssh: SshHost
  readonly wireguard: WireGuardHost
  readonly iface: string
  /** Where the host keeps what it was given. */
  readonly state: string
  /** A file that only an attack would make. */
  readonly canary: string
  /** Runs `wg` by hand on its interface. */
  readonly wg: (verb: 'set' | 'dump', ...args: string[]) => string
}

/** The host, in tests that are skipped where there is none. */
function real(): RealHost {
  if ('missing' in host) throw new Error(String(host.missing))
  return host
}

async function realHost(t: Test): Promise<RealHost | { readonly missing: string }> {
  const folder = shortFolder()
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const spaces = new Spaces()
  const iface = spaces.iface()
  const state = join(folder, 'state')
  const sshd = await startSshd(t, {
    keyOptions: `restrict,command="${join(FOLDER, 'wg_host.sh')}"`,
    env: { BOSON_WG_STATE: state },
  })
  if ('missing' in sshd) return sshd
  mkdirSync(join(state, iface), { recursive: true })
  await startWireGuard(t, spaces, iface, folder)
  const ssh = sshTo(sshd)
  return {
    ssh,
    wireguard: new WireGuardHost(ssh, iface, SCRIPTS),
    iface,
    state,
    canary: join(folder, 'canary'),
    wg: (verb, ...args) =>
      execFileSync('wg', verb === 'dump' ? ['show', iface, 'dump'] : ['set', iface, ...args], {
        encoding: 'utf8',
      }),
  }
}

async function startWireGuard(t: Test, spaces: Spaces, iface: string, folder: string): Promise<void> {
  const space = await spaces.add('host', {})
  t.teardown(() => spaces.remove())
  const wireguard = space.spawn('wireguard-go', ['-f', iface], { stdio: 'ignore' })
  t.teardown(() => void wireguard.kill())
  await until('wireguard-go answers', () => takesOrders(iface))
  const path = join(folder, 'private')
  writeFileSync(path, text(newKeyPair().privateKey), { mode: 0o600 })
  execFileSync('wg', ['set', iface, 'private-key', path, 'listen-port', '51820'])
}

function sshTo({ port, user, hostKey, userKey }: Sshd): SshHost {
  return new SshHost({
    clock: systemClock,
    address: { user, host: '127.0.0.1', port },
    login: { kind: 'key', key: keyOf(readFileSync(userKey)) },
    hostKey,
    settings: { login: 'WG_SSH_KEY', hostKey: 'WG_SSH_HOST_KEY' },
    alarm: () => undefined,
  })
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
const padded = (lines: string): string =>
  Buffer.from(`${lines}\n`).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
const sorted = (dump: string): readonly string[] => dump.split('\n').toSorted()
