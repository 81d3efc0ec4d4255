import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { keyPolicyOf, provisionerOf } from '../../src/access/peers/policy.js'
import { BadConfig, readConfig, type Sources } from '../../src/app/config.js'
import { checkSecrets, operatorToken, ownServerId, vaultSecret } from '../../src/app/secrets.js'
import { flagOf, type SettingKey, SETTINGS } from '../../src/app/settings.js'
import { seededRandom } from '../../src/kit/random.js'

const GOOD = '5d1f0c7a9be24e6f8a3b7c2d1e0f9a8b7c6d5e4f3a2b1c0d'

t.test(
  'flags win over the environment, the environment over the file, the file over the default',
  async t => {
    const file = jsonFile(t, { port: 1, overlay4: '10.1.0.0/16', logLevel: 'warn' })
    const env = { PORT: '2', BOSON_OVERLAY4: '10.2.0.0/16' }
    const config = readConfig({ flags: { port: '3' }, env, file })
    t.equal(config.port, 3)
    t.equal(config.overlay4, '10.2.0.0/16')
    t.equal(config.logLevel, 'warn')
    t.equal(config.dataDir, './.boson')
  },
)

t.test('BOSON_CONFIG names the file when no flag does', async t => {
  t.equal(readConfig({ flags: {}, env: { BOSON_CONFIG: jsonFile(t, { port: 7 }) } }).port, 7)
})

t.test('an empty variable is not set', async t => {
  t.equal(read({ PORT: '', HOST: '' }).port, 3000)
})

t.test('every bad setting is named, with where it was found and what was wanted', async t => {
  const file = jsonFile(t, { dataDirectory: '/var/lib/boson', tlsCert: 7 })
  const error = thrown(() =>
    readConfig({
      flags: { port: '70000' },
      env: { BOSON_OVERLAY4: '10.77.0.0', BOSON_TRUSTED_PROXIES: '10.0.0.0/8, nonsense', LOG_LEVEL: 'loud' },
      file,
    }),
  )
  t.equal(error.exitCode, 2)
  for (const line of [
    '--port: wanted a whole number from 0 to 65535, got "70000"',
    'BOSON_OVERLAY4: wanted an IPv4 network such as 10.77.0.0/16, /8 to /30, got "10.77.0.0"',
    'BOSON_TRUSTED_PROXIES: wanted a list',
    'LOG_LEVEL: wanted one of trace, debug, info, warn, error, silent, got "loud"',
    '"dataDirectory" is not a setting',
    'tlsCert (configuration file): wanted text',
  ])
    t.match(error.message, line)
})

t.test('what each setting refuses', async t => {
  const table: readonly (readonly [SettingKey, string])[] = [
    ['port', '-1'],
    ['port', '3000.5'],
    ['port', 'three thousand'],
    ['overlay4', 'fd77::/64'],
    ['overlay4', '10.77.0.0/31'],
    ['overlay6', '10.77.0.0/16'],
    ['overlay6', 'fd77::/65'],
    ['databaseUrl', 'mysql://db/boson'],
    ['databaseUrl', 'db.example.org'],
    ['redisUrl', 'http://cache'],
    ['origins', 'https://panel.example.org/'],
    ['origins', '*'],
    ['trustedProxies', '10.0.0.0/33'],
    ['serverId', 'two words'],
    ['mode', 'prod'],
    ['beatEveryMs', '0'],
    ['relayMbpsPerIdentity', '-1'],
    ['relayMbpsPerIdentity', 'Infinity'],
    ['relayPayload', 'everything'],
    ['metricsOpen', 'perhaps'],
  ]
  for (const [key, value] of table) {
    const error = thrown(() => read({ [SETTINGS[key].env]: value }))
    t.match(error.message, `${SETTINGS[key].env}: wanted `, `${SETTINGS[key].env}=${value}`)
  }
})

t.test('a path policy that cannot be read is told rule by rule', async t => {
  t.same(read({ BOSON_PATH_POLICY: 'tag:office=direct-only' }).pathPolicy, [
    { kind: 'tag', name: 'office', policy: 'direct-only' },
  ])
  t.match(
    thrown(() => read({ BOSON_PATH_POLICY: '*=auto client:anna=never' })).message,
    'BOSON_PATH_POLICY: wanted "client:anna=never" to end in =auto, =relay-only, =direct-only, got',
  )
})

t.test('a list may be spelled with commas or as a list', async t => {
  const wanted = ['https://a.example', 'https://b.example']
  t.same(read({ BOSON_ORIGINS: 'https://a.example, https://b.example,' }).origins, wanted)
  t.same(readConfig({ flags: {}, env: {}, file: jsonFile(t, { origins: wanted }) }).origins, wanted)
})

t.test('it listens everywhere in production, and on this machine only otherwise', async t => {
  t.equal(read({ NODE_ENV: 'production' }).host, '0.0.0.0')
  t.equal(read({}).host, '127.0.0.1')
  t.equal(read({ NODE_ENV: 'production', HOST: '10.0.0.1' }).host, '10.0.0.1')
})

t.test('POSTGRES_HOST and its siblings are another spelling of DATABASE_URL', async t => {
  const env = { POSTGRES_HOST: 'db', POSTGRES_PASSWORD: 'a/b c', POSTGRES_DB: 'mesh' }
  t.equal(read(env).databaseUrl, 'postgres://bosonserver:a%2Fb%20c@db:5432/mesh')
  t.equal(read({ ...env, DATABASE_URL: 'postgres://other/x' }).databaseUrl, 'postgres://other/x')
  t.match(thrown(() => read({ POSTGRES_HOST: 'two words' })).message, 'POSTGRES_HOST: wanted a host name')
})

t.test('half a certificate is refused', async t => {
  t.match(thrown(() => read({ BOSON_TLS_CERT: 'a.pem' })).message, 'BOSON_TLS_KEY: wanted a path')
  t.match(thrown(() => read({ BOSON_TLS_KEY: 'a.pem' })).message, 'BOSON_TLS_CERT: wanted a path')
})

t.test('wg-easy makes its own keys, and nobody else does them for it', async t => {
  const message = (env: Record<string, string>) => thrown(() => read(env)).message
  t.match(message({ WG_PROVISIONER: 'mesh', WG_KEY_POLICY: 'wg-easy' }), 'wanted client, host or db')
  t.match(message({ WG_PROVISIONER: 'wg-easy', WG_KEY_POLICY: 'db' }), 'wanted wg-easy, because')
  const there = {
    WG_EASY_URL: 'http://10.20.0.8:51821',
    WG_EASY_PASSWORD: 'secret',
    WG_HOST_SSH: 'wg@10.20.0.8',
    WG_SSH_KEY: 'id_ed25519',
    WG_POOL4: '10.9.0.0/24',
  }
  t.equal(provisionerOf(read({ ...there, WG_KEY_POLICY: 'wg-easy' })), 'wg-easy')
  t.equal(keyPolicyOf(read({ ...there, WG_PROVISIONER: 'wg-easy' })), 'wg-easy')
  t.equal(provisionerOf(read(there)), 'mesh')
  t.equal(keyPolicyOf(read({ ...there, WG_PROVISIONER: 'ssh' })), 'host')
  t.match(message({ WG_KEY_POLICY: 'wg-easy' }), 'WG_EASY_URL, WG_EASY_PASSWORD: wanted')
})

t.test('a bad value of a secret or of a URL with a password is never shown', async t => {
  t.notMatch(thrown(() => read({ DATABASE_URL: 'mysql://me:hunter2@db' })).message, 'hunter2')
  t.notMatch(thrown(() => read({ SECRET_TOKEN: 'x'.repeat(5000) })).message, 'xxxx')
})

t.test('secrets have no flag: everyone may read the list of processes', async t => {
  const secrets = Object.entries(SETTINGS).filter(([, setting]) => setting.secret)
  t.same(
    secrets.map(([key]) => key),
    [
      'smtpUrl',
      'paymentWebhookSecret',
      'paymentWebhookOldSecret',
      'telegramSecret',
      'telegramOldSecret',
      'telegramProviderToken',
      'secretToken',
      'jwtSecret',
      'jwtOldSecret',
      'promoteSecret',
      'turnStaticSecret',
      'turnOldSecret',
      'vaultKey',
      'wgEasyPassword',
    ],
  )
  t.equal(flagOf('relayMbpsPerIdentity'), '--relay-mbps-per-identity')
})

t.test('production refuses a missing, short or well-known secret and names the variable', async t => {
  const good = { NODE_ENV: 'production', SECRET_TOKEN: GOOD, JWT_SECRET: GOOD, TURN_STATIC_SECRET: GOOD }
  checkSecrets(read(good), good)
  for (const name of ['SECRET_TOKEN', 'JWT_SECRET', 'TURN_STATIC_SECRET']) {
    for (const bad of [
      '',
      'short',
      'change-this-secret-change-this-secret',
      'a'.repeat(40),
      'your-secret-'.repeat(4),
    ]) {
      const env = { ...good, [name]: bad }
      t.match(thrown(() => checkSecrets(read(env), env)).message, `${name}: wanted`, `${name}=${bad}`)
    }
  }
  for (const name of ['PAYMENT_WEBHOOK_SECRET', 'PAYMENT_WEBHOOK_OLD_SECRET', 'PAYMENT_TELEGRAM_SECRET']) {
    const env = { ...good, [name]: 'short' }
    t.match(thrown(() => checkSecrets(read(env), env)).message, `${name}: wanted`, 'where it is set at all')
  }
  const postgres = { ...good, POSTGRES_HOST: 'db', POSTGRES_PASSWORD: 'postgres' }
  t.match(thrown(() => checkSecrets(read(postgres), postgres)).message, 'POSTGRES_PASSWORD: wanted')
})

t.test('development takes any secret', async () => {
  checkSecrets(read({}), {})
  checkSecrets(read({ SECRET_TOKEN: 'dev' }), {})
})

t.test('the token and the id are made once, and only their owner can read them', async t => {
  const dataDir = join(t.testdir(), 'data')
  const config = read({ BOSON_DATA_DIR: dataDir })
  const token = operatorToken(config, seededRandom(1))
  t.match(token, /^[0-9a-f]{64}$/)
  t.equal(operatorToken(config, seededRandom(2)), token)
  t.equal(ownServerId(config, seededRandom(3)), ownServerId(config, seededRandom(4)))
  t.equal(statSync(join(dataDir, 'secret-token')).mode & 0o777, 0o600)
  t.equal(statSync(dataDir).mode & 0o777, 0o700)
  t.equal(operatorToken(read({ SECRET_TOKEN: GOOD }), seededRandom(1)), GOOD)
})

t.test('P-09: secrets that everybody on the machine could read are not used', async t => {
  const dataDir = join(t.testdir(), 'data')
  const config = read({ BOSON_DATA_DIR: dataDir })
  vaultSecret(config, seededRandom(1))
  const key = join(dataDir, 'vault-key')
  chmodSync(key, 0o644)
  t.match(
    thrown(() => vaultSecret(config, seededRandom(1))).message,
    `${key}: wanted a file that not everybody can read, got mode 644: chmod 600 ${key}`,
  )
  chmodSync(key, 0o640)
  t.ok(vaultSecret(config, seededRandom(1)), 'a group that was made for it may')

  const file = jsonFile(t, { secretToken: GOOD })
  chmodSync(file, 0o644)
  t.match(thrown(() => readConfig({ flags: {}, env: {}, file })).message, `got mode 644: chmod 600 ${file}`)
  chmodSync(file, 0o600)
  t.equal(readConfig({ flags: {}, env: {}, file }).secretToken, GOOD)
  const open = jsonFile(t, { port: 7 })
  chmodSync(open, 0o644)
  t.equal(readConfig({ flags: {}, env: {}, file: open }).port, 7, 'a file without secrets is nobody’s secret')
})

t.test('.env.example lists every setting as it is', async t => {
  const { envExample } = await import('../../src/app/env-example.js')
  const page = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8')
  t.equal(page, envExample(), 'current: `npm run docs` writes it')
  for (const { env } of Object.values(SETTINGS)) t.match(page, new RegExp(`^#?${env}=`, 'm'))
})

t.test('.env.example can be used as it is', async t => {
  const page = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8')
  const env = Object.fromEntries(
    page
      .split('\n')
      .filter(line => /^[A-Z]/.test(line))
      .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
  t.same(read(env), read({}))
})

const read = (env: Sources['env']) => readConfig({ flags: {}, env })

function thrown(run: () => unknown): BadConfig {
  try {
    run()
  } catch (error) {
    if (error instanceof BadConfig) return error
    throw error
  }
  throw new Error('wanted a BadConfig, got nothing')
}

function jsonFile(t: Test, value: unknown): string {
  const dir = mkdtempSync(join(tmpdir(), 'boson-config-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  const path = join(dir, 'boson.json')
  writeFileSync(path, JSON.stringify(value))
  return path
}
