/** Settings by the names that the first BosonServer had for them. */
import t from 'tap'
import { readConfig } from '../../src/app/config.js'
import { unheeded } from '../../src/app/first-names.js'
import { checkSecrets } from '../../src/app/secrets.js'
import { SETTINGS } from '../../src/app/settings.js'

const read = (env: Readonly<Record<string, string>>) => readConfig({ flags: {}, env })

/** Every name of the first BosonServer, and of the first heartbeat server. */
const NAMES =
  'PORT HOST NODE_ENV POSTGRES_HOST POSTGRES_PORT POSTGRES_DB POSTGRES_USER POSTGRES_PASSWORD REDIS_HOST REDIS_PORT REDIS_PASSWORD REDIS_DB JWT_SECRET JWT_EXPIRES_IN TURN_REALM TURN_STATIC_SECRET TURN_LISTENING_PORT TURN_HOST STUN_HOST STUN_PORT RELAY_HOST RELAY_PORT RELAY_PROTOCOL WIREGUARD_PORT WIREGUARD_SERVER_HOST WIREGUARD_SERVER_PUBLIC_KEY NODE_API_PORT LOG_LEVEL LOG_DIR CORS_ORIGIN RATE_LIMIT_WINDOW_MS RATE_LIMIT_MAX_REQUESTS WEB_PORT SERVER_PUBLIC_IP SERVER_PUBLIC_HOSTNAME DATABASE_URL SECRET_TOKEN DEBUG'.split(
    ' ',
  )

/** A value for each that says the same in another way. */
const VALUES: Readonly<Record<string, string>> = {
  POSTGRES_HOST: 'db',
  REDIS_HOST: 'cache',
  STUN_HOST: 'stun.example.org',
  STUN_PORT: '3500',
  RELAY_HOST: 'relay.example.org',
  RATE_LIMIT_WINDOW_MS: '60000',
  RATE_LIMIT_MAX_REQUESTS: '7',
  SERVER_PUBLIC_IP: '203.0.113.9',
  SERVER_PUBLIC_HOSTNAME: 'mesh.example.org',
}
/** What makes sense only beside another. */
const BESIDE: Readonly<Record<string, readonly [string, string]>> = {
  RELAY_PORT: ['RELAY_HOST', '8443'],
  POSTGRES_PORT: ['POSTGRES_HOST', '5433'],
  POSTGRES_DB: ['POSTGRES_HOST', 'mesh'],
  POSTGRES_USER: ['POSTGRES_HOST', 'me'],
  POSTGRES_PASSWORD: ['POSTGRES_HOST', 'secret'],
  REDIS_PORT: ['REDIS_HOST', '6380'],
  REDIS_PASSWORD: ['REDIS_HOST', 'secret'],
  REDIS_DB: ['REDIS_HOST', '2'],
}

t.test('B-122: every name of the first BosonServer sets something, or is answered', async t => {
  const own = new Set(Object.values(SETTINGS).map(({ env }) => env))
  for (const name of NAMES) {
    if (own.has(name)) {
      t.pass(`${name} is a name of ours`)
      continue
    }
    const [beside, value] = BESIDE[name] ?? [null, VALUES[name]]
    const answered = unheeded({ [name]: value ?? 'anything' })
    if (answered.length > 0) {
      t.match(answered, [{ name, instead: /.{10}/ }])
      continue
    }
    const before = beside === null ? {} : { [beside]: VALUES[beside] ?? '' }
    t.notSame(read({ ...before, [name]: value ?? '' }), read(before), name)
  }
})

t.test('B-122: what the names say', async t => {
  t.match(read({ REDIS_HOST: 'cache', REDIS_PASSWORD: 'a/b' }), { redisUrl: 'redis://:a%2Fb@cache:6379/0' })
  t.match(read({ RELAY_HOST: 'relay.example.org', RELAY_PORT: '443' }), {
    publicUrl: 'https://relay.example.org:443',
  })
  t.match(read({ SERVER_PUBLIC_IP: '203.0.113.9', SERVER_PUBLIC_HOSTNAME: 'mesh.example.org' }), {
    turnAddress: '203.0.113.9',
    turnHost: 'mesh.example.org',
  })
  t.match(read({ RATE_LIMIT_MAX_REQUESTS: '100', RATE_LIMIT_WINDOW_MS: '900000' }), {
    httpPerMinute: 6.667,
    httpBurst: 100,
  })
  t.match(
    read({
      REDIS_HOST: 'cache',
      REDIS_URL: 'redis://other',
      RATE_LIMIT_MAX_REQUESTS: '1',
      BOSON_HTTP_BURST: '9',
    }),
    { redisUrl: 'redis://other', httpBurst: 9 },
    'our own names count first',
  )
  t.same(read({ REDIS_HOST: '', STUN_HOST: '' }), read({}), 'an empty variable is not set')
})

t.test('B-122: what they may not say', async t => {
  const table: readonly (readonly [env: Readonly<Record<string, string>>, says: RegExp])[] = [
    [{ REDIS_HOST: 'two words' }, /REDIS_HOST: wanted a host name/],
    [{ RATE_LIMIT_MAX_REQUESTS: '0' }, /RATE_LIMIT_MAX_REQUESTS, .*: wanted at least 1 request/],
    [{ RATE_LIMIT_WINDOW_MS: 'long' }, /RATE_LIMIT_MAX_REQUESTS, .*: wanted at least 1 request/],
    [{ RELAY_HOST: 'a b' }, /RELAY_HOST, RELAY_PORT: wanted/],
    [{ SERVER_PUBLIC_IP: 'here' }, /wanted an IP address/],
    [{ CORS_ORIGIN: '*' }, /CORS_ORIGIN: wanted a list/],
  ]
  for (const [env, says] of table) t.throws(() => read(env), { message: says })
})

t.test('V-12: SECRET_KEY signs tokens, and production does not start without it', async t => {
  const good = '9f2c1b7e-a-secret-that-is-long-enough-to-be-one'
  t.equal(read({ SECRET_KEY: good }).jwtSecret, good)
  t.equal(read({ SECRET_KEY: good, JWT_SECRET: 'ours' }).jwtSecret, 'ours')
  const all = { NODE_ENV: 'production', SECRET_TOKEN: good, TURN_STATIC_SECRET: good }
  t.doesNotThrow(() => checkSecrets(read({ ...all, SECRET_KEY: good }), all))
  for (const env of [all, { ...all, SECRET_KEY: 'some-very-long-random-secret' }])
    t.throws(() => checkSecrets(read(env), env), { message: /JWT_SECRET: wanted .*SECRET_KEY/ })
  for (const name of ['ALGORITHM', 'ACCESS_TOKEN_EXPIRE_MINUTES', 'DEV_INIT_DB'])
    t.match(unheeded({ [name]: '1' }), [{ name, instead: /.{10}/ }])
})

t.test(
  'B-123: production does not start with an absent, short or well-known secret, and names it',
  async t => {
    const good = '9f2c1b7e-a-secret-that-is-long-enough-to-be-one'
    const all = { NODE_ENV: 'production', SECRET_TOKEN: good, JWT_SECRET: good, TURN_STATIC_SECRET: good }
    t.doesNotThrow(() => checkSecrets(read(all), all))
    for (const name of ['SECRET_TOKEN', 'JWT_SECRET', 'TURN_STATIC_SECRET']) {
      for (const value of [
        '',
        'short',
        'change-this-secret-key-in-production',
        'your-super-secret-jwt-key-change-this',
      ]) {
        const env = { ...all, [name]: value }
        t.throws(
          () => checkSecrets(read(env), env),
          { message: new RegExp(`${name}: wanted`) },
          `${name}=${value}`,
        )
      }
    }
    t.throws(() => checkSecrets(read({ NODE_ENV: 'production' }), {}), { code: 'BAD_CONFIG' })
  },
)
