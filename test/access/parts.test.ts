/** The parts of accounts that need no database. */
import { SignJWT, jwtVerify } from 'jose'
import t from 'tap'
import { AccountTokens } from '../../src/access/accounts/account-tokens.js'
import { Attempts } from '../../src/access/accounts/attempts.js'
import { Hashing } from '../../src/access/accounts/hashing.js'
import { newName } from '../../src/access/accounts/name.js'
import { complaintOf, newPassword } from '../../src/access/accounts/password.js'
import { HttpError } from '../../src/http/faults.js'
import { systemRandom } from '../../src/kit/random.js'
import { SimulatedClock } from '../support/simulated-clock.js'

t.test('a password is long, and none of those that are tried first', async t => {
  const table: readonly (readonly [string, RegExp | null])[] = [
    ['correct horse', null],
    ['шифровальщик', null],
    ['🔐🔑🗝🚪🪟🧱🏰🛡⚔️🗡🧲🧭', null],
    ['hunter2hunt', /12 characters, got 11/],
    ['🔑🔑🔑', /got 3/],
    ['x'.repeat(1_025), /1024 bytes/],
    ['é'.repeat(513), /1024 bytes/],
    ['ada.lovelace@example.org', /the name/],
    ['ADA.lovelace', /the name/],
    ['Password1234', /tried first/],
    ['qwertyuiop12', /tried first/],
    ['aaaaaaaaaaaaaaaa', /tried first/],
    ['abababababababab', /tried first/],
    ['123456789012', /tried first/],
    ['098765432109', /tried first/],
    ['abcdefghijklm', /tried first/],
  ]
  for (const [password, wanted] of table) {
    const complaint = complaintOf(password, 'ada.lovelace@example.org', 12)
    if (wanted === null) t.equal(complaint, null, password)
    else t.match(complaint, wanted, password.slice(0, 20))
  }
})

t.test('a password that is made is good, has 100 bits, and is never made twice', async t => {
  const made = Array.from({ length: 1_000 }, () => newPassword(systemRandom))
  t.equal(new Set(made).size, made.length)
  for (const password of made) t.match(password, /^([a-km-z2-8]{5}-){3}[a-km-z2-8]{5}$/)
  t.equal(complaintOf(made[0] ?? '', 'ada', 12), null)
  const letters = new Set(made.join('').replaceAll('-', ''))
  t.equal(letters.size, 32, 'every letter of five bits')
})

t.test('a name is plain, and means nobody else', async t => {
  for (const good of ['ada', 'ada@example.org', 'Ada.Lovelace+mesh', 'x', '0'])
    t.ok(newName.safeParse(good).success, good)
  for (const bad of [
    '',
    ' ada',
    'ada lovelace',
    '-ada',
    'аda',
    'ada\n',
    'a'.repeat(255),
    'Operator',
    'nobody',
    'a/b',
  ])
    t.notOk(newName.safeParse(bad).success, bad)
})

t.test('a hash is argon2id as OWASP has it, and the right password of nobody is wrong', async t => {
  const hashing = new Hashing(systemRandom)
  const hashed = await hashing.hash('correct horse')
  t.match(hashed, /^\$argon2id\$v=19\$m=47104,t=1,p=1\$/)
  t.ok(await hashing.matches(hashed, 'correct horse'))
  t.notOk(await hashing.matches(hashed, 'correct horsE'))
  t.notOk(await hashing.matches(null, 'correct horse'), 'the same work, for nothing')
  t.ok(
    await hashing.matches(await hashing.hash('caf\u0065\u0301 au lait'), 'caf\u00e9 au lait'),
    'as it is typed elsewhere',
  )
  t.ok(hashing.isCurrent(hashed))
  t.notOk(hashing.isCurrent(hashed.replace('m=47104', 'm=19456')))
})

t.test('who finds too many hashes waiting is told to come back', async t => {
  const hashing = new Hashing(systemRandom)
  const asked = Array.from({ length: 40 }, () => hashing.hash('correct horse'))
  const answers = await Promise.allSettled(asked)
  const refused = answers.filter(({ status }) => status === 'rejected')
  t.equal(refused.length, 40 + 1 - 34, 'two at work, 32 waiting, and one is the decoy')
  for (const answer of refused)
    if (answer.status === 'rejected') {
      t.ok(answer.reason instanceof HttpError)
      t.match(answer.reason, { statusCode: 503, headers: { 'Retry-After': '2' } })
    }
  t.match(await hashing.hash('correct horse'), /^\$argon2id/, 'later it goes on')
})

const CLAIMS = { accountId: 'acc_1', signInId: 'si-1', epoch: 3 }
const KEY = Buffer.alloc(32, 7)

function tokensOf(clock: SimulatedClock, ...keys: Uint8Array[]) {
  return new AccountTokens({ clock, serverId: 'here', keys })
}

t.test('a token is a JWT that others can read, good for a quarter of an hour', async t => {
  const clock = new SimulatedClock()
  const tokens = tokensOf(clock, KEY)
  const { token, expiresAtMs } = tokens.issue(CLAIMS, 900_000)
  t.equal(expiresAtMs, clock.wallMs() + 900_000)
  t.same(tokens.read(token), { ...CLAIMS, expiresAtMs })
  const { payload } = await jwtVerify(token, KEY, {
    algorithms: ['HS256'],
    typ: 'boson-account+jwt',
    issuer: 'here',
    audience: 'boson:people',
    currentDate: new Date(clock.wallMs()),
  })
  t.match(payload, { sub: 'acc_1', sid: 'si-1' })
  clock.advance(899_999)
  t.match(tokens.read(token), CLAIMS)
  clock.advance(1)
  t.equal(tokens.read(token), 'bad')
})

t.test('a token of the key before is good, of any other it is not', async t => {
  const clock = new SimulatedClock()
  const old = tokensOf(clock, KEY).issue(CLAIMS, 900_000).token
  const newKey = Buffer.alloc(32, 8)
  t.match(tokensOf(clock, newKey, KEY).read(old), CLAIMS, 'while both are set')
  t.equal(tokensOf(clock, newKey).read(old), 'foreign', 'afterwards nobody knows it')
  const other = new AccountTokens({ clock, serverId: 'there', keys: [KEY] })
  t.equal(other.read(old), 'bad', 'another coordinator')
})

t.test('forged tokens', async t => {
  const clock = new SimulatedClock()
  const tokens = tokensOf(clock, KEY)
  const { token } = tokens.issue(CLAIMS, 900_000)
  const [head = '', body = '', mac = ''] = token.split('.')
  const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString())
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
  const typ = 'boson-account+jwt'
  const signed = (header: { alg: string; typ?: string; kid?: string }, key: Uint8Array, more = {}) =>
    new SignJWT({ ...claims, ...more }).setProtectedHeader(header).sign(key)
  const table: Readonly<Record<string, string>> = {
    'no algorithm': `${encoded({ alg: 'none', typ, kid })}.${body}.`,
    'no signature': `${head}.${body}.`,
    'another account': `${head}.${encoded({ ...claims, sub: 'acc_2' })}.${mac}`,
    'another algorithm with our key': await signed({ alg: 'HS512', typ, kid }, Buffer.alloc(64, 7)),
    'another type with our key': await signed({ alg: 'HS256', typ: 'JWT', kid }, KEY),
    'an agent’s type with our key': await signed({ alg: 'HS256', typ: 'boson-agent+jwt' }, KEY),
    'another audience with our key': await signed({ alg: 'HS256', typ, kid }, KEY, { aud: 'boson:agents' }),
    'our header with another key': await signed({ alg: 'HS256', typ, kid }, Buffer.alloc(32, 9)),
    'a key that the header brings': await signed(
      { alg: 'HS256', typ, kid: '../../dev/null' },
      Buffer.alloc(32),
    ),
    'too few parts': `${head}.${body}`,
    'too many parts': `${token}.${mac}`,
    nothing: '',
    'the head': `${head}.`,
  }
  for (const [name, forged] of Object.entries(table)) {
    const said = tokens.read(forged)
    t.ok(said === 'bad' || said === 'foreign', `${name}: ${JSON.stringify(said)}`)
  }
})

t.test('each failure in a row costs a longer wait, and all are forgotten in the end', async t => {
  const clock = new SimulatedClock()
  const attempts = new Attempts(clock)
  const waits = Array.from({ length: 17 }, () => failed(attempts, clock, 'ada', '192.0.2.1') / 1_000)
  t.same(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900])
  t.ok(attempts.begin('ada', '192.0.2.1', false) > 0)
  t.equal(attempts.begin('bob', '192.0.2.1', false), 0, 'another name does not wait')
  clock.advance(3_600_001)
  t.equal(attempts.begin('ada', '192.0.2.1', false), 0)
  t.equal(attempts.begin('ada', '192.0.2.1', false), 0)
})

t.test('a good attempt forgets the failures before it', async t => {
  const clock = new SimulatedClock()
  const attempts = new Attempts(clock)
  for (let i = 0; i < 8; i++) failed(attempts, clock, 'ada', '192.0.2.1')
  failed(attempts, clock, 'ada', '192.0.2.1')
  attempts.succeeded('ada', '192.0.2.1', false)
  t.equal(attempts.begin('ada', '192.0.2.1', false), 0)
})

t.test('an address that tries many names runs dry, and others do not notice', async t => {
  const clock = new SimulatedClock()
  const attempts = new Attempts(clock)
  const begun = Array.from({ length: 25 }, (_, i) => attempts.begin(`name-${i}`, '192.0.2.1', true))
  t.same(begun, [...Array.from({ length: 20 }, () => 0), ...Array.from({ length: 5 }, () => 10_000)])
  t.equal(attempts.addressWaitMs('192.0.2.1'), 10_000)
  t.equal(attempts.addressWaitMs('192.0.2.2'), 0)
  t.equal(attempts.begin('name-1', '192.0.2.2', true), 0)
})

t.test(
  'strangers from a thousand addresses try a name thirty times an hour, and its owner still gets in',
  async t => {
    const clock = new SimulatedClock()
    const attempts = new Attempts(clock)
    let tried = 0
    for (let i = 0; i < 60; i++) {
      for (let j = 0; j < 17; j++) if (attempts.begin('ada', `192.0.2.${i}.${j}`, true) === 0) tried++
      t.equal(attempts.begin('ada', '198.51.100.7', false), 0, 'from where she signed in before')
      attempts.succeeded('ada', '198.51.100.7', false)
      clock.advance(60_000)
    }
    t.ok(tried >= 59 && tried <= 60, `${tried}: thirty at once, thirty more in the hour`)
    clock.advance(120_000)
    t.equal(attempts.begin('ada', '203.0.113.1', true), 0, 'from elsewhere, once they have left')
  },
)

t.test('many attempts at once are no way around', async t => {
  const attempts = new Attempts(new SimulatedClock())
  const begun = Array.from({ length: 100 }, () => attempts.begin('ada', '192.0.2.1', false))
  t.equal(begun.filter(waitMs => waitMs === 0).length, 4)
})

/** Fails once, when it may, and returns how long that took, ms. */
function failed(attempts: Attempts, clock: SimulatedClock, name: string, address: string): number {
  const fromMs = clock.now()
  for (;;) {
    const waitMs = attempts.begin(name, address, false)
    if (waitMs === 0) return clock.now() - fromMs
    clock.advance(waitMs)
  }
}
