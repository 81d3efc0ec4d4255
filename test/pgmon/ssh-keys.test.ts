/** The SSH keys of the monitor: made, brought along, and never given out. P-05. */
import { execFileSync, spawnSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import type { Plugin } from '../../src/app/plugin.js'
import { pgmon } from '../../src/pgmon/plugin.js'
import { keyText } from '../../src/pgmon/ssh-keys/key-text.js'
import { openKey } from '../../src/pgmon/ssh-keys/open-key.js'
import type { MonitorTables } from '../../src/pgmon/tables.js'
import { readPrivateKey } from '../../src/ssh/private-key.js'
import type { Room } from '../../src/store/rooms.js'
import { onEachDatabase, OPERATOR, type RestServer, type Start } from '../support/rest-server.js'
import { shortFolder } from '../support/short-folder.js'

const hasKeygen = spawnSync('ssh-keygen', ['-?']).error === undefined
const skip = hasKeygen ? false : 'ssh-keygen is not installed'
const PASSPHRASE = 'correct horse'
const folder = shortFolder()
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

/** Reads tables behind the coordinator’s back. */
let room: Room<MonitorTables>
const spy: Plugin = {
  name: 'spy',
  async start(_, host) {
    room = await host.room<MonitorTables>()
    return { routes: [], stop: async () => undefined }
  },
}
const AT = '/pgmon/ssh-keys'

t.test('on each database', t => onEachDatabase(t, keysAreKept))

async function keysAreKept(t: Test, start: Start): Promise<void> {
  const lines: string[] = []
  const server = await start({ plugins: [pgmon, spy], lines })
  const { ask } = server
  /** Pieces of private keys, one of which is enough to have the key. */
  const canaries: string[] = []

  await t.test('P-05: a key is made, listed, renamed, given out in public, and removed', async t => {
    const made = await ask('POST', `${AT}/generate`, {
      body: { name: 'data bases/1', key_type: 'ed25519', description: 'all of them' },
    })
    t.match(made, {
      status: 201,
      body: { key_type: 'ed25519', bits: null, servers_count: 0, created_by: 'operator' },
    })
    const { id, public_key, fingerprint } = made.body
    t.match(fingerprint, /^SHA256:[\w+/]{43}$/)
    t.match(public_key, /^ssh-ed25519 AAAA\S+ data bases\/1$/)
    t.same((await ask('GET', `${AT}/${id}`)).body, made.body)
    t.match((await ask('GET', AT)).body, { ssh_keys: [{ id }], count: 1, total: 1 })
    t.match(await ask('PUT', `${AT}/${id}`, { body: { name: 'main', description: 'two' } }), {
      status: 200,
      body: { id, name: 'main', description: 'two', fingerprint },
    })
    const { headers, body } = await ask('GET', `${AT}/${id}/download-public`)
    t.equal(headers.get('content-disposition'), 'attachment; filename="main.pub"')
    t.match(headers.get('content-type'), /^text\/plain/)
    if (hasKeygen) t.equal(printOf(body), fingerprint, 'ssh-keygen tells the same')
    t.equal((await ask('DELETE', `${AT}/${id}`)).status, 204)
    for (const [method, path] of [
      ['GET', ''],
      ['PUT', ''],
      ['DELETE', ''],
      ['GET', '/servers'],
      ['GET', '/download-public'],
    ] as const)
      t.match(
        await ask(method, `${AT}/${id}${path}`, method === 'PUT' ? { body: { name: 'x' } } : {}),
        { status: 404, body: { code: 'not_found' } },
        `${method} ${path}`,
      )
  })

  await t.test('P-05: RSA keys are made beside the event loop', async t => {
    let turns = 0
    const counting = setInterval(() => turns++, 5)
    const sizes = await Promise.all(
      [2_048, 3_072].map(async key_size => {
        const body = { name: `rsa ${key_size}`, key_type: 'rsa', key_size }
        return (await ask('POST', `${AT}/generate`, { body })).body
      }),
    )
    clearInterval(counting)
    t.match(sizes, [
      { key_type: 'rsa', bits: 2_048 },
      { key_type: 'rsa', bits: 3_072 },
    ])
    t.ok(turns > 10, `${turns} turns of the event loop meanwhile`)
    for (const { public_key, fingerprint } of hasKeygen ? sizes : [])
      t.equal(printOf(public_key), fingerprint)
    for (const body of [
      { name: 'x', key_type: 'rsa', key_size: 1_024 },
      { name: 'x', key_type: 'dsa' },
      { name: 'x', key_type: 'ed25519', key_size: 4_096 },
      { name: '', key_type: 'ed25519' },
      { name: 'a\u0007b', key_type: 'ed25519' },
      { name: ' a', key_type: 'ed25519' },
      { name: 'x', key_type: 'ed25519', private_key: 'x' },
    ])
      t.match(await ask('POST', `${AT}/generate`, { body }), { status: 400 }, JSON.stringify(body))
  })

  await t.test(
    'P-05: a key is taken as text and as a file, with its passphrase or without one',
    { skip },
    async t => {
      for (const [i, { what, text, passphrase, print }] of files().slice(0, 2).entries()) {
        canaries.push(...piecesOf(text, passphrase))
        const words = { name: what, description: '', ...(passphrase !== null && { passphrase }) }
        const { status, body } =
          i % 2 === 0
            ? await ask('POST', `${AT}/import`, { body: { ...words, private_key: text } })
            : await sendFile(server, { ...words, file: text })
        t.equal(status, 201, `${what}: ${JSON.stringify(body)}`)
        t.equal(body.fingerprint, print, what)
      }
      const [first] = files()
      t.match(
        await ask('POST', `${AT}/import`, { body: { name: 'again', private_key: first?.text } }),
        { status: 409, body: { detail: /under the name ed25519/ } },
        'the same key is there once',
      )
    },
  )

  await t.test('P-05: what is no key is refused, and not repeated', { skip }, async t => {
    const some = ['words', 'no passphrase', 'endless rounds']
    for (const [what, body, detail] of refused().filter(([name]) => some.includes(name))) {
      const answer = await ask('POST', `${AT}/import`, { body: { name: what, ...body } })
      t.match(answer, { status: 400, body: { detail } }, what)
      const [line = ''] = body.private_key.split('\n').filter(one => /^[\w+/]{40,}/.test(one))
      t.notOk(line !== '' && JSON.stringify(answer.body).includes(line), 'not a line of it')
    }
    t.match(await sendFile(server, { file: 'x' }), { status: 400, body: { detail: /name/ } })
    t.match(await sendFile(server, { file: 'x', name: 'a', other: 'b' }), {
      status: 400,
      body: { detail: /other/ },
    })
    const headers = { 'content-type': 'multipart/form-data; boundary=x' }
    for (const body of [
      '',
      '--x',
      '--x\r\n\r\n--x--',
      'x'.repeat(1_000),
      '--x\r\nContent-Disposition: form-data; name="a"',
    ])
      t.match(await ask('POST', `${AT}/import-file`, { body, headers }), { status: 400 })
    t.match(await ask('POST', `${AT}/import-file`, { body: {} }), { status: 415 })
    const twice = ['a', 'b'].map(
      name => `--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n${name}\r\n`,
    )
    t.match(await ask('POST', `${AT}/import-file`, { body: `${twice.join('')}--x--\r\n`, headers }), {
      status: 400,
      body: { detail: /once/ },
    })
    t.match(await sendFile(server, { file: 'x'.repeat(70_000), name: 'a' }), { status: 413 })
  })

  await t.test('P-05: of many who want one name, or bring one key, exactly one gets it', async t => {
    const names = await Promise.all(
      Array.from({ length: 4 }, () =>
        ask('POST', `${AT}/generate`, { body: { name: 'wanted', key_type: 'ed25519' } }),
      ),
    )
    t.same(statusesOf(names), [201, 409, 409, 409])
    const private_key = keyText(generateKeyPairSync('ed25519').privateKey)
    canaries.push(...piecesOf(private_key, null))
    const keys = await Promise.all(
      Array.from({ length: 4 }, (_, i) =>
        ask('POST', `${AT}/import`, { body: { name: `same ${i}`, private_key } }),
      ),
    )
    t.same(statusesOf(keys), [201, 409, 409, 409])
    const { id } = names.find(({ status }) => status === 201)?.body ?? {}
    const other = keys.find(({ status }) => status === 201)?.body
    t.match(await ask('PUT', `${AT}/${id}`, { body: { name: other.name } }), { status: 409 })
    const gone = await Promise.all([1, 2, 3].map(() => ask('DELETE', `${AT}/${id}`)))
    t.same(statusesOf(gone), [204, 404, 404])
  })

  await t.test('P-05: a key that servers use stays, and says which they are', async t => {
    const { body } = await ask('POST', `${AT}/generate`, { body: { name: 'in use', key_type: 'ed25519' } })
    await useOn(['db-2', 'db-1'], body.id)
    t.match((await ask('GET', `${AT}/${body.id}/servers`)).body, {
      servers: [{ name: 'db-1' }, { name: 'db-2' }],
      total: 2,
    })
    t.match((await ask('GET', `${AT}/${body.id}`)).body, { servers_count: 2 })
    t.match(await ask('DELETE', `${AT}/${body.id}`), {
      status: 409,
      body: { detail: /db-1, db-2 use it/ },
    })
    await room.ask(db => db.deleteFrom('pgmon_servers').where('name', 'in', ['db-1', 'db-2']).execute())
    t.equal((await ask('DELETE', `${AT}/${body.id}`)).status, 204)
  })

  await t.test('P-05: a private key is in no table, answer, audit line or log line', async t => {
    const told = [
      ...lines,
      ...(
        await Promise.all([AT, '/api/v1/audit?limit=1000', '/openapi.json'].map(path => ask('GET', path)))
      ).map(({ body }) => JSON.stringify(body)),
      ...(await everyRow()),
    ]
    t.ok(told.length > 30, `${told.length} texts`)
    t.ok(canaries.length > 0)
    for (const canary of canaries)
      t.notOk(
        told.find(text => text.includes(canary)),
        canary.slice(0, 12),
      )
    const { body } = await ask('GET', '/api/v1/audit?kind=ssh_key.imported')
    t.match(body.audit[0], {
      kind: 'ssh_key.imported',
      actor: 'operator',
      detail: { fingerprint: /^SHA256:/ },
    })
  })
}

t.test('P-05: keys are read as OpenSSH and PEM write them', { skip }, async t => {
  for (const { what, text, passphrase, print } of files())
    t.equal(openKey(text, passphrase).fingerprint, print, what)
})

t.test(
  'P-05: a key that nobody should use, or that takes too long to open, is refused',
  { skip },
  async t => {
    for (const [what, { private_key, passphrase = null }, message] of refused())
      t.throws(() => openKey(private_key, passphrase), { code: 'KEY_COMPLAINT', message }, what)
  },
)

t.test('of 2000 keys that are made, every one can be read', async t => {
  let unreadable = 0
  for (let i = 0; i < 2_000; i++) {
    const { privateKey } = generateKeyPairSync('ed25519')
    try {
      const key = readPrivateKey(keyText(privateKey))
      if (!key.getPublicSSH().subarray(-32).equals(publicBytes(privateKey))) unreadable++
    } catch {
      unreadable++
    }
  }
  t.equal(unreadable, 0)
})

t.test('OpenSSH reads what we write', { skip }, async t => {
  const path = join(folder, 'written')
  for (const pair of [
    generateKeyPairSync('ed25519'),
    generateKeyPairSync('rsa', { modulusLength: 2_048 }),
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ]) {
    writeFileSync(path, keyText(pair.privateKey))
    chmodSync(path, 0o600)
    const [type = '', blob = ''] = execFileSync('ssh-keygen', ['-yf', path], { encoding: 'utf8' }).split(' ')
    const { publicKey } = openKey(keyText(pair.privateKey), null)
    t.equal(publicKey, `${type} ${blob.trim()}`)
  }
})

const statusesOf = (answers: readonly { readonly status: number }[]): readonly number[] =>
  answers.map(({ status }) => status).toSorted((a, b) => a - b)

interface KeyFile {
  readonly what: string
  readonly text: string
  readonly passphrase: string | null
  readonly print: string
}

let made: readonly KeyFile[] | undefined

/** Keys as ssh-keygen and openssl write them. */
function files(): readonly KeyFile[] {
  return (made ??= [
    keygen('ed25519', ['-t', 'ed25519'], null),
    keygen('ed25519 behind a passphrase', ['-t', 'ed25519', '-a', '4'], PASSPHRASE),
    keygen('rsa', ['-t', 'rsa', '-b', '2048'], null),
    keygen('rsa in pkcs1', ['-t', 'rsa', '-b', '2048', '-m', 'PEM'], null),
    keygen('rsa in pkcs8 behind a passphrase', ['-t', 'rsa', '-b', '2048', '-m', 'PKCS8'], PASSPHRASE),
    keygen('ecdsa', ['-t', 'ecdsa', '-b', '384'], null),
    keygen('ecdsa in sec1 behind a passphrase', ['-t', 'ecdsa', '-m', 'PEM'], PASSPHRASE),
    ...(['pkcs8', 'with windows lines'] as const).map(what => {
      const { privateKey } = generateKeyPairSync('ed25519')
      const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
      const text = what === 'pkcs8' ? pem : `some words\r\n${pem.replaceAll('\n', '\r\n')}`
      return { what, text, passphrase: null, print: openKey(keyText(privateKey), null).fingerprint }
    }),
  ])
}

function keygen(what: string, args: readonly string[], passphrase: string | null): KeyFile {
  const path = join(mkdtempSync(join(folder, 'k')), 'key')
  execFileSync('ssh-keygen', ['-q', ...args, '-N', passphrase ?? '', '-C', '', '-f', path])
  return {
    what,
    text: readFileSync(path, 'utf8'),
    passphrase,
    print: printOf(readFileSync(`${path}.pub`, 'utf8')),
  }
}

function refused(): readonly (readonly [
  what: string,
  body: { private_key: string; passphrase?: string },
  detail: RegExp,
])[] {
  const [plain, locked] = files()
  const locked8 = files().find(({ what }) => what.startsWith('rsa in pkcs8'))?.text ?? ''
  const small = generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey
  const dsa = generateKeyPairSync('dsa', { modulusLength: 1_024, divisorLength: 160 }).privateKey
  const other = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey
  const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const text = plain?.text ?? ''
  return [
    ['nothing', { private_key: ' ' }, /wanted one private key/],
    ['words', { private_key: 'hello there' }, /wanted one private key/],
    ['a public key', { private_key: readPrivateKey(text).getPublicPEM() }, /wanted one private key/],
    ['two of them', { private_key: `${text}\n${text}` }, /wanted one private key/],
    [
      'half of one',
      { private_key: `${text.slice(0, 150)}\n-----END OPENSSH PRIVATE KEY-----\n` },
      /wanted one private key/,
    ],
    ['no passphrase', { private_key: locked?.text ?? '' }, /its passphrase is wanted/],
    [
      'another passphrase',
      { private_key: locked?.text ?? '', passphrase: 'x' },
      /does not open with this passphrase/,
    ],
    [
      'another one for pkcs8',
      { private_key: locked8, passphrase: 'x' },
      /does not open with this passphrase/,
    ],
    [
      'endless rounds',
      { private_key: manyRounds(locked?.text ?? ''), passphrase: PASSPHRASE },
      /too long to open/,
    ],
    [
      'endless rounds in pkcs8',
      { private_key: manyRounds8(locked8), passphrase: PASSPHRASE },
      /too long to open/,
    ],
    ['1024 bits', { private_key: pem(small) }, /1024 bits: wanted 2048/],
    ['dsa', { private_key: pem(dsa) }, /of the kind dsa/],
    ['a curve of coins', { private_key: pem(other) }, /secp256k1/],
  ]
}

/** The same file, which wants four thousand million rounds. */
function manyRounds(text: string): string {
  const file = bytesOf(text)
  const options = file.indexOf('bcrypt') + 'bcrypt'.length
  file.writeUInt32BE(0xffff_ffff, options + 4 + file.readUInt32BE(options) - 4)
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${file.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`
}

/** Its rounds are the only number of two bytes or more that stands open: 2048 becomes 0x7fff in the file’s own length. */
function manyRounds8(text: string): string {
  const file = bytesOf(text)
  const at = file.indexOf(Buffer.from([0x02, 0x02, 0x08, 0x00]))
  // One byte of what follows is taken for the number: what comes after it makes no sense any more, which nobody looks at.
  file[at + 1] = 0x04
  return `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${file.toString('base64')}\n-----END ENCRYPTED PRIVATE KEY-----\n`
}

const bytesOf = (text: string): Buffer => Buffer.from(text.replaceAll(/-----[^-]+-----/g, ''), 'base64')

async function sendFile({ url }: RestServer, fields: Readonly<Record<string, string>>) {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields))
    if (name === 'file') form.set(name, new Blob([value]), 'id_key')
    else form.set(name, value)
  const headers = { authorization: `Bearer ${OPERATOR}` }
  const response = await fetch(`${url}${AT}/import-file`, { method: 'POST', body: form, headers })
  return { status: response.status, body: await response.json() }
}

function printOf(publicKey: string): string {
  const path = join(folder, 'print.pub')
  writeFileSync(path, publicKey)
  return execFileSync('ssh-keygen', ['-lf', path], { encoding: 'utf8' }).split(' ')[1] ?? ''
}

const publicBytes = (key: KeyObject): Buffer =>
  Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url')

/** What of a key nobody may find: lines of its file, and the number itself in every spelling. */
function piecesOf(text: string, passphrase: string | null): readonly string[] {
  const { privateKey } = openKey(text, passphrase)
  const isPem = !privateKey.includes('OPENSSH')
  const secret = isPem
    ? Buffer.from(createPrivateKey(privateKey).export({ format: 'jwk' }).d ?? '', 'base64url')
    : bytesOf(privateKey).subarray(-64 - 8)
  const spelled = (['hex', 'base64', 'base64url'] as const).map(spelling =>
    secret.subarray(0, 30).toString(spelling),
  )
  // What is public in a file stands before what is not.
  const lines = [text, privateKey].flatMap(file => {
    const whole = file.split(/\r?\n/).filter(line => /^[\w+/=]{60,}$/.test(line))
    return whole.slice(Math.ceil(whole.length * 0.6), -1)
  })
  return [...lines, ...spelled, ...(passphrase === null ? [] : [passphrase])]
}

/** Every row of every table of this schema, as text. */
async function everyRow(): Promise<readonly string[]> {
  const { rows: tables } = await room.ask(db =>
    sql<{ name: string }>`
      select table_name as name from information_schema.tables
      where table_schema = current_schema() and table_type = 'BASE TABLE'`.execute(db),
  )
  const rows = await Promise.all(
    tables.map(({ name }) =>
      room.ask(db => sql<{ text: string }>`select t::text as text from ${sql.table(name)} t`.execute(db)),
    ),
  )
  return rows.flatMap(({ rows: found }) => found.map(({ text }) => text))
}

async function useOn(names: readonly string[], sshKeyId: number): Promise<void> {
  const at = new Date(0)
  for (const name of names)
    await room.ask(db =>
      db
        .insertInto('pgmon_servers')
        .values({
          name,
          is_own: false,
          is_enabled: false,
          description: '',
          host: 'db.example.org',
          port: 5_432,
          database: 'postgres',
          username: 'monitor',
          tls: 'verify-full',
          pool: 'default',
          ssh_port: 22,
          ssh_user: 'monitor',
          ssh_auth: 'key',
          ssh_key_id: sshKeyId,
          created_by: 'test',
          created_at: at,
          changed_at: at,
        })
        .execute(),
    )
}
