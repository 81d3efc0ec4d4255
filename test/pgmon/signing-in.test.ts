/** Signing in under `/pgmon`, on each database: the accounts of everywhere else, by the doors of the first monitor. */
import t, { type Test } from 'tap'
import { isTls } from '../../src/access/accounts/monitor-door-endpoints.js'
import { access } from '../../src/access/plugin.js'
import { MovableClock } from '../support/movable-clock.js'
import { type Answer, onEachDatabase, type RestServer } from '../support/rest-server.js'
import { until } from '../support/until.js'

const GOOD = 'correct horse battery'
const BETTER = 'wrong donkey charger'
const PANEL = 'https://panel.example.org'
const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** Seconds; one that has begun is gone. */
const AN_HOUR = /^3(600|599)$/
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

t.test('signing in under /pgmon', t =>
  onEachDatabase(t, async (t, start) => {
    const clock = new MovableClock()
    const server = await start({ clock, plugins: [access], env: { CORS_ORIGIN: PANEL } })
    const { ask } = server
    const as = people(server)
    await as.made('ada', 'admin')

    await t.test('P-01: a form or JSON gives a token of an hour, which is good everywhere', async t => {
      const signedIn = await as.signIn('ada')
      t.match(signedIn, {
        status: 200,
        body: { access_token: /^\S+\.\S+\.\S+$/, token_type: 'bearer', expires_in: AN_HOUR, role: 'admin' },
      })
      t.match(await ask('POST', '/pgmon/token', { token: null, body: { username: 'ada', password: GOOD } }), {
        status: 200,
      })
      const { access_token: token } = signedIn.body
      t.notMatch(signedIn.body, { refresh_token: /./ }, 'it is in the cookie, for no script to read')
      t.match(await ask('GET', '/pgmon/users/me', { token }), { body: { login: 'ada', role: 'admin' } })
      t.match(await ask('GET', '/api/v1/me', { token }), { body: { name: 'ada' } })
      clock.advance(HOUR - MINUTE)
      t.match(await ask('GET', '/pgmon/users/me', { token }), { status: 200 })
      clock.advance(MINUTE)
      t.match(await ask('GET', '/pgmon/users/me', { token }), { status: 401 })
    })

    await t.test('P-01: a wrong password and a name that nobody has are told alike', async t => {
      const wrong = await as.signIn('ada', BETTER)
      const unknown = await as.signIn('no-such-account', BETTER)
      t.match(wrong, { status: 401, body: { code: 'wrong_password' } })
      t.same(unknown.body, wrong.body)
      t.equal(wrong.headers.get('set-cookie'), null)
    })

    await t.test('P-01: a form that can be read in two ways is not read', async t => {
      const form = (body: string, headers: Readonly<Record<string, string>> = FORM) =>
        ask('POST', '/pgmon/token', { token: null, headers, body })
      for (const [body, wanted] of [
        ['username=ada&password=x&username=eve', 'twice'],
        ['username=ada&password=%E0%A4%A', 'UTF-8'],
        ['username=ada&password=%FF', 'UTF-8'],
        ['username=ada&password=x&admin=true', 'admin'],
        ['username=ada&password=x&grant_type=refresh_token', 'wanted password'],
        ['username=ada', 'password'],
        ['', 'username'],
      ] as const)
        t.match(await form(body), { status: 400, body: { detail: wanted } }, body)
      t.match(await form('username=ada', { 'content-type': 'text/plain' }), {
        status: 400,
        body: { detail: 'not JSON' },
      })
      const spelled = 'grant_type=password&username=%61da&password=correct+horse%20battery&scope=&client_id='
      t.match(await form(spelled, { 'content-type': 'Application/X-WWW-Form-Urlencoded; charset=utf-8' }), {
        status: 200,
      })
    })

    await t.test('P-10: guessing gets slower and slower, and counts for every door together', async t => {
      await as.made('gus', 'viewer')
      clock.hold()
      t.teardown(() => clock.release())
      for (let i = 0; i < 4; i++) await as.signIn('gus', BETTER)
      const held = await as.signIn('gus')
      t.match(held, { status: 429, body: { code: 'too_many_attempts' } })
      const body = { name: 'gus', password: GOOD }
      t.match(await ask('POST', '/api/v1/sign-in', { token: null, body }), { status: 429 })
      clock.advance(Number(held.headers.get('retry-after')) * 1_000)
      t.match(await as.signIn('gus'), { status: 200 })
    })

    await t.test(
      'P-10: the cookie is for this coordinator’s pages, out of reach of their scripts',
      async t => {
        const fields = (answer: Answer) => answer.headers.get('set-cookie')?.split('; ').slice(1)
        const plain = ['Path=/pgmon', 'Max-Age=604800', 'HttpOnly', 'SameSite=Strict']
        t.same(fields(await as.signIn('ada')), plain)
        const proxied = await as.signIn('ada', GOOD, { 'x-forwarded-proto': 'https' })
        t.same(fields(proxied), [...plain, 'Secure'], 'over TLS only, where it came by TLS')
        t.same(
          [
            { tlsCert: null, publicUrl: null },
            { tlsCert: 'fullchain.pem', publicUrl: null },
            { tlsCert: null, publicUrl: 'https://mesh.example.org' },
            { tlsCert: null, publicUrl: 'http://mesh.example.org' },
          ].map(isTls),
          [false, true, true, false],
          'or where the settings say that everybody comes so',
        )
      },
    )

    await t.test('P-10: each cookie is traded once for the next token, for a week', async t => {
      let cookie = cookieOf(await as.signIn('ada'))
      let token = ''
      // Nobody comes back for two days, longer than other sign-ins wait.
      for (let hours = 50; hours < 7 * 24; hours += 50) {
        clock.advance(50 * HOUR)
        const renewed = await as.refresh(cookie)
        t.match(renewed, { status: 200, body: { expires_in: AN_HOUR, role: 'admin' } })
        token = renewed.body.access_token
        cookie = cookieOf(renewed)
      }
      t.match(await ask('GET', '/pgmon/users/me', { token }), { status: 200 })
      clock.advance(18 * HOUR)
      t.match(await as.refresh(cookie), { status: 401, body: { code: 'signed_out' } })
      t.match(await as.refresh(''), { status: 401, body: { code: 'signed_out' } }, 'none at all')
    })

    await t.test('P-10: a cookie that comes again ends what came of it', async t => {
      const first = cookieOf(await as.signIn('ada'))
      const renewed = await as.refresh(first)
      const { access_token: token } = renewed.body
      t.match(await as.refresh(first), { status: 401 })
      t.match(await as.refresh(cookieOf(renewed)), { status: 401 })
      t.match(await ask('GET', '/pgmon/users/me', { token }), { status: 401 })
    })

    await t.test('P-10: signing out ends the token and the cookie, of this sign-in only', async t => {
      const [one, two, other] = [await as.signIn('ada'), await as.signIn('ada'), await as.signIn('ada')]
      const byCookie = await as.logout({ token: null, headers: { cookie: cookieOf(one) } })
      t.match(byCookie, { status: 204 })
      t.match(byCookie.headers.get('set-cookie'), /^pgmon_refresh=; Path=\/pgmon; Max-Age=0;/)
      t.match(await as.logout({ token: two.body.access_token }), { status: 204 })
      for (const over of [one, two]) {
        t.match(await ask('GET', '/pgmon/users/me', { token: over.body.access_token }), { status: 401 })
        t.match(await as.refresh(cookieOf(over)), { status: 401 })
      }
      t.match(await ask('GET', '/pgmon/users/me', { token: other.body.access_token }), { status: 200 })
      t.match(await as.logout({ token: null }), { status: 204 }, 'what is not good any more ends nothing')
    })

    await t.test('P-10: pages of other sites get no cookie, and can use none', async t => {
      const own = { origin: server.url }
      for (const foreign of [
        { origin: PANEL },
        { origin: 'null' },
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site', origin: server.url },
      ]) {
        const signedIn = await as.signIn('ada', GOOD, foreign)
        t.match([signedIn.status, signedIn.headers.get('set-cookie')], [200, null], JSON.stringify(foreign))
        const cookie = cookieOf(await as.signIn('ada', GOOD, own))
        t.match(await as.refresh(cookie, foreign), { status: 403, body: { code: 'origin_refused' } })
        t.match(await as.logout({ token: null, headers: { cookie, ...foreign } }), { status: 403 })
        t.match(await as.refresh(cookie, own), { status: 200 }, 'it was not touched')
      }
    })

    await t.test('P-09: pages of CORS_ORIGIN may call with a token, never with the cookie', async t => {
      const preflight = async (origin: string) =>
        (
          await ask('OPTIONS', '/pgmon/users', {
            token: null,
            headers: {
              origin,
              'access-control-request-method': 'GET',
              'access-control-request-headers': 'authorization',
            },
          })
        ).headers
      const asked = await preflight(PANEL)
      t.equal(asked.get('access-control-allow-origin'), PANEL)
      t.match(asked.get('access-control-allow-headers'), 'Authorization')
      t.match(asked.get('access-control-allow-methods'), /GET.*POST|POST.*GET/)
      t.equal(asked.get('access-control-allow-credentials'), null)
      t.equal((await preflight('https://else.example.org')).get('access-control-allow-origin'), null)
      const signedIn = await as.signIn('ada', GOOD, { origin: PANEL })
      t.equal(signedIn.headers.get('access-control-allow-origin'), PANEL)
      const { access_token: token } = signedIn.body
      t.match(await ask('GET', '/pgmon/users', { token, headers: { origin: PANEL } }), { status: 200 })
    })

    await t.test('P-04: admins make, see, change and remove the accounts of who runs the mesh', async t => {
      const { access_token: token } = (await as.signIn('ada')).body
      const made = await ask('POST', '/pgmon/users', {
        token,
        body: { login: 'Bob@Example.org', password: GOOD, role: 'viewer' },
      })
      const bob = { login: 'Bob@Example.org', role: 'viewer', is_active: true, last_login: null }
      t.match(made, { status: 201, body: { ...bob, created_at: /Z$/ } })
      t.match(await ask('GET', '/pgmon/users/bob@example.org', { token }), { body: bob })
      t.match(
        await ask('POST', '/pgmon/users', {
          token,
          body: { login: 'bob@example.org', password: GOOD, role: 'admin' },
        }),
        { status: 409 },
      )
      for (const [body, wanted] of [
        [{ login: 'eve', password: GOOD, role: 'user' }, 'wanted one of viewer, operator, admin'],
        [{ login: 'eve', password: 'short', role: 'viewer' }, 'at least 12'],
        [{ login: 'eve', password: GOOD, role: 'viewer', is_admin: true }, 'is_admin'],
        [{ login: 'operator', password: GOOD, role: 'viewer' }, 'another name'],
      ] as const)
        t.match(await ask('POST', '/pgmon/users', { token, body }), { status: 400, body: { detail: wanted } })
      t.match(await ask('DELETE', '/pgmon/users/bob@example.org', { token }), { status: 204 })
      t.match(await ask('GET', '/pgmon/users/bob@example.org', { token }), { status: 404 })
      t.match(await ask('GET', '/pgmon/users/me'), { status: 409, body: { code: 'no_account' } })
    })

    await t.test('P-04: what is changed holds at once, by whichever door was come in', async t => {
      await as.made('dan', 'operator')
      const put = (body: object) => ask('PUT', '/pgmon/users/dan', { body })
      const status = async (token: string) => (await ask('GET', '/pgmon/users/me', { token })).status
      const elsewhere = async (password = GOOD) =>
        (await ask('POST', '/api/v1/sign-in', { token: null, body: { name: 'dan', password } })).body.token

      const [here, there] = [(await as.signIn('dan')).body.access_token, await elsewhere()]
      t.match(await put({ role: 'viewer' }), { status: 200, body: { login: 'dan', role: 'viewer' } })
      t.same([await status(here), await status(there)], [401, 401])

      t.match(await put({ password: 'dan' }), { status: 400 })
      t.match(await put({ password: BETTER, role: 'operator' }), { body: { role: 'operator' } })
      t.match(await as.signIn('dan'), { status: 401 })
      const [token, signedIn] = [await elsewhere(BETTER), await as.signIn('dan', BETTER)]
      t.match(await put({ is_active: false }), { body: { is_active: false, last_login: /Z$/ } })
      t.same([await status(token), await status(signedIn.body.access_token)], [401, 401])
      t.match(await as.refresh(cookieOf(signedIn)), { status: 401 })
      t.match(await as.signIn('dan', BETTER), { status: 403, body: { code: 'disabled' } })
      t.match(await put({ is_active: true }), { body: { is_active: true } })
      t.match(await as.signIn('dan', BETTER), { status: 200 })
      t.match(await put({}), { status: 400 })
      await until('it is written down', async () => {
        const { audit } = (await ask('GET', '/api/v1/audit?subject=dan&actor=operator')).body
        const kinds = audit.map(({ kind }: { kind: string }) => kind)
        return kinds.includes('account.changed') && kinds.includes('account.password_set')
      })
    })

    await t.test('P-04: the last admin stays', async t => {
      for (const [method, body] of [
        ['PUT', { role: 'viewer' }],
        ['PUT', { is_active: false }],
        ['DELETE', undefined],
      ] as const)
        t.match(await ask(method, '/pgmon/users/ada', { body }), {
          status: 409,
          body: { code: 'last_admin' },
        })
    })

    await t.test('P-04: accounts without a part in running the mesh are none of its users', async t => {
      await as.made('vpn', 'user')
      t.match(await ask('GET', '/pgmon/users/vpn'), { status: 404 })
      t.match(await ask('PUT', '/pgmon/users/vpn', { body: { role: 'admin' } }), { status: 404 })
      t.match(await ask('DELETE', '/pgmon/users/vpn'), { status: 404 })
      const { access_token: token } = (await as.signIn('vpn')).body
      t.match(await ask('GET', '/pgmon/users/me', { token }), { status: 403, body: { role: 'viewer' } })
      const logins = await pages(t, server, '/pgmon/users', 'users', ({ login }) => login)
      t.same(logins, ['ada', 'dan', 'gus'])
      const reversed = (await ask('GET', '/pgmon/users?sort=-created_at&limit=1')).body
      t.match(reversed, { users: [{ login: 'dan' }], total: 3 })
    })

    await t.test('P-11: admins see who has signed in, from where, and whether it still holds', async t => {
      await as.made('mia', 'viewer')
      const [one, two] = [await as.signIn('mia'), await as.signIn('mia')]
      await as.refresh(cookieOf(two))
      await as.logout({ token: null, headers: { cookie: cookieOf(one) } })
      const { body } = await ask('GET', '/pgmon/audit/sessions?login=MIA&sort=created_at')
      t.match(body, {
        total: 2,
        sessions: [
          { login: 'mia', role: 'viewer', address: '127.0.0.1', state: 'ended', ended_at: /Z$/ },
          { login: 'mia', state: 'good', renewed_at: /Z$/, ended_at: null, expires_at: /Z$/ },
        ],
      })
      t.notOk(/bsr_|secret/.test(JSON.stringify(body)))
      clock.advance(8 * 24 * HOUR)
      const state = async (query: string) =>
        (await ask('GET', `/pgmon/audit/sessions?login=mia${query}`)).body.sessions.map(
          (each: { state: string }) => each.state,
        )
      t.same(await state('&state=good'), [])
      t.same(await state('&state=over'), ['expired', 'ended'])
      t.match((await ask('GET', '/pgmon/audit/sessions?login=vpn')).body, { total: 0 })
      const all = await pages(t, server, '/pgmon/audit/sessions', 'sessions', ({ created_at }) => created_at)
      t.ok(all.length > 20)
      t.ok(
        all.every((at, i) => i === 0 || String(all[i - 1]) >= String(at)),
        'the newest first',
      )
      t.match(await ask('GET', '/pgmon/audit/sessions?after=nonsense'), { status: 400 })
    })
  }),
)

function people({ ask }: RestServer) {
  return {
    async made(name: string, role: string): Promise<void> {
      const { status } = await ask('POST', '/api/v1/users', { body: { name, role, password: GOOD } })
      if (status !== 201) throw new Error(`${name}: ${status}`)
    },
    signIn: (username: string, password = GOOD, headers: Readonly<Record<string, string>> = {}) =>
      ask('POST', '/pgmon/token', {
        token: null,
        headers: { ...FORM, ...headers },
        body: new URLSearchParams({ username, password }).toString(),
      }),
    refresh: (cookie: string, headers: Readonly<Record<string, string>> = {}) =>
      ask('POST', '/pgmon/refresh', { token: null, headers: { cookie: `a=b; ${cookie}`, ...headers } }),
    logout: (wish: { token: string | null; headers?: Readonly<Record<string, string>> }) =>
      ask('POST', '/pgmon/logout', wish),
  }
}

/** Returns what a browser sends again of what it was given. */
const cookieOf = ({ headers }: Answer): string => headers.get('set-cookie')?.split(';', 1)[0] ?? ''

/** Resolves with something of every row of a list, page by page. */
async function pages(
  t: Test,
  { ask }: RestServer,
  path: string,
  field: string,
  of: (row: Readonly<Record<string, string>>) => string | undefined,
): Promise<readonly (string | undefined)[]> {
  const found: (string | undefined)[] = []
  let next: string | null = null
  do {
    const { body }: Answer = await ask('GET', `${path}?limit=2${next === null ? '' : `&after=${next}`}`)
    found.push(...body[field].map(of))
    t.equal(body.count, body[field].length)
    next = body.next
  } while (next !== null)
  return found
}
