/** Registering by oneself, and how one of the registered becomes the first admin: as the first VPN API promised it. */
import t from 'tap'
import { access } from '../../src/access/plugin.js'
import { MovableClock } from '../support/movable-clock.js'
import { onEachDatabase, restServer } from '../support/rest-server.js'

const SECRET = 'bootstrap-secret'
/** Under which its examples stand as they are. */
const AS_FIRST = { BOSON_SIGN_UP: 'open', BOSON_PASSWORD_MIN: '8', PROMOTE_SECRET: SECRET }

t.test('the examples of the first VPN API', t =>
  onEachDatabase(t, async (t, start) => {
    const { ask } = await start({ plugins: [access], env: AS_FIRST })
    const nobody = { token: null, headers: { 'content-type': 'application/json' } }
    const post = (path: string, body?: unknown) =>
      ask('POST', path, { ...nobody, ...(body !== undefined && { body }) })

    await t.test('register, promote, log in, and do what an admin may', async t => {
      const registered = await post('/auth/register', '{"email":"user@example.com","password":"password123"}')
      t.match(registered, {
        status: 201,
        body: { id: 1, email: 'user@example.com', status: 'active', is_admin: false, created_at: /Z$/ },
      })
      t.match(await post('/auth/register', '{"email":"admin@example.com","password":"password123"}'), {
        body: { id: 2 },
      })
      t.match(await post('/auth/register', '{"email":"Admin@example.com","password":"password123"}'), {
        status: 409,
      })
      t.match(await post('/auth/admin/promote?user_id=2&secret=bootstrap-secret'), {
        status: 200,
        body: { id: 2, is_admin: true },
      })
      const { body } = await post('/auth/login', '{"email":"admin@example.com","password":"password123"}')
      t.match(body, { token_type: 'bearer', expires_in: Number })
      t.match(await ask('GET', '/auth/me', { token: body.access_token }), {
        status: 200,
        body: { id: 2, is_admin: true },
      })
      t.match(await ask('GET', '/api/v1/users', { token: body.access_token }), {
        status: 200,
        body: { total: 2 },
      })
    })

    await t.test('there is one first admin: by whatever way it is asked, and by many at once', async t => {
      for (const ask of [
        () => post(`/auth/admin/promote?user_id=1&secret=${SECRET}`),
        () => post('/auth/admin/promote', { user_id: 1, secret: SECRET }),
      ])
        t.match(await ask(), { status: 409 })
      t.match(
        await ask('POST', '/auth/admin/promote', {
          ...nobody,
          body: { user_id: 1 },
          headers: { 'x-promote-secret': SECRET },
        }),
        {
          status: 409,
        },
      )
    })

    await t.test('a user sees what is its own, for an hour', async t => {
      const { body } = await post('/auth/login', { email: 'user@example.com', password: 'password123' })
      t.ok(body.expires_in > 3_590 && body.expires_in <= 3_600)
      t.match(await ask('GET', '/auth/me', { token: body.access_token }), {
        body: { email: 'user@example.com' },
      })
      t.match(await ask('GET', '/api/v1/nodes', { token: body.access_token }), { status: 403 })
      const next = await post('/auth/refresh', { refresh_token: body.refresh_token })
      t.match(next, { status: 200, body: { token_type: 'bearer' } })
      t.match(await post('/auth/refresh', { refresh_token: body.refresh_token }), { status: 401 }, 'once')
      t.match(await ask('GET', '/auth/me', { token: next.body.access_token }), { status: 401 })
    })

    await t.test('logging out ends the tokens', async t => {
      const { body } = await post('/auth/login', { email: 'user@example.com', password: 'password123' })
      t.match(await post('/auth/logout', { refresh_token: body.refresh_token }), { status: 204 })
      t.match(await ask('GET', '/auth/me', { token: body.access_token }), { status: 401 })
    })

    await t.test('what may not be sent', async t => {
      for (const [body, wanted] of [
        [{ email: 'no address', password: 'password123' }, 'email'],
        [{ email: 'nobody', password: 'password123' }, 'e-mail address'],
        [{ email: 'new@example.com', password: 'short' }, 'at least 8'],
        [{ email: 'new@example.com', password: 'new@example.com' }, 'the name'],
        [{ email: 'new@example.com', password: 'password123', role: 'admin' }, 'role'],
      ] as const)
        t.match(await post('/auth/register', body), { status: 400, body: { detail: wanted } })
      t.match(await post('/auth/admin/promote'), {
        status: 400,
        body: { detail: /number of a user; .*PROMOTE_SECRET/ },
      })
    })
  }),
)

t.test('nobody registers or is promoted where nobody asked for it', async t => {
  const { ask } = await restServer(t, { plugins: [access] })
  const post = (path: string, body: object) => ask('POST', path, { token: null, body })
  t.match(await post('/auth/register', { email: 'user@example.com', password: 'correct horse' }), {
    status: 403,
    body: { code: 'sign_up_off' },
  })
  t.match(await post('/auth/admin/promote', { user_id: 1, secret: '' }), { status: 400 })
  t.match(await post('/auth/admin/promote', { user_id: 1, secret: 'null' }), {
    status: 403,
    body: { code: 'promotion_off' },
  })
})

t.test('what strangers try', async t => {
  const clock = new MovableClock()
  clock.hold()
  const { ask } = await restServer(t, { clock, plugins: [access], env: AS_FIRST })
  const register = (i: number) =>
    ask('POST', '/auth/register', {
      token: null,
      body: { email: `u${i}@example.com`, password: 'correct horse' },
    })
  const promote = (secret: string, user_id = 1) =>
    ask('POST', '/auth/admin/promote', { token: null, body: { user_id, secret } })

  await t.test('an address registers a few at once, then one a minute', async t => {
    const statuses: number[] = []
    for (let i = 0; i < 12; i++) statuses.push((await register(i)).status)
    t.same(statuses, [...Array.from({ length: 10 }, () => 201), 429, 429])
  })

  await t.test('of many promoted at once one is the first admin', async t => {
    const answers = await Promise.all([1, 2, 3].map(id => promote(SECRET, id)))
    t.same(
      answers.map(({ status }) => status).sort((a, b) => a - b),
      [200, 409, 409],
    )
  })

  await t.test('guessing the secret gets slower, for the right one too', async t => {
    const statuses: number[] = []
    for (let i = 0; i < 6; i++) statuses.push((await promote(`guess ${i}`)).status)
    t.same(statuses, [403, 403, 403, 403, 429, 429])
    t.match(await promote(SECRET), { status: 429 })
  })
})
