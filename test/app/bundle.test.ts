/** The debug bundle: what is in it, and above all what is not. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { maskedSettings, secretsIn, withoutSecrets } from '../../src/app/masking.js'
import { optional, secret, text } from '../../src/app/setting.js'
import { SETTINGS } from '../../src/app/settings.js'
import { commandIn } from '../support/boson.js'
import { coordinator, OPERATOR_TOKEN, online } from '../support/coordinator.js'

/** Each secret setting with a value of its own, so that one that is added is tested too. */
const SECRET_ENV = Object.fromEntries(
  Object.values(SETTINGS)
    .filter(({ secret: isSecret, env }) => isSecret && env !== 'SMTP_URL')
    .map(({ env }, i) => [env, `secret-number-${i}-of-this-test-only-0123456789`]),
)
const PASSWORDS = ['p@ss/of the "database"', 'pass-of-redis', 'p@ss of mail']

t.test('the bundle tells how everything is, and no secret that the process knows', async t => {
  const [postgres, redis, mail] = PASSWORDS.map(encodeURIComponent)
  const { ask, secretOf, url, port } = await coordinator(t, {
    env: {
      ...SECRET_ENV,
      DATABASE_URL: `postgres://boson:${postgres}@db.example.org/boson`,
      REDIS_URL: `redis://:${redis}@cache.example.org`,
      SMTP_URL: `smtp://boson:${mail}@mail.example.org`,
      MAIL_FROM: 'mesh@example.org',
    },
  })
  const key = await secretOf()
  await online(t, url, 'fra-1', key)
  // What a careless agent says of itself is in every list.
  await online(t, url, 'leaky', key, 'client')
  await ask('POST', '/api/v1/nodes/fra-1/drain', {})
  const { status, body } = await ask('GET', '/api/v1/bundle')
  t.equal(status, 200)
  t.match(body, {
    takenAt: /^20/,
    serverId: 'test',
    settings: {
      PORT: 0,
      SECRET_TOKEN: '[secret]',
      JWT_SECRET: '[secret]',
      DATABASE_URL: 'postgres://[secret]@db.example.org/boson',
      REDIS_URL: 'redis://[secret]@cache.example.org',
    },
    health: { status: String },
    loop: { p99Ms: Number },
    nodes: { total: 1, first: [{ id: 'fra-1' }] },
    clients: { total: 1 },
    drains: [{ nodeId: 'fra-1' }],
    statecharts: { node: { root: Object } },
    metrics: /^# HELP/m,
  })
  const told = JSON.stringify(body)
  const secrets = [
    OPERATOR_TOKEN,
    'a-secret-that-is-known-to-this-test-only',
    'a-key-that-is-known-to-this-test-only',
    key,
    ...Object.values(SECRET_ENV),
    ...PASSWORDS,
    ...PASSWORDS.map(encodeURIComponent),
  ]
  for (const each of secrets) t.notOk(told.includes(each), each)
  t.notMatch(told, /"(ticket|password|credential|privateKey|secretHash)\w*":/i)

  await t.test('boson bundle writes it into a file of its owner’s', async t => {
    const boson = commandIn(t)
    const asked = ['--port', String(port), '--token', OPERATOR_TOKEN]
    const made = await boson('bundle', '--out', 'help.json.gz', ...asked)
    t.equal(made.code, 0, made.stderr)
    const file = join(boson.cwd, 'help.json.gz')
    t.equal(statSync(file).mode & 0o777, 0o600)
    t.match(JSON.parse(gunzipSync(readFileSync(file)).toString()), { serverId: 'test' })
    t.match(await boson('bundle', '--out', 'help.json.gz', ...asked), {
      code: 1,
      stderr: /--out: wanted a file/,
    })
    t.match(JSON.parse((await boson('bundle', '--out', '-', ...asked)).stdout), { serverId: 'test' })
  })
})

t.test('a secret is cut out however it is spelled', async t => {
  const known = ['a "quoted" one', 'ümlaut/slash', 'abc']
  const spelled = ['a \\"quoted\\" one', '%C3%BCmlaut%2Fslash', 'ümlaut/slash']
  t.equal(withoutSecrets(spelled.join(' and '), known), '[secret] and [secret] and [secret]')
  t.equal(withoutSecrets('the abc', known), 'the abc', 'three letters are a word')
})

t.test('settings tell whether a secret is set, and nothing of it', async t => {
  const table = {
    key: secret('KEY', { doc: '' }),
    other: secret('OTHER', { doc: '' }),
    url: optional('URL', text(99), { doc: '' }),
    urls: optional('URLS', text(99), { doc: '' }),
  }
  const values = { key: 'abcdefgh', other: null, url: 'redis://u:p%20w@h/1', urls: ['turn://x@y', 'turn:z'] }
  t.same(maskedSettings(table, values), {
    KEY: '[secret]',
    OTHER: null,
    URL: 'redis://[secret]@h/1',
    URLS: ['turn://[secret]@y', 'turn:z'],
  })
  t.same(secretsIn(table, values), ['abcdefgh', 'p%20w', 'p w'])
})
