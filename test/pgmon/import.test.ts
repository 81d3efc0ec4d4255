/** An installation of PostgreSQL Activity Monitor, taken over: P-05, P-14. */
import { execFileSync, spawnSync } from 'node:child_process'
import { createCipheriv, createHmac, generateKeyPairSync, randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import t from 'tap'
import { openFernet, readFernetKey } from '../../src/pgmon/import/fernet.js'
import { keyText } from '../../src/pgmon/ssh-keys/key-text.js'
import { restServer } from '../support/rest-server.js'

/** Of the specification: https://github.com/fernet/spec */
const VECTOR = {
  token:
    'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==',
  secret: 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=',
  src: 'hello',
}
const SECRET = VECTOR.secret
const python = spawnSync('python3', ['-c', 'import cryptography.fernet']).status === 0

t.test('a Fernet token is opened as the specification says, and as it stands or not at all', async t => {
  const key = readFernetKey(VECTOR.secret)
  if (key === null) throw new Error('it is a key')
  t.equal(openFernet(VECTOR.token, key), VECTOR.src)
  t.equal(openFernet(sealed('пароль'), key), 'пароль')
  const bytes = Buffer.from(VECTOR.token, 'base64url')
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    t.equal(openFernet(changed.toString('base64url'), key), null, `byte ${at}`)
  }
  for (const token of [
    '',
    'gAAAAA',
    '%%%%',
    VECTOR.token.slice(0, -8),
    `${VECTOR.token}AAAA`,
    'g'.repeat(1_000),
  ])
    t.equal(openFernet(token, key), null, token.slice(0, 20))
  t.equal(openFernet(sealed('', { padding: Buffer.alloc(16) }), key), null, 'signed, and badly padded')
  t.equal(openFernet(sealed('x', { version: 0x81 }), key), null, 'another version')
  for (const text of ['', 'short', `${VECTOR.secret}AAAA`, '!'.repeat(44)])
    t.equal(readFernetKey(text), null, text)
})

t.test('what Python seals is opened', { skip: !python && 'python3 has no cryptography' }, async t => {
  const program =
    'from cryptography.fernet import Fernet; k = Fernet.generate_key(); print(k.decode()); print(Fernet(k).encrypt("пароль".encode()).decode())'
  const [secret = '', token = ''] = execFileSync('python3', ['-c', program], { encoding: 'utf8' }).split('\n')
  const key = readFernetKey(`${secret}\n`)
  t.equal(key && openFernet(token, key), 'пароль')
})

t.test('P-14: servers and keys of an installation are taken over, once', async t => {
  const lines: string[] = []
  const { ask } = await restServer(t, { lines, env: { BOSON_PGMON_NETWORKS: '127.0.0.1' } })
  const loaded = () => Object.keys(createRequire(import.meta.url).cache).some(path => path.includes('/ssh2/'))
  t.notOk(loaded(), 'a coordinator without SSH does not load what speaks it')

  const pair = generateKeyPairSync('ed25519').privateKey
  const locked = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey
  const lockedText = locked
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'of the key' })
    .toString()
  const installation = {
    encryption_key: `${SECRET}\n`,
    tls: 'disable',
    ssh_keys: [
      {
        id: 'uuid-1',
        name: 'main key',
        private_key: sealed(keyText(pair)),
        key_type: 'ed25519',
        servers_count: 2,
      },
      { id: 'uuid-2', name: 'locked', private_key: sealed(lockedText), has_passphrase: true },
      { id: 'uuid-3', name: 'no key', private_key: sealed('hello') },
      { id: 'uuid-4', name: 'a\u0007bell', private_key: sealed(keyText(pair)) },
    ],
    servers: [
      {
        name: 'Prod DB #1',
        host: '127.0.0.1',
        port: 5_433,
        user: 'monitor',
        password: sealed('of prod'),
        stats_db: 'stats',
        ssh_user: 'root',
        ssh_password: sealed(''),
        ssh_port: 2_222,
        ssh_auth_type: 'key',
        ssh_key_id: 'uuid-1',
        ssh_key_passphrase: null,
      },
      {
        ...server('behind-password'),
        ssh_user: 'pg',
        ssh_password: sealed('by ssh'),
        ssh_auth_type: 'password',
      },
      {
        ...server('behind-locked'),
        ssh_user: 'pg',
        ssh_auth_type: 'key',
        ssh_key_id: 'uuid-2',
        ssh_key_passphrase: sealed(sealed('of the key')),
      },
      { ...server('without-key'), ssh_user: 'pg', ssh_auth_type: 'key', ssh_key_id: 'uuid-3' },
      { ...server('plain'), password: 'as it is' },
      { ...server('sealed-otherwise'), password: sealed('x', { key: randomBytes(32) }) },
      { ...server('inside'), host: '10.1.2.3' },
      { ...server('nowhere'), host: 'host=/tmp' },
    ],
    users: [{ login: 'boss', role: 'admin', password: '$2b$12$aaaaaaaaaaaaaaaaaaaaaa' }],
  }
  const send = (more: object = {}) => ask('POST', '/pgmon/import', { body: { ...installation, ...more } })
  const outcomes = (entries: readonly { name: string; outcome: string }[]) =>
    Object.fromEntries(entries.map(({ name, outcome }) => [name, outcome]))

  const trial = await send({ dry_run: true })
  t.equal(trial.status, 200, JSON.stringify(trial.body))
  t.equal((await ask('GET', '/pgmon/ssh-keys')).body.total, 0, 'a trial keeps nothing')
  t.equal((await ask('GET', '/pgmon/servers')).body.total, 1)

  const done = await send()
  t.same({ ...done.body, dry_run: true }, trial.body, 'and tells what will be')
  t.same(outcomes(done.body.ssh_keys), {
    'main key': 'imported',
    locked: 'imported',
    'no key': 'failed',
    'a\u0007bell': 'failed',
  })
  t.same(outcomes(done.body.servers), {
    'Prod-DB-1': 'imported',
    'behind-password': 'imported',
    'behind-locked': 'imported',
    'without-key': 'imported',
    plain: 'imported',
    'sealed-otherwise': 'failed',
    inside: 'failed',
    nowhere: 'failed',
  })
  const why = Object.fromEntries(
    done.body.servers.map(({ name, message }: { name: string; message: string }) => [name, message]),
  )
  t.match(why, {
    'Prod-DB-1': /pin the key/,
    'without-key': /uuid-3 was not imported/,
    plain: null,
    'sealed-otherwise': /does not open with this encryption_key/,
    inside: /BOSON_PGMON_NETWORKS/,
    nowhere: /host: wanted a name or an address/,
  })
  t.match(done.body.users, [{ name: 'boss', outcome: 'password_needed' }])

  t.notOk(loaded(), 'keys are opened in a thread')
  const { openKey } = await import('../../src/pgmon/ssh-keys/open-key.js')
  const { ssh_keys } = (await ask('GET', '/pgmon/ssh-keys?sort=name')).body
  t.match(ssh_keys, [
    {
      name: 'locked',
      key_type: 'rsa',
      servers_count: 1,
      fingerprint: openKey(keyText(locked), null).fingerprint,
    },
    {
      name: 'main key',
      key_type: 'ed25519',
      servers_count: 1,
      fingerprint: openKey(keyText(pair), null).fingerprint,
    },
  ])
  t.match((await ask('GET', '/pgmon/servers/Prod-DB-1')).body, {
    port: 5_433,
    database: 'stats',
    pool: 'stats_db',
    tls: 'disable',
    has_password: true,
    ssh_auth: 'key',
    ssh_port: 2_222,
    ssh_user: 'root',
    ssh_host_key: null,
  })
  t.match((await ask('GET', '/pgmon/servers/behind-password')).body, {
    ssh_auth: 'password',
    has_ssh_password: true,
  })
  t.match((await ask('GET', '/pgmon/servers/without-key')).body, { ssh_auth: 'none' })

  const again = (await send()).body
  t.same(
    new Set(Object.values(outcomes([...again.ssh_keys, ...again.servers]))),
    new Set(['exists', 'failed']),
  )
  const { body: audit } = await ask('GET', '/api/v1/audit?kind=monitored_server.added')
  t.match(audit.audit.length, 5)
  const told = JSON.stringify([done.body, again, audit, lines])
  for (const secret of ['of prod', 'by ssh', 'of the key', 'as it is', SECRET, '$2b$'])
    t.notOk(told.includes(secret), secret)

  // Files of another shape.
  const { name, ...fields } = server('db1')
  const byName = { encryption_key: SECRET, servers: { [name]: { ...fields, port: '5432', new_field: 1 } } }
  t.match(await ask('POST', '/pgmon/import', { body: byName }), {
    status: 200,
    body: { servers: [{ name: 'db1', outcome: 'imported' }] },
  })
  for (const body of [
    {},
    { encryption_key: SECRET },
    { encryption_key: 'x', servers: [] },
    { encryption_key: SECRET, servers: [null] },
    { encryption_key: SECRET, servers: { a: 'b' } },
    { encryption_key: SECRET, servers: [server('a')], other: 1 },
    { encryption_key: SECRET, servers: Array.from({ length: 1_001 }, () => server('a')) },
  ])
    t.equal((await ask('POST', '/pgmon/import', { body })).status, 400, JSON.stringify(body).slice(0, 80))
})

function server(name: string) {
  return { name, host: '127.0.0.1', port: 5_432, user: 'monitor', password: sealed('secret'), ssh_user: '' }
}

interface Otherwise {
  readonly key?: Buffer
  readonly version?: number
  /** What the plain text is ended by, instead of what it should be. */
  readonly padding?: Buffer
}

/** Returns a token as Python makes them. */
function sealed(
  text: string,
  { key = Buffer.from(SECRET, 'base64url'), version = 0x80, padding }: Otherwise = {},
): string {
  const iv = randomBytes(16)
  const time = Buffer.alloc(8)
  time.writeUInt32BE(1_700_000_000, 4)
  const cipher = createCipheriv('aes-128-cbc', key.subarray(16), iv).setAutoPadding(padding === undefined)
  const ciphertext = Buffer.concat([
    cipher.update(Buffer.concat([Buffer.from(text), padding ?? Buffer.alloc(0)])),
    cipher.final(),
  ])
  const signed = Buffer.concat([Buffer.from([version]), time, iv, ciphertext])
  return Buffer.concat([signed, createHmac('sha256', key.subarray(0, 16)).update(signed).digest()])
    .toString('base64')
    .replaceAll('+', '-')
    .replaceAll('/', '_')
}
