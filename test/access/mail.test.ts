/** What is done by mail: confirming an address, and getting in again without the password. */
import t, { type Test } from 'tap'
import { MIGRATIONS } from '../../src/access/migrations.js'
import { Outbox } from '../../src/access/mail/outbox.js'
import { access } from '../../src/access/plugin.js'
import type { AccessTables } from '../../src/access/tables.js'
import { openVault } from '../../src/app/vault.js'
import { systemRandom } from '../../src/kit/random.js'
import { openStore } from '../../src/store/index.js'
import { MovableClock } from '../support/movable-clock.js'
import { onEachDatabase } from '../support/rest-server.js'
import { shortFolder } from '../support/short-folder.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { until } from '../support/until.js'

const OLD = 'correct horse battery'
const NEW = 'wrong donkey charger'
const HOUR = 3_600_000

t.test('accounts by mail', t =>
  onEachDatabase(t, async (t, start) => {
    const clock = new MovableClock()
    const { ask } = await start({ clock, plugins: [access], env: { BOSON_SIGN_UP: 'confirmed' } })
    const post = (path: string, body: object) => ask('POST', path, { token: null, body })
    const signIn = (password: string) => post('/auth/login', { email: 'ada@example.org', password })
    const mails = async () => (await ask('GET', '/api/v1/mails')).body.mails
    /** Resolves with the code of the newest mail, once there are so many. */
    const code = async (count: number): Promise<string> => {
      const all = await until('the mail has left', async () => {
        const rows = await mails()
        return rows.length === count && rows[0].sentAt !== null && rows
      })
      return /^[\w-]{22}$/m.exec(all[0].text)?.[0] ?? ''
    }

    await t.test('who registers signs in once the address is confirmed', async t => {
      t.match(await post('/auth/register', { email: 'ada@example.org', password: OLD }), {
        status: 201,
        body: { status: 'unconfirmed' },
      })
      t.match(await signIn(OLD), { status: 403, body: { code: 'unconfirmed' } })
      t.match(await post('/auth/confirm', { code: 'guess' }), { status: 400 })
      const good = await code(1)
      t.match(
        await post('/auth/password/reset', { code: good, password: NEW }),
        { status: 400 },
        'it is for another purpose',
      )
      t.match(await post('/auth/confirm', { code: good }), { status: 200, body: { status: 'active' } })
      t.match(await post('/auth/confirm', { code: good }), { status: 400 }, 'once')
      t.match(await signIn(OLD), { status: 200 })
    })

    await t.test('a forgotten password is replaced by a code, once, within an hour', async t => {
      const signedIn = (await signIn(OLD)).body
      t.match(await post('/auth/password/forgot', { email: 'nobody@example.org' }), {
        status: 202,
        body: null,
      })
      t.match(await post('/auth/password/forgot', { email: 'ADA@example.org' }), { status: 202, body: null })
      const first = await code(2)
      await post('/auth/password/forgot', { email: 'ada@example.org' })
      const second = await code(3)
      t.match(
        await post('/auth/password/reset', { code: first, password: NEW }),
        { status: 400 },
        'only the newest',
      )
      t.match(
        await post('/auth/password/reset', { code: second, password: 'short' }),
        { status: 400 },
        'and it is not spent',
      )
      t.match(await post('/auth/password/reset', { code: second, password: NEW }), { status: 204 })
      t.match(await post('/auth/password/reset', { code: second, password: NEW }), { status: 400 })
      t.match([(await signIn(OLD)).status, (await signIn(NEW)).status], [401, 200])
      t.match(await ask('GET', '/auth/me', { token: signedIn.access_token }), { status: 401 })

      await post('/auth/password/forgot', { email: 'ada@example.org' })
      const late = await code(4)
      clock.advance(3_600_000)
      t.match(await post('/auth/password/reset', { code: late, password: OLD }), { status: 400 })
    })

    await t.test(
      'V-02: who registers by mail chooses a password then, or confirms the one that was sent',
      async t => {
        const count = (await mails()).length
        const sent = { status: 202, body: { status: 'ok', message: 'Check your email' } }
        t.match(await post('/auth/register/email', { email: 'new@example.org' }), sent)
        const chosen = { code: await code(count + 1), password: NEW }
        t.match(await post('/auth/login', { email: 'new@example.org', password: NEW }), { status: 401 })
        t.match(await post('/auth/password/reset', chosen), { status: 204 })
        t.match(await post('/auth/login', { email: 'new@example.org', password: NEW }), { status: 200 })
        t.match(await post('/auth/register/email', { email: 'own@example.org', password: 'short' }), {
          status: 400,
        })
        t.match(await post('/auth/register/email', { email: 'own@example.org', password: OLD }), sent)
        t.match(await post('/auth/confirm', { code: await code(count + 2) }), { body: { status: 'active' } })
        const again = { email: 'OWN@example.org', password: NEW }
        t.match(await post('/auth/register/email', again), sent, 'it shows to nobody that there is one')
        await code(count + 3)
        t.match((await mails())[0], { to: 'own@example.org', subject: 'Another password' })
        t.match(await post('/auth/login', again), { status: 401 }, 'its password stays')
      },
    )

    await t.test('nobody floods a mailbox', async t => {
      clock.advance(HOUR)
      const statuses: number[] = []
      for (let i = 0; i < 7; i++)
        statuses.push((await post('/auth/password/forgot', { email: 'ada@example.org' })).status)
      t.same(statuses, [202, 202, 202, 202, 202, 429, 429])
    })
  }),
)

t.test('mail that does not leave is tried again, ever more rarely, and no text lies open', async t => {
  const { outbox, sent, room, clock, at } = await alone(t)
  await room.transact(tx =>
    outbox.write(tx, { to: 'ada@example.org', subject: 'Hello', text: 'a secret code' }),
  )
  const [row] = await room.ask(db => db.selectFrom('mails').selectAll().execute())
  t.notOk(Buffer.from(row?.body ?? []).includes('secret'))
  at.isAway = true
  const tries: number[] = []
  for (let minute = 0; minute < 20; minute++) {
    const before = at.tries
    await outbox.deliver()
    if (at.tries > before) tries.push(minute)
    clock.advance(60_000)
  }
  t.same(tries, [0, 1, 2, 3, 5, 8, 14])
  t.match(await outbox.newest(1), [{ sent_at: null, error: 'Error: no mail server' }])
  at.isAway = false
  clock.advance(3_600_000)
  await Promise.all([outbox.deliver(), outbox.deliver()])
  t.same(sent, [{ to: 'ada@example.org', subject: 'Hello', text: 'a secret code' }], 'once')
})

async function alone(t: Test) {
  const store = await openStore({
    dataDir: shortFolder(),
    overlay4: '10.77.0.0/16',
    overlay6: 'fd77:b050::/64',
  })
  t.teardown(() => store.close())
  const room = await store.room<AccessTables>('access', MIGRATIONS)
  const clock = new SimulatedClock()
  const sent: object[] = []
  const at = { isAway: false, tries: 0 }
  const outbox = new Outbox({
    clock,
    room,
    vault: openVault('a-key-that-is-known-to-this-test-only', systemRandom),
    async send({ to, subject, text }) {
      at.tries++
      if (at.isAway) throw new Error('no mail server')
      sent.push({ to, subject, text })
    },
    failed: () => undefined,
  })
  return { outbox, sent, room, clock, at }
}
