/** Payments, from asking for one to what was paid for, as payers, operators and providers see it. */
import t from 'tap'
import { Payments } from '../../src/access/payments/payments.js'
import { access } from '../../src/access/plugin.js'
import { insider } from '../support/insider.js'
import { MovableClock } from '../support/movable-clock.js'
import { delivered } from '../support/payment-provider.js'
import { onEachDatabase } from '../support/rest-server.js'
import { until } from '../support/until.js'

const SECRET = 'a-webhook-secret-that-only-this-test-knows'
const OLD_SECRET = 'the-webhook-secret-that-was-there-before-it'
const ENV = {
  PAYMENT_WEBHOOK_SECRET: SECRET,
  PAYMENT_WEBHOOK_OLD_SECRET: OLD_SECRET,
  PAYMENT_URL: 'https://pay.example.org/?order={payment_id}&amount={amount}&currency={currency}',
}
const DAY_MS = 86_400_000

t.test('payments', t =>
  onEachDatabase(t, async (t, start) => {
    const clock = new MovableClock()
    const inside = insider()
    const server = await start({ clock, env: ENV, plugins: [access, inside.plugin] })
    const { ask } = server
    const [ada, bob, eve, dan] = await Promise.all(
      ['ada@example.org', 'bob', 'eve', 'dan'].map(name => inside.account(name)),
    )
    const viewer = await inside.account('vic', 'viewer')
    const operator = await inside.account('olga', 'operator')
    const zoe = await inside.account('zoe')
    if (ada === undefined || bob === undefined || eve === undefined || dan === undefined)
      throw new Error('four were made')
    const tariff = async (body: object) => (await ask('POST', '/tariffs/', { body })).body.id as number
    const month = await tariff({ name: 'Month', price: '9.90', currency: 'EUR', duration_days: 30 })
    const create = (token: string, body: object, headers = {}) =>
      ask('POST', '/payments/create', { token, body, headers })
    const created = async (token: string, body: object = {}) =>
      (await create(token, { tariff_id: month, ...body })).body.id as number
    const tell = (event: object, secret = SECRET) =>
      delivered(server, event, { secret, atMs: clock.wallMs() })
    const paid = (id: number, more: object = {}) =>
      tell({
        id: `evt_${id}`,
        type: 'payment.completed',
        data: { payment_id: id, provider_payment_id: `ch_${id}`, amount: '9.90', currency: 'EUR', ...more },
      })
    const status = async (id: number) => (await ask('GET', `/payments/status/${id}`)).body.status as string
    const audited = (kind: string, subject: string) =>
      until(`${kind} of ${subject} is audited`, async () => {
        const { audit } = (await ask('GET', `/api/v1/audit?kind=${kind}`)).body
        return audit.find((row: { subject: string }) => row.subject === subject) as
          | { actor: string }
          | undefined
      })
    const subscriptions = (accountId: string) =>
      inside
        .room()
        .ask(db => db.selectFrom('subscriptions').selectAll().where('account_id', '=', accountId).execute())
    const peers = (accountId: string) =>
      inside
        .room()
        .ask(db => db.selectFrom('peers').selectAll().where('account_id', '=', accountId).execute())

    await t.test('V-06: a payment is asked for, is pending, and says what to do next', async t => {
      const { status: code, body } = await create(ada.token, {
        tariff_id: month,
        amount: 9.9,
        currency: 'EUR',
        provider: 'generic',
      })
      t.equal(code, 201)
      t.match(body, {
        user_id: ada.userId,
        tariff_id: month,
        amount: '9.90',
        currency: 'EUR',
        status: 'pending',
        provider: 'generic',
        provider_payment_id: null,
        next: { url: `https://pay.example.org/?order=${body.id}&amount=9.90&currency=EUR`, invoice: null },
      })
      t.equal(Date.parse(body.expires_at) - Date.parse(body.created_at), DAY_MS)
      t.same((await ask('GET', `/payments/status/${body.id}`, { token: ada.token })).body, body)
    })

    await t.test('V-06, V-07: what is paid is granted, with one peer and a mail', async t => {
      const id = await created(ada.token)
      t.match(await paid(id), { status: 200, body: { received: true, outcome: 'completed' } })
      t.match((await ask('GET', `/payments/status/${id}`, { token: ada.token })).body, {
        status: 'completed',
        provider_payment_id: `ch_${id}`,
        user_tariff_id: Number,
        next: null,
      })
      t.match(await subscriptions(ada.accountId), [
        { tariff_id: month, is_current: true, granted_by: `payment ${id}` },
      ])
      t.equal((await peers(ada.accountId)).length, 1)
      t.match((await ask('GET', '/api/v1/mails')).body.mails, [
        { to: 'ada@example.org', text: /9\.90 EUR for Month.*until \d{4}-\d\d-\d\d \d\d:\d\d UTC/ },
      ])
      t.equal((await audited('payment.completed', `payment ${id}`)).actor, 'generic')
    })

    await t.test('what is paid is in force, and what is paid back is not, at once', async () => {
      const isIn = (state: string) =>
        until(`${state} is in force`, async () => {
          const { body } = await ask('GET', '/entitlements/mine', { token: zoe.token })
          return body.state === state
        })
      await isIn('none')
      const id = await created(zoe.token)
      await paid(id)
      await isIn('active')
      await ask('POST', `/payments/${id}/refund`, { body: {} })
      await isIn('ended')
    })

    await t.test('a second payment prolongs, and has no second peer', async t => {
      const [before] = await subscriptions(ada.accountId)
      t.match(await paid(await created(ada.token)), { body: { outcome: 'completed' } })
      const [after] = await subscriptions(ada.accountId)
      t.equal(Number(after?.ends_at) - Number(before?.ends_at), 30 * DAY_MS)
      t.equal((await peers(ada.accountId)).length, 1)
    })

    await t.test('a payment that is paid back takes back what it gave, and no more', async t => {
      const [before] = await subscriptions(ada.accountId)
      const rows = (await ask('GET', '/payments/?status=completed', { token: ada.token })).body.payments
      const refund = (id: number) =>
        tell({
          id: `evt_refund_${id}`,
          type: 'payment.refunded',
          data: { payment_id: id, amount: '9.90', currency: 'EUR' },
        })
      t.match(await refund(rows[0].id), { body: { outcome: 'refunded' } })
      const [after] = await subscriptions(ada.accountId)
      t.equal(Number(before?.ends_at) - Number(after?.ends_at), 30 * DAY_MS)
      t.match(await refund(rows[1].id), { body: { outcome: 'refunded' } })
      const [last] = await subscriptions(ada.accountId)
      t.ok(Number(last?.ends_at) <= clock.wallMs(), 'nothing is left')
      t.match(await paid(rows[1].id), { body: { outcome: 'completed' } }, 'told again, as it was told')
      t.equal(await status(rows[1].id), 'refunded', 'and nothing is granted by it')
    })

    await t.test(
      'what nobody pays in time expires, and is granted when the money comes all the same',
      async t => {
        const id = await created(dan.token)
        const payments = new Payments({ room: inside.room(), clock })
        clock.advance(DAY_MS - 60_000)
        const early = await payments.expire()
        t.notOk(early.some(({ payment_id }) => payment_id === id))
        clock.advance(120_000)
        const expired = await Promise.all([payments.expire(), payments.expire()])
        t.equal(expired.flat().filter(({ payment_id }) => payment_id === id).length, 1, 'once')
        t.equal(await status(id), 'expired')
        t.match((await ask('GET', `/payments/status/${id}`)).body, { next: null })
        t.match(await paid(id), { body: { outcome: 'completed' } })
        t.equal((await subscriptions(dan.accountId)).length, 1)
      },
    )

    await t.test('what came late, early, or in another order ends as it should', async t => {
      const late = await created(bob.token)
      t.match(await tell({ id: 'evt_fail_first', type: 'payment.failed', data: { payment_id: late } }), {
        body: { outcome: 'failed' },
      })
      t.match(await paid(late), { body: { outcome: 'completed' } }, 'the money is there after all')
      t.match(await tell({ id: 'evt_fail_late', type: 'payment.failed', data: { payment_id: late } }), {
        body: { outcome: 'unchanged' },
      })
      t.equal(await status(late), 'completed', 'never back')
      t.match(await paid(late, { provider_payment_id: 'ch_other' }), { body: { outcome: 'completed' } })
      t.match(
        await tell({
          id: 'evt_again',
          type: 'payment.completed',
          data: { payment_id: late, provider_payment_id: 'ch_other', amount: '9.90', currency: 'EUR' },
        }),
        { body: { outcome: 'paid_twice' } },
        'a second charge',
      )
      t.equal((await subscriptions(bob.accountId)).length, 1)
    })

    await t.test(
      'other money, an unknown payment and another’s charge grant nothing, and are seen',
      async t => {
        const id = await created(eve.token)
        const other = {
          id: '',
          type: 'payment.completed',
          data: { payment_id: id, amount: '9.90', currency: 'EUR' },
        }
        const table: readonly (readonly [string, object, string])[] = [
          ['less', { amount: '9.89' }, 'mismatch'],
          ['more', { amount: '99.00' }, 'mismatch'],
          ['another currency', { currency: 'USD' }, 'mismatch'],
          ['a charge of somebody else', { provider_payment_id: 'ch_1' }, 'mismatch'],
          ['nobody’s', { payment_id: 999_999 }, 'unknown_payment'],
        ]
        const [, first] = (await ask('GET', '/payments/?status=completed')).body.payments as readonly {
          provider_payment_id: string
        }[]
        for (const [n, [what, data, outcome]] of table.entries()) {
          const taken = what.startsWith('a charge')
            ? { provider_payment_id: first?.provider_payment_id ?? 'ch_2' }
            : data
          t.match(
            await tell({ ...other, id: `evt_${outcome}_${n}`, data: { ...other.data, ...taken } }),
            { status: 200, body: { outcome } },
            what,
          )
        }
        t.equal(await status(id), 'pending')
        t.same(await subscriptions(eve.accountId), [])
        const { events } = (await ask('GET', `/payments/events?payment_id=${id}&outcome=mismatch`)).body
        t.match(events.map(({ note }: { note: string }) => note).toSorted(), [
          '9.89 EUR, not 9.90 EUR',
          '9.90 USD, not 9.90 EUR',
          '99.00 EUR, not 9.90 EUR',
          /^charge /,
        ])
        await audited('payment.mismatch', `payment ${id}`)
        t.match(
          (await ask('GET', '/metrics')).body,
          /boson_payment_events_total\{provider="generic",outcome="mismatch"[^}]*\} 4/,
        )
        t.match(await tell({ id: 'evt_odd', type: 'invoice.drafted', data: 7 }), {
          status: 200,
          body: { outcome: 'ignored' },
        })
      },
    )

    await t.test('money that is none is refused, whoever signs it', async t => {
      const id = await created(eve.token)
      for (const amount of [9.9, 1e2, '1e2', '-9.90', '', '9.901', '9,90', null, ['9.90'], '1'.repeat(13)]) {
        const answer = await tell({
          id: 'evt_money',
          type: 'payment.completed',
          data: { payment_id: id, amount, currency: 'EUR' },
        })
        t.match(answer, { status: 400, body: { code: 'not_understood' } }, JSON.stringify(amount))
      }
      t.match(
        await ask('GET', `/payments/events?payment_id=${id}`),
        { body: { events: [] } },
        'nothing is kept of it',
      )
      t.equal(await status(id), 'pending')
    })

    await t.test('V-12: without a right signature nothing is read and nothing is written', async t => {
      const id = await created(eve.token)
      const event = {
        id: 'evt_forged',
        type: 'payment.completed',
        data: { payment_id: id, amount: '9.90', currency: 'EUR' },
      }
      const atMs = clock.wallMs()
      const table: readonly (readonly [string, Parameters<typeof delivered>[2], string])[] = [
        ['no header', { header: null }, 'signature_missing'],
        ['another secret', { secret: 'guess', atMs }, 'signature_wrong'],
        ['an hour ago', { secret: SECRET, atMs: atMs - 3_600_000 }, 'signature_old'],
        ['tomorrow', { secret: SECRET, atMs: atMs + DAY_MS }, 'signature_future'],
        ['another body', { secret: SECRET, atMs, signed: '{}' }, 'signature_wrong'],
      ]
      for (const [what, wish, code] of table)
        t.match(await delivered(server, event, wish), { status: 400, body: { code } }, what)
      t.match(await delivered(server, 'no JSON', { secret: SECRET, atMs }), {
        status: 400,
        body: { code: 'not_understood' },
      })
      t.match(await delivered(server, `${'['.repeat(40)}${']'.repeat(40)}`, { secret: SECRET, atMs }), {
        status: 400,
        body: { code: 'not_understood' },
      })
      t.match(await delivered(server, 'x'.repeat(70_000), { secret: SECRET, atMs }), { status: 413 })
      t.equal(await status(id), 'pending')
      t.match(
        await tell(event, OLD_SECRET),
        { status: 200, body: { outcome: 'completed' } },
        'the secret before is good',
      )
    })

    await t.test('what it costs, the tariff says', async t => {
      const twin = await tariff({ name: 'Twin', price: '5.00', currency: 'EUR', duration_days: 30 })
      await tariff({ name: 'Other twin', price: '5.00', currency: 'EUR', duration_days: 7 })
      const free = await tariff({ name: 'Free', price: '0.00', currency: 'EUR', duration_days: 7 })
      const table: readonly (readonly [string, object, number, object])[] = [
        ['less', { tariff_id: month, amount: '0.01' }, 422, { code: 'other_price' }],
        [
          'another currency',
          { tariff_id: month, amount: '9.90', currency: 'USD' },
          422,
          { code: 'other_price' },
        ],
        ['no such tariff', { tariff_id: 999 }, 404, {}],
        ['free', { tariff_id: free }, 409, { code: 'nothing_to_pay' }],
        ['by what it costs alone', { amount: '9.90', currency: 'EUR' }, 201, { tariff_id: month }],
        ['by what two cost', { amount: '5.00', currency: 'EUR' }, 400, { detail: /several tariffs/ }],
        ['one of the two', { tariff_id: twin, amount: '5.00' }, 201, { tariff_id: twin }],
        ['by what nothing costs', { amount: '6.00' }, 400, { detail: /no tariff costs/ }],
        ['nothing at all', {}, 400, { detail: /tariff_id/ }],
        ['a field that is none', { tariff_id: month, status: 'completed' }, 400, { detail: /status/ }],
        ['a float', { tariff_id: month, amount: 9.900_000_000_000_1 }, 400, { detail: /decimal/ }],
        ['an exponent', { tariff_id: month, amount: '1e1' }, 400, { detail: /decimal/ }],
        ['a provider that is off', { tariff_id: month, provider: 'telegram' }, 409, { code: 'provider_off' }],
        ['a key that is none', { tariff_id: month, wg_public_key: 'x' }, 400, { detail: /WireGuard/ }],
      ]
      for (const [what, body, code, wanted] of table)
        t.match(await create(eve.token, body), { status: code, body: wanted }, what)
    })

    await t.test('the same Idempotency-Key gives the same payment, to many at once too', async t => {
      const key = { 'idempotency-key': 'order-17' }
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => create(bob.token, { tariff_id: month }, key)),
      )
      t.equal(new Set(answers.map(({ body }) => body.id)).size, 1)
      t.same(answers.map(({ status: code }) => String(code)).toSorted(), [...Array(9).fill('200'), '201'])
      t.match(await create(bob.token, { tariff_id: month, provider: 'manual' }, key), {
        status: 422,
        body: { code: 'idempotency_key_reused' },
      })
      const { body } = await create(eve.token, { tariff_id: month }, key)
      t.not(body.id, answers[0]?.body.id, 'another’s key is another key')
      t.match(await create(bob.token, { tariff_id: month }, { 'idempotency-key': 'no spaces' }), {
        status: 400,
      })
    })

    await t.test('everyone sees one’s own payments, operators everybody’s', async t => {
      const id = await created(bob.token)
      for (const token of [ada.token, viewer.token])
        t.match(await ask('GET', `/payments/status/${id}`, { token }), { status: 404 })
      for (const token of [bob.token, operator.token])
        t.match(await ask('GET', `/payments/status/${id}`, { token }), { status: 200 })
      t.match(await ask('GET', `/payments/status/${id}`, { token: null }), { status: 401 })
      const users = (body: { payments: readonly { user_id: number }[] }) =>
        new Set(body.payments.map(({ user_id }) => user_id))
      t.same(users((await ask('GET', '/payments/', { token: bob.token })).body), new Set([bob.userId]))
      t.match((await ask('GET', `/payments/?user_id=${ada.userId}`, { token: bob.token })).body, { total: 0 })
      t.equal(users((await ask('GET', '/payments/', { token: operator.token })).body).size, 5)
      t.match((await ask('GET', '/payments/?q=ADA&limit=1')).body, {
        count: 1,
        payments: [{ user_id: ada.userId }],
      })
      t.match(await create(bob.token, { tariff_id: month, user_id: ada.userId }), { status: 404 })
      t.match(await create(bob.token, { tariff_id: month, user_id: 999 }), { status: 404 })
      t.match(await create(bob.token, { tariff_id: month, provider_payment_id: 'ch_mine' }), { status: 403 })
      t.match(await create(operator.token, { tariff_id: month, user_id: ada.userId }), {
        status: 201,
        body: { user_id: ada.userId },
      })
      t.match(await create(bob.token, { tariff_id: month, user_id: bob.userId }), { status: 201 })
    })

    await t.test('lists are read page by page', async t => {
      const ids: number[] = []
      let after = ''
      do {
        const { body } = await ask('GET', `/payments/?limit=4&sort=id${after && `&after=${after}`}`)
        ids.push(...body.payments.map(({ id }: { id: number }) => id))
        after = body.next ?? ''
      } while (after !== '')
      t.same(
        ids,
        ids.toSorted((a, b) => a - b),
      )
      t.match((await ask('GET', '/payments/')).body, { total: ids.length })
      t.match(await ask('GET', '/payments/?after=x'), { status: 400 })
    })

    await t.test('an operator confirms, gives up and pays back by hand, each once', async t => {
      const by = (id: number, verb: string, token = operator.token) =>
        ask('POST', `/payments/${id}/${verb}`, { token, body: { note: 'cash' } })
      const cash = await created(eve.token, { provider: 'manual' })
      t.match(await by(cash, 'confirm', eve.token), { status: 403 })
      t.match(await by(cash, 'refund'), { status: 409 }, 'there is nothing to pay back')
      const both = await Promise.all([by(cash, 'confirm'), by(cash, 'confirm')])
      t.match(both, [
        { status: 200, body: { status: 'completed', note: 'cash' } },
        { status: 200, body: { status: 'completed' } },
      ])
      t.match(await by(cash, 'fail'), { status: 409, body: { detail: /is completed/ } })
      t.match(
        (await ask('GET', `/payments/status/${cash}`, { token: eve.token })).body,
        { note: null },
        'is for operators',
      )
      t.match(await audited('payment.completed', `payment ${cash}`), {
        actor: 'olga',
        detail: { note: 'cash' },
      })
      t.match(await by(cash, 'refund'), { status: 200, body: { status: 'refunded' } })
      t.match(await by(cash, 'confirm'), { status: 409 })

      const again = await created(eve.token)
      for (const charge of ['ch_first', 'ch_second']) {
        const data = { payment_id: again, provider_payment_id: charge, amount: '9.90', currency: 'EUR' }
        t.match(await tell({ id: `evt_${charge}`, type: 'payment.completed', data }), {
          body: { outcome: 'completed' },
        })
        t.match(await by(again, 'refund'), { body: { status: 'refunded' } }, `${charge} is paid back`)
      }

      const lost = await created(eve.token)
      t.match(await by(lost, 'fail'), { body: { status: 'failed' } })
      t.match(await by(lost, 'confirm'), { body: { status: 'completed' } }, 'it came after all')
      t.match(await by(999_999, 'confirm'), { status: 404 })
    })

    await t.test('who has paid is disabled, not removed', async t => {
      t.match(await ask('DELETE', '/api/v1/users/bob'), { status: 409, body: { code: 'kept' } })
      t.match(await ask('PATCH', '/api/v1/users/bob', { body: { disabled: true } }), { status: 200 })
      t.equal((await subscriptions(bob.accountId)).length, 1)
    })

    await t.test('nobody has very many payments wait', async t => {
      const statuses: number[] = []
      for (let i = 0; i < 25; i++) statuses.push((await create(viewer.token, { tariff_id: month })).status)
      t.same([...new Set(statuses)], [201, 429])
      t.equal(statuses.indexOf(429), 20)
    })

    await t.test('who is not set up takes nothing', async t => {
      t.match(await ask('POST', '/payments/webhook/telegram', { token: null, body: {} }), {
        status: 404,
        body: { code: 'provider_off', detail: /PAYMENT_TELEGRAM_BOT/ },
      })
      t.match((await ask('GET', '/payments/providers', { token: bob.token })).body.providers, [
        { name: 'telegram', lacks: 'PAYMENT_TELEGRAM_BOT' },
        { name: 'generic', lacks: null },
        { name: 'manual', lacks: null },
      ])
    })
  }),
)
