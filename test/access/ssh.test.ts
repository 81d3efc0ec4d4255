/** Peers on a WireGuard host that is reached by SSH: V-09. */
import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import type { WantedPeer } from '../../src/access/ports.js'
import { Addresses } from '../../src/access/ssh/addresses.js'
import { SshProvisioner } from '../../src/access/ssh/ssh-provisioner.js'
import { WireGuardHost } from '../../src/access/ssh/wireguard-host.js'
import type { AccessTables } from '../../src/access/tables.js'
import { Counters } from '../../src/access/wireguard/counters.js'
import { systemClock } from '../../src/kit/clock.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { SshHost } from '../../src/ssh/ssh-host.js'
import type { Room } from '../../src/store/rooms.js'
import { startPostgres } from '../parts/postgres.js'
import { accessRoom } from '../support/access-room.js'
import { ImpatientClock } from '../support/impatient-clock.js'
import {
  type FakeSshHost,
  INTERFACE,
  KEY,
  keyOf,
  newKeyText,
  SCRIPTS,
  startSshHost,
  USER,
} from '../support/ssh-host.js'
import { until } from '../support/until.js'

const room = await accessRoom(t)
const account = await newAccount(room)

t.test('V-09: a peer is made, disabled, enabled and removed, and only what is ours', async t => {
  const fake = await startSshHost(t)
  const ssh = provisioner(fake)
  const other = text(newKeyPair().publicKey)
  fake.peers.set(other, { allowedIps: '10.8.0.2/32', received: 5, sent: 5, isOurs: false })

  const peer = await newPeer(room)
  const made = await ssh.apply(peer)
  t.match(made, { privateKey: null, overlay4: '10.8.0.3', overlay6: 'fd08::3' }, 'past addresses of others')
  t.equal(fake.peers.get(key(peer))?.allowedIps, '10.8.0.3/32,fd08::3/128')
  const known = { ...peer, overlay4: made.overlay4, overlay6: made.overlay6 }
  const ran = fake.ran.length
  await ssh.apply(known)
  t.equal(fake.ran.length, ran + 1, 'asking again takes one command, and changes nothing')
  t.equal(fake.peers.size, 2)

  await ssh.apply({ ...known, enabled: false })
  t.notOk(fake.peers.has(key(peer)), 'who may not carry is not there')
  t.match(await ssh.apply(known), { overlay4: '10.8.0.3' }, 'and comes back to the same address')
  await ssh.remove(known)
  await ssh.remove(known)
  t.same([...fake.peers.keys()], [other])
  await t.rejects(ssh.apply({ ...peer, publicKey: Buffer.from(other, 'base64') }), {
    code: 'PROVISION_REFUSED',
    message: /already/,
  })
  t.same(await ssh.server(), {
    publicKey: KEY,
    endpoint: '127.0.0.1:51820',
    allowedIps: ['0.0.0.0/0'],
    dns: ['10.8.0.1'],
  })
})

t.test('V-09: nothing is told to the host unless WG_APPLY_ENABLED is set', async t => {
  const fake = await startSshHost(t)
  const ssh = provisioner(fake, { isOn: false })
  const peer = await newPeer(room)
  const asked: (() => Promise<unknown>)[] = [
    () => ssh.apply(peer),
    () => ssh.remove(peer),
    () => ssh.usage(),
    () => ssh.present(),
    () => ssh.tidy(),
    () => ssh.server(),
  ]
  for (const ask of asked) await t.rejects(ask, { code: 'SSH_OFF', message: /WG_APPLY_ENABLED/ })
  t.equal(fake.letIn, 0)
})

t.test('a host that shows another key is told nothing, and somebody hears of it', async t => {
  const fake = await startSshHost(t)
  const seen: string[] = []
  const ssh = host(fake, { hostKey: `SHA256:${'A'.repeat(43)}`, alarm: one => seen.push(one) })
  await t.rejects(ssh.list(), { code: 'SSH_HOST_KEY_CHANGED', message: /somebody may stand in between/ })
  t.same(seen, [fake.hostKey])
  t.equal(fake.letIn, 0, 'not even our key')
  t.equal(fake.ran.length, 0)
})

t.test('a host that nobody has vouched for is told nothing; which key it shows is told to us', async t => {
  const fake = await startSshHost(t)
  await t.rejects(host(fake, { hostKey: null }).list(), {
    code: 'SSH_HOST_KEY_UNKNOWN',
    message: `WG_SSH_HOST_KEY=${fake.hostKey}`,
  })
  t.equal(fake.letIn, 0)
})

t.test('a key that the host does not know is told from a host that is away', async t => {
  const fake = await startSshHost(t)
  const stranger = keyOf(newKeyText())
  await t.rejects(host(fake, { key: stranger }).list(), {
    code: 'SSH_UNAUTHORISED',
    message: /authorized_keys/,
  })
  const silent = createServer(() => undefined)
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo // it listens on a port
  t.teardown(() => silent.close())
  const clock = new ImpatientClock()
  clock.hurry()
  await t.rejects(host(fake, { clock, port }).list(), { code: 'SSH_AWAY', message: /no connection in time/ })
  await t.rejects(host(fake, { port: 9 }).list(), { code: 'SSH_AWAY' })
})

t.test('a command that hangs, floods, fails or talks nonsense is given up', async t => {
  const fake = await startSshHost(t)
  const clock = new ImpatientClock()
  const ssh = host(fake, { clock })
  await ssh.list()
  fake.intercept = () => 'hang'
  clock.hurry(700)
  await t.rejects(ssh.list(), { code: 'SSH_AWAY', message: /too long/ })
  clock.relax()
  fake.intercept = () => ({ code: 0, output: 'x'.repeat(70 * 1024) })
  await t.rejects(ssh.apply({ publicKey: new Uint8Array(32), overlay4: '10.8.0.2', overlay6: null }), {
    code: 'SSH_ANSWER',
    message: /more than 65536 bytes/,
  })
  fake.intercept = () => ({ code: 0, complaint: 'x'.repeat(2 << 20) })
  await t.rejects(ssh.list(), { code: 'SSH_ANSWER', message: /more than/ })
  fake.intercept = () => ({ code: 3, complaint: 'wg: \u001b[2Jno\rsuch\u0000 device\nand more' })
  await t.rejects(ssh.list(), { code: 'SSH_ANSWER', message: 'ended with 3: wg: ·[2Jno·such· device' })
  for (const output of [
    '',
    'end\n',
    `interface\t${KEY}\t51820\n`,
    `interface\t${KEY}\t51820\nend`,
    `interface\tnone\t51820\nend\n`,
    `interface\t${KEY}\t51820\npeer\t${KEY}\t10.8.0.2/32\t-1\t0\tours\nend\n`,
    `interface\t${KEY}\t51820\npeer\t../../etc\t10.8.0.2/32\t1\t0\tours\nend\n`,
  ]) {
    fake.intercept = () => ({ code: 0, output })
    await t.rejects(ssh.list(), { code: 'SSH_ANSWER', message: /otherwise/ }, JSON.stringify(output))
  }
})

t.test('one host is asked for four things at once, and the others wait', async t => {
  const fake = await startSshHost(t)
  const ssh = host(fake)
  let release = () => {}
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  fake.intercept = async () => {
    await held
    return { code: 0, output: `interface\t${KEY}\t51820\nend\n` }
  }
  const asked = Promise.all(Array.from({ length: 10 }, () => ssh.list()))
  await until('four are under way', () => fake.running === 4)
  release()
  await asked
  t.equal(fake.runningMost, 4)
  t.equal(fake.ran.length, 10)
})

t.test('no two peers have one address, however many ask at once, in either database', async t => {
  const postgres = await startPostgres(t)
  const rooms = [room, ...('missing' in postgres ? [] : [await accessRoom(t, await postgres.schema())])]
  for (const one of rooms) {
    if (one !== room) await newAccount(one)
    const addresses = new Addresses(one, '10.9.0.0/27', null)
    const peers = await Promise.all(Array.from({ length: 20 }, () => newPeer(one)))
    const given = await Promise.all(peers.map(({ peerId }) => addresses.of(peerId, () => false)))
    const texts = given.map(({ overlay4 }) => overlay4)
    t.equal(new Set(texts).size, 20, one.kind)
    t.ok(texts.includes('10.9.0.2') && texts.includes('10.9.0.21'), 'the lowest ones')
    t.same(await addresses.of(peers[0]?.peerId ?? 0, () => false), given[0], 'whoever has one keeps it')
    const full = new Addresses(one, '10.9.1.0/30', null)
    await full.of((await newPeer(one)).peerId, () => false)
    await t.rejects(
      full.of((await newPeer(one)).peerId, () => false),
      { code: 'SSH_SETTINGS', message: /WG_POOL4/ },
    )
  }
})

t.test('what is otherwise on the host is seen: gone, another’s address, not ours to judge', async t => {
  const fake = await startSshHost(t)
  const ssh = provisioner(fake)
  const [a, b, c] = [await newPeer(room), await newPeer(room), await newPeer(room)]
  for (const peer of [a, b, c]) await ssh.apply(peer)
  fake.peers.delete(key(a))
  Object.assign(fake.peers.get(key(b)) ?? {}, { allowedIps: '0.0.0.0/0' })
  const other = text(newKeyPair().publicKey)
  fake.peers.set(other, { allowedIps: '10.8.0.200/32', received: 0, sent: 0, isOurs: false })
  const present = await ssh.present()
  t.same(
    [present.has(key(a)), present.get(key(b)), present.get(key(c)), present.has(other)],
    [false, false, true, false],
  )
  for (const peer of [a, b]) await ssh.apply(peer)
  t.same(
    [...(await ssh.present()).values()].filter(carries => !carries),
    [],
    'until they are applied again',
  )
})

t.test('what is ours and nobody’s is taken away; what is set up, or another’s, stays', async t => {
  const fake = await startSshHost(t)
  const ssh = provisioner(fake)
  const [kept, removed, removing] = [await newPeer(room), await newPeer(room), await newPeer(room)]
  for (const peer of [kept, removed, removing]) await ssh.apply(peer)
  await change(removed, { removed_at: new Date(), due_at: null })
  await change(removing, { removed_at: new Date(), due_at: new Date() })
  const [lost, other] = [text(newKeyPair().publicKey), text(newKeyPair().publicKey)]
  fake.peers.set(lost, { allowedIps: '10.8.0.201/32', received: 0, sent: 0, isOurs: true })
  fake.peers.set(other, { allowedIps: '10.8.0.202/32', received: 0, sent: 0, isOurs: false })
  t.equal(await ssh.tidy(), 2)
  t.same(new Set(fake.peers.keys()), new Set([key(kept), key(removing), other]))
  t.equal(await ssh.tidy(), 0)
})

t.test(
  'a host may make the keys; none is taken away while one of them is written down by nobody yet',
  async t => {
    const fake = await startSshHost(t)
    const ssh = provisioner(fake, { makesKeys: true })
    const peer = await newPeer(room, null)
    fake.peers.set(text(newKeyPair().publicKey), {
      allowedIps: '10.8.0.203/32',
      received: 0,
      sent: 0,
      isOurs: true,
    })
    t.equal(await ssh.tidy(), 0)
    t.match(await ssh.apply(peer), { privateKey: KEY, publicKey: Buffer.from(KEY, 'base64') })
    await t.rejects(provisioner(fake).apply(await newPeer(room, null)), { code: 'PROVISION_REFUSED' })
  },
)

t.test('bytes are counted since ever, over a restart of the host and being disabled', async t => {
  const fake = await startSshHost(t)
  const ssh = provisioner(fake)
  const peer = await newPeer(room)
  await ssh.apply(peer)
  const move = (received: number) => {
    const held = fake.peers.get(key(peer))
    if (held !== undefined) held.received += received
  }
  move(1_000)
  t.equal((await ssh.usage()).get(key(peer)), 1_000)
  move(50)
  await ssh.apply({ ...peer, enabled: false })
  await ssh.apply(peer)
  move(2_000)
  t.equal((await ssh.usage()).get(key(peer)), 3_050)
})

t.test(
  'whatever names and addresses a database has, commands are the same and input is printed anew',
  async t => {
    const fake = await startSshHost(t)
    const ssh = provisioner(fake)
    const CORPUS = [
      '; id',
      '& id',
      '| id',
      '$(id)',
      '`id`',
      '\n id',
      '\u0001',
      '-oProxyCommand=id',
      '../../x',
      '%s',
      '0.0.0.0/0',
    ]
    for (const bad of CORPUS) {
      const peer = { ...(await newPeer(room)), identityId: bad, name: bad, externalId: bad }
      await ssh.apply(peer)
      for (const overlay of [
        { overlay4: bad, overlay6: null },
        { overlay4: '10.8.99.9', overlay6: bad },
      ]) {
        await change(peer, overlay)
        await t.rejects(
          ssh.apply({ ...peer, ...overlay }),
          { code: 'PROVISION_REFUSED' },
          JSON.stringify(bad),
        )
      }
      await change(peer, { overlay4: null, overlay6: null })
    }
    const commands = new Set(fake.ran.map(({ command }) => command))
    t.same([...commands], [SCRIPTS.apply])
    for (const { input } of fake.ran) {
      t.match(input, /^[\w-]+=*\n$/)
      for (const line of Buffer.from(input, 'base64url').toString().trim().split('\n'))
        t.match(line, /^\{"interface":"wg0"\}$|^\{"publicKey":"[\w+/]{43}=","allowedIps":"[\d.:a-f/,]+"\}$/)
    }
  },
)

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const key = ({ publicKey }: WantedPeer): string => text(publicKey ?? new Uint8Array())

async function newAccount(db: Room<AccessTables>): Promise<string> {
  await db.ask(tx =>
    tx
      .insertInto('accounts')
      .values({
        account_id: 'acc',
        name: 'ada',
        name_key: 'ada',
        role: 'user',
        password_hash: '',
        epoch: 0,
        disabled_at: null,
        created_at: new Date(),
        last_sign_in_at: null,
      })
      .execute(),
  )
  return 'acc'
}

async function newPeer(
  db: Room<AccessTables>,
  publicKey: Uint8Array | null = newKeyPair().publicKey,
): Promise<WantedPeer> {
  const { peer_id, identity_id } = await db.ask(tx =>
    tx
      .insertInto('peers')
      .values({
        account_id: account,
        name: 'phone',
        public_key: publicKey,
        provisioner: 'ssh',
        is_active: true,
        due_at: new Date(),
        attempts: 0,
        created_at: new Date(),
      })
      .returning(['peer_id', 'identity_id'])
      .executeTakeFirstOrThrow(),
  )
  return {
    peerId: peer_id,
    identityId: identity_id,
    name: 'phone',
    publicKey,
    overlay4: null,
    overlay6: null,
    externalId: null,
    enabled: true,
  }
}

const change = ({ peerId }: WantedPeer, values: object) =>
  room.ask(db => db.updateTable('peers').set(values).where('peer_id', '=', peerId).execute())

interface Wish {
  readonly clock?: typeof systemClock
  readonly key?: FakeSshHost['userKey']
  readonly hostKey?: string | null
  readonly port?: number
  readonly alarm?: (seen: string) => void
  readonly makesKeys?: boolean
  readonly isOn?: boolean
}

function host(fake: FakeSshHost, wish: Wish = {}): WireGuardHost {
  const { clock = systemClock, key: userKey = fake.userKey, hostKey = fake.hostKey, port = fake.port } = wish
  const ssh = new SshHost({
    clock,
    address: { user: USER, host: '127.0.0.1', port },
    login: { kind: 'key', key: userKey },
    hostKey,
    settings: { login: 'WG_SSH_KEY', hostKey: 'WG_SSH_HOST_KEY' },
    alarm: wish.alarm ?? (() => undefined),
  })
  const { apply, remove, makeKey } = SCRIPTS
  return new WireGuardHost(ssh, INTERFACE, {
    apply,
    remove,
    makeKey: wish.makesKeys === true ? makeKey : null,
  })
}

let sources = 0
const provisioner = (fake: FakeSshHost, wish: Wish = {}): SshProvisioner =>
  new SshProvisioner({
    clock: systemClock,
    room,
    host: host(fake, wish),
    addresses: new Addresses(room, '10.8.0.0/24', 'fd08::/64'),
    counters: new Counters(room, `ssh ${sources++}`),
    isOn: wish.isOn ?? true,
    server: { endpoint: null, host: '127.0.0.1', allowedIps: ['0.0.0.0/0'], dns: ['10.8.0.1'] },
  })
