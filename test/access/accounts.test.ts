/** Accounts over HTTP, on each database: made, signed in to, changed, removed. */
import t from 'tap'
import { access } from '../../src/access/plugin.js'
import { MovableClock } from '../support/movable-clock.js'
import { onEachDatabase, type RestServer } from '../support/rest-server.js'
import { until } from '../support/until.js'

const GOOD = 'correct horse battery'
const BETTER = 'wrong donkey charger'
const MINUTE = 60_000
const HOUR = 60 * MINUTE

t.test('accounts', t =>
  onEachDatabase(t, async (t, start) => {
    const clock = new MovableClock()
    const server = await start({ clock, plugins: [access] })
    const { ask } = server
    const as = people(server)

    await t.test(
      'the first account is made here, once, as an admin, with a password that is shown once',
      async t => {
        t.match(await ask('POST', USERS, { token: null, body: { name: 'eve', role: 'admin' } }), {
          status: 401,
        })
        const elsewhere = { 'x-forwarded-for': '203.0.113.9' }
        t.match(await ask('POST', `${USERS}/first`, { body: { name: 'eve' }, headers: elsewhere }), {
          status: 403,
          body: { code: 'not_local' },
        })
        const asked = ['ada', 'eve'].map(name => ask('POST', `${USERS}/first`, { body: { name } }))
        const answers = await Promise.all(asked)
        t.same(
          answers.map(({ status }) => status).sort((a, b) => a - b),
          [201, 409],
          'of two at once, one',
        )
        const made = answers.find(({ status }) => status === 201)?.body
        t.match(made, {
          account: { role: 'admin', disabledAt: null, lastSignInAt: null },
          password: /^[a-z2-8-]{23}$/,
        })
        t.notMatch((await ask('GET', USERS)).body, { users: [{ password: /./ }] })
        t.match(
          await ask('POST', '/api/v1/sign-in', {
            token: null,
            body: { name: made.account.name, password: made.password },
          }),
          { status: 200 },
        )
        t.match(await ask('POST', `${USERS}/first`, { body: { name: 'zoe' } }), {
          status: 409,
          body: { code: 'not_first' },
        })
        // The story goes on with SECRET_TOKEN as the admin; the first account stays as it is.
      },
    )

    await t.test('a name is taken once, whatever its case', async t => {
      await as.made('Bob@Example.org', 'viewer')
      const again = await ask('POST', USERS, { body: { name: 'bob@example.ORG', role: 'admin' } })
      t.match(again, { status: 409 })
      t.match(await ask('GET', `${USERS}/BOB%40example.org`), {
        body: { name: 'Bob@Example.org', role: 'viewer' },
      })
      t.match(await as.signIn('bob@EXAMPLE.org'), { status: 200 })
      for (const [body, wanted] of [
        [{ name: 'Operator', role: 'admin' }, 'another name'],
        [{ name: 'x y', role: 'admin' }, 'wanted 1 to 254'],
        [{ name: 'x', role: 'root' }, 'wanted one of user, viewer'],
        [{ name: 'x', role: 'admin', password: 'short' }, 'at least 12'],
        [{ name: 'administrator', role: 'admin', password: 'Administrator' }, 'the name'],
      ] as const)
        t.match(await ask('POST', USERS, { body }), { status: 400, body: { detail: wanted } })
    })

    await t.test('each role may do what it may, from the moment on that it is given', async t => {
      await as.made('vic', 'viewer')
      const { token } = (await as.signIn('vic')).body
      const status = async (method: string, path: string) =>
        (await ask(method, path, { token, body: method === 'GET' ? undefined : {} })).status
      t.same([await status('GET', '/api/v1/nodes'), await status('GET', USERS)], [200, 403])
      t.match(await ask('GET', '/api/v1/me', { token }), {
        body: { name: 'vic', role: 'viewer', expiresAt: /Z$/ },
      })
      t.match(await ask('PATCH', `${USERS}/vic`, { body: { role: 'admin' } }), { body: { role: 'admin' } })
      t.equal(await status('GET', USERS), 401, 'tokens of the role before are over')
      const renewed = (await as.signIn('vic')).body
      t.match(await ask('GET', USERS, { token: renewed.token }), { status: 200 })
      await ask('PATCH', `${USERS}/vic`, { body: { role: 'user' } })
      const user = (await as.signIn('vic')).body.token
      t.match(await ask('GET', '/api/v1/nodes', { token: user }), { status: 403, body: { role: 'viewer' } })
      t.match(await ask('GET', '/api/v1/me', { token: user }), { body: { role: 'user' } })
    })

    await t.test(
      'an account that is called otherwise stays signed in, and signs in by its new name',
      async t => {
        await as.made('ren', 'viewer')
        await as.made('ten', 'viewer')
        const { token } = (await as.signIn('ren')).body
        const rename = (name: string, to: string) => ask('PATCH', `${USERS}/${name}`, { body: { name: to } })
        t.match(await rename('ren', 'TEN'), { status: 409, body: { detail: /account TEN already/ } })
        t.match(await rename('ren', 'not a name'), { status: 400 })
        t.match(await rename('ren', 'Ren@example.org'), { status: 200, body: { name: 'Ren@example.org' } })
        t.match(await rename('ren@example.org', 'ren@example.org'), { status: 200 }, 'another case')
        t.match(await ask('GET', '/api/v1/me', { token }), { body: { name: 'ren@example.org' } })
        t.match(await as.signIn('ren'), { status: 401 })
        t.match(await as.signIn('REN@example.org'), { status: 200 })
        const both = await Promise.all(['ren@example.org', 'ten'].map(name => rename(name, 'one')))
        t.same(
          both.map(({ status }) => status).toSorted((a, b) => a - b),
          [200, 409],
          'one name, one account',
        )
      },
    )

    await t.test('who is disabled or removed is out at once, by every token', async t => {
      for (const [name, end] of [
        ['dan', () => ask('PATCH', `${USERS}/dan`, { body: { disabled: true } })],
        ['rex', () => ask('DELETE', `${USERS}/rex`)],
      ] as const) {
        await as.made(name, 'operator')
        const { token, refreshToken } = (await as.signIn(name)).body
        t.match(await ask('GET', '/api/v1/me', { token }), { status: 200 })
        t.match(await end(), { status: 200 })
        t.match(await ask('GET', '/api/v1/me', { token }), { status: 401 })
        t.match(await as.renew(refreshToken), { status: 401 })
      }
      t.match(
        await as.signIn('dan'),
        { status: 403, body: { code: 'disabled' } },
        'told to who has the password',
      )
      t.match(await as.signIn('rex'), { status: 401, body: { code: 'wrong_password' } })
      await ask('PATCH', `${USERS}/dan`, { body: { disabled: false } })
      t.match(await as.signIn('dan'), { status: 200 })
    })

    await t.test('the last admin stays, even when two go at once', async t => {
      const { users } = (await ask('GET', `${USERS}?role=admin`)).body
      const [{ name: first }] = users
      t.equal(users.length, 1)
      for (const wish of [{ role: 'operator' }, { disabled: true }])
        t.match(await ask('PATCH', `${USERS}/${first}`, { body: wish }), {
          status: 409,
          body: { code: 'last_admin' },
        })
      t.match(await ask('DELETE', `${USERS}/${first}`), { status: 409, body: { code: 'last_admin' } })
      await as.made('second', 'admin')
      const answers = await Promise.all([
        ask('DELETE', `${USERS}/${first}`),
        ask('PATCH', `${USERS}/second`, { body: { disabled: true } }),
      ])
      t.same(
        answers.map(({ status }) => status).sort((a, b) => a - b),
        [200, 409],
      )
      t.match((await ask('GET', `${USERS}?role=admin&disabled=false`)).body, { total: 1 })
    })

    await t.test('a changed password ends every sign-in but the one that changed it', async t => {
      await as.made('pat', 'operator')
      const [one, other] = [(await as.signIn('pat')).body, (await as.signIn('pat')).body]
      const change = (body: object, token = one.token) => ask('POST', '/api/v1/me/password', { token, body })
      t.match(await change({ password: BETTER, newPassword: BETTER }), {
        status: 401,
        body: { code: 'wrong_password' },
      })
      t.match(await change({ password: GOOD, newPassword: 'pat' }), { status: 400 })
      const changed = await change({ password: GOOD, newPassword: BETTER })
      t.match(changed, { status: 200, body: { account: { name: 'pat' } } })
      t.match(await ask('GET', '/api/v1/me', { token: changed.body.token }), { status: 200 })
      t.match(await as.renew(changed.body.refreshToken), { status: 200 })
      for (const { token, refreshToken } of [one, other]) {
        t.match(await ask('GET', '/api/v1/me', { token }), { status: 401 })
        t.match(await as.renew(refreshToken), { status: 401 })
      }
      t.match(await as.signIn('pat'), { status: 401 })
      t.match(await as.signIn('pat', BETTER), { status: 200 })
      const given = await ask('POST', `${USERS}/pat/password`, { body: {} })
      t.match(await as.signIn('pat', given.body.password), { status: 200 })
      t.match(await ask('POST', '/api/v1/me/password', { body: { password: GOOD, newPassword: BETTER } }), {
        status: 409,
        body: { code: 'no_account' },
      })
    })

    await t.test('signing out ends the token and the refresh token, of this sign-in only', async t => {
      await as.made('sue', 'viewer')
      const [one, other, third] = await Promise.all([as.signIn('sue'), as.signIn('sue'), as.signIn('sue')])
      t.match(await ask('POST', '/api/v1/sign-out', { token: one.body.token, body: {} }), { status: 204 })
      t.match(
        await ask('POST', '/api/v1/sign-out', {
          token: null,
          body: { refreshToken: other.body.refreshToken },
        }),
        { status: 204 },
      )
      for (const { token, refreshToken } of [one.body, other.body]) {
        t.match(await ask('GET', '/api/v1/me', { token }), { status: 401 })
        t.match(await as.renew(refreshToken), { status: 401 })
      }
      t.match(await ask('GET', '/api/v1/me', { token: third.body.token }), { status: 200 })
      t.match(await ask('POST', '/api/v1/sign-out', { token: null, body: { refreshToken: 'nonsense' } }), {
        status: 204,
      })
    })

    await t.test('a sign-in lives for twelve hours after each renewal, and a week', async t => {
      await as.made('tim', 'viewer')
      let { token, refreshToken } = (await as.signIn('tim')).body
      clock.advance(15 * MINUTE)
      t.match(await ask('GET', '/api/v1/me', { token }), { status: 401 })
      for (let hours = 11; hours < 7 * 24; hours += 11) {
        clock.advance(11 * HOUR)
        const { status, body } = await as.renew(refreshToken)
        t.equal(status, 200)
        ;({ token, refreshToken } = body)
      }
      t.match(await ask('GET', '/api/v1/me', { token }), { status: 200 })
      clock.advance(6 * HOUR)
      t.match(await as.renew(refreshToken), { status: 401 })
      const idle = (await as.signIn('tim')).body.refreshToken
      clock.advance(12 * HOUR)
      t.match(await as.renew(idle), { status: 401 })
    })

    await t.test('a refresh token that comes again ends what came of it, and is written down', async t => {
      await as.made('rob', 'viewer')
      const first = (await as.signIn('rob')).body
      const second = (await as.renew(first.refreshToken)).body
      t.match(await ask('GET', '/api/v1/me', { token: second.token }), { status: 200 })
      t.match(await as.renew(first.refreshToken), { status: 401, body: { code: 'signed_out' } })
      t.match(await as.renew(second.refreshToken), { status: 401 })
      t.match(await ask('GET', '/api/v1/me', { token: second.token }), { status: 401 })
      t.match(await as.audited('kind=account.token_reused', 1), [{ subject: 'rob', actor: 'nobody' }])
    })

    await t.test('guessing gets slower and slower, and the owner is told', async t => {
      await as.made('gus', 'viewer')
      clock.hold()
      t.teardown(() => clock.release())
      const statuses: number[] = []
      for (const name of ['gus', 'no-such-account'])
        for (let i = 0; i < 6; i++) statuses.push((await as.signIn(name, 'not the password')).status)
      t.same(
        statuses,
        [401, 401, 401, 401, 429, 429, 401, 401, 401, 401, 429, 429],
        'whether there is such a name or not',
      )
      const held = await as.signIn('gus')
      t.match(held, { status: 429, body: { code: 'too_many_attempts' } })
      clock.advance(Number(held.headers.get('retry-after')) * 1_000)
      t.match(await as.signIn('gus'), { status: 200 })
      t.equal((await as.audited('subject=gus&kind=account.sign_in_refused', 4)).length, 4)
    })

    await t.test('the audit tells who did it, and no secret', async t => {
      await as.made('ann', 'admin')
      const { token } = (await as.signIn('ann')).body
      await ask('POST', '/api/v1/enrolment-keys', { token, body: {} })
      await ask('POST', USERS, { token, body: { name: 'kim', role: 'user', password: BETTER } })
      await ask('PATCH', `${USERS}/kim`, { token, body: { role: 'viewer' } })
      await ask('DELETE', `${USERS}/kim`, { token })
      const audit = await as.audited('actor=ann', 5)
      t.same(
        new Set(audit.map(({ kind, subject }) => (kind.startsWith('account') ? `${kind} ${subject}` : kind))),
        new Set([
          'account.signed_in ann',
          'enrolment_key.created',
          'account.created kim',
          'account.changed kim',
          'account.removed kim',
        ]),
      )
      const all = JSON.stringify((await ask('GET', '/api/v1/audit?limit=10000')).body)
      for (const secret of [GOOD, BETTER, 'argon2', 'bsr_', token])
        t.notOk(all.includes(secret), secret.slice(0, 6))
    })

    await t.test('accounts are listed by page, in order, by role and by a part of the name', async t => {
      const names: string[] = []
      let next: string | null = null
      do {
        const page: { users: { name: string }[]; next: string | null; total: number } = (
          await ask('GET', `${USERS}?limit=3${next === null ? '' : `&after=${next}`}`)
        ).body
        names.push(...page.users.map(({ name }) => name.toLowerCase()))
        next = page.next
        t.ok(page.total > 9)
      } while (next !== null)
      t.same(names, [...new Set(names)].sort())
      const newest = (await ask('GET', `${USERS}?limit=2&sort=-createdAt`)).body
      t.match(newest.users, [{ name: 'ann' }, {}])
      const older = (await ask('GET', `${USERS}?limit=2&sort=-createdAt&after=${newest.next}`)).body
      t.notOk(
        older.users.some(({ name }: { name: string }) =>
          newest.users.some((one: { name: string }) => one.name === name),
        ),
      )
      t.match((await ask('GET', `${USERS}?search=BOB@EX`)).body, {
        users: [{ name: 'Bob@Example.org' }],
        total: 1,
      })
      t.match(await ask('GET', `${USERS}?after=nonsense`), { status: 400 })
    })

    await t.test('the metrics page counts sign-ins by what came of them', async t => {
      const { body } = await ask('GET', '/metrics')
      for (const outcome of ['good', 'wrong', 'held_off'])
        t.match(body, new RegExp(`boson_sign_ins_total\\{outcome="${outcome}".*\\} [1-9]`))
    })
  }),
)

const USERS = '/api/v1/users'

function people({ ask }: RestServer) {
  return {
    async made(name: string, role: string): Promise<void> {
      const { status } = await ask('POST', USERS, { body: { name, role, password: GOOD } })
      if (status !== 201) throw new Error(`${name}: ${status}`)
    },
    signIn: (name: string, password = GOOD) =>
      ask('POST', '/api/v1/sign-in', { token: null, body: { name, password } }),
    /** Resolves with so many lines of the audit, which is written now and then. */
    async audited(query: string, count: number): Promise<readonly { kind: string; subject: string }[]> {
      let audit: { kind: string; subject: string }[] = []
      await until('it is written down', async () => {
        audit = (await ask('GET', `/api/v1/audit?${query}`)).body.audit
        return audit.length >= count
      })
      return audit
    },
    renew: (refreshToken: string) =>
      ask('POST', '/api/v1/sign-in/renew', { token: null, body: { refreshToken } }),
  }
}
