/**
 * The examples of the first VPN API's own guide, by curl as they stand there: only the addresses are those of this test, and
 * wg-easy is a fake that answers as the one of the guide did.
 */
import { createHmac } from 'node:crypto'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { access } from '../../src/access/plugin.js'
import { restServer } from '../support/rest-server.js'
import { until } from '../support/until.js'
import { startWgEasy } from '../support/wg-easy.js'

const WEBHOOK_SECRET = 'a-webhook-secret-that-only-this-test-knows'

t.test('V-11: the smoke tests of the first VPN API pass', async t => {
  const wgEasy = await startWgEasy(t, 'seed', { password: 'supersecret' })
  const { port } = await restServer(t, {
    plugins: [access],
    env: {
      // As its .env.production has them.
      SECRET_KEY: 'some-very-long-random-secret-of-this-test',
      PROMOTE_SECRET: 'bootstrap-secret',
      WG_KEY_POLICY: 'wg-easy',
      WG_EASY_URL: wgEasy.url,
      WG_EASY_PASSWORD: 'supersecret',
      // As it was: anybody registers, and eight characters are enough.
      BOSON_SIGN_UP: 'open',
      BOSON_PASSWORD_MIN: '8',
      PAYMENT_WEBHOOK_SECRET: WEBHOOK_SECRET,
      // The wg-easy of this test is on this machine.
      WG_EASY_NETWORKS: '127.0.0.0/8',
    },
  })
  /** Runs a line of the guide; resolves with what curl prints. */
  const guide = async (line: string): Promise<string> => {
    const here = line
      .replaceAll('127.0.0.1:8000', `127.0.0.1:${port}`)
      .replaceAll('http://62.84.98.109:8588/', wgEasy.url)
    return (await promisify(execFile)('sh', ['-c', here])).stdout
  }
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of an answer by asserting it
  const json = async (line: string): Promise<any> => JSON.parse(await guide(line))

  await t.test('it runs', async t => {
    t.equal(await guide('curl -sS http://127.0.0.1:8000/'), '{"msg":"VPN API is running"}')
  })

  await t.test('V-01: registration, and the first admin', async t => {
    t.match(
      await json(
        `curl -sS -X POST -H "Content-Type: application/json" -d '{"email":"user@example.com","password":"password123"}' http://127.0.0.1:8000/auth/register`,
      ),
      { id: 1, email: 'user@example.com', is_admin: false },
    )
    t.match(
      await json(
        `curl -sS -X POST -H "Content-Type: application/json" -d '{"email":"admin@example.com","password":"password123"}' http://127.0.0.1:8000/auth/register`,
      ),
      { id: 2 },
    )
    t.match(
      await json(
        'curl -sS -X POST "http://127.0.0.1:8000/auth/admin/promote?user_id=2&secret=bootstrap-secret"',
      ),
      { id: 2, is_admin: true },
    )
  })

  const signIn = async (email: string): Promise<string> => {
    const { access_token: token } = await json(
      `curl -sS -X POST -H "Content-Type: application/json" -d '{"email":"${email}","password":"password123"}' http://127.0.0.1:8000/auth/login`,
    )
    return token
  }
  const [admin, user] = [await signIn('admin@example.com'), await signIn('user@example.com')]
  const as = (token: string, method: string, path: string, body?: object) =>
    json(
      `curl -sS -X ${method} -H "Authorization: Bearer ${token}" -H "Content-Type: application/json" ${body === undefined ? '' : `-d '${JSON.stringify(body)}' `}http://127.0.0.1:8000${path}`,
    )

  await t.test('V-03, V-07: a tariff is made by the token of the admin', async t => {
    const tariff = { name: 'Month', duration_days: 30, price: '9.90', description: 'A month' }
    t.match(await as(admin, 'POST', '/tariffs/', tariff), { id: 1, ...tariff })
    t.match(await as(user, 'POST', '/tariffs/', tariff), { status: 403 })
    t.match(await json('curl -sS http://127.0.0.1:8000/tariffs/'), { status: 401 })
  })

  await t.test('V-06: a payment is pending, its webhook completes it, and there is a peer', async t => {
    t.match(await as(user, 'POST', '/payments/create', { user_id: 1, amount: '9.90', tariff_id: 1 }), {
      id: 1,
      status: 'pending',
      amount: '9.90',
    })
    const event = JSON.stringify({
      id: 'evt_1',
      type: 'payment.completed',
      data: { payment_id: 1, provider_payment_id: 'ch_1', amount: '9.90', currency: 'USD' },
    })
    const seconds = Math.floor(Date.now() / 1000)
    const mac = createHmac('sha256', WEBHOOK_SECRET).update(`${seconds}.${event}`).digest('hex')
    for (let time = 0; time < 2; time++)
      t.equal(
        await guide(
          `curl -sS -o /dev/null -w '%{http_code}' -X POST -H "X-Boson-Signature: t=${seconds},v1=${mac}" -d '${event}' http://127.0.0.1:8000/payments/webhook`,
        ),
        '200',
      )
    t.match(await as(user, 'GET', '/payments/status/1'), { status: 'completed' })
  })

  await t.test('V-08: the peer is at wg-easy, which is asked by the raw header', async t => {
    await until('wg-easy has it', () => wgEasy.clients.length === 1)
    t.match(await json('curl -sS -H "Authorization: supersecret" http://62.84.98.109:8588/clients'), [
      { id: String, publicKey: /=$/ },
    ])
    const refused = await guide(
      `curl -sS -o /dev/null -w '%{http_code}' -H "Authorization: Bearer supersecret" http://62.84.98.109:8588/clients`,
    )
    t.ok(Number(refused) >= 400, 'as the guide says of Bearer')
    const [client] = wgEasy.clients
    await guide(
      `curl -X DELETE -H "Authorization: supersecret" http://62.84.98.109:8588/clients/${client?.id} 2>/dev/null`,
    )
    t.same(wgEasy.clients, [])
  })
})
