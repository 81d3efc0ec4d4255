/** A Telegram bot that sells: its updates as Telegram delivers them, and what it is told to do in the answers. */
import t from 'tap'
import { access } from '../../src/access/plugin.js'
import { insider } from '../support/insider.js'
import { restServer } from '../support/rest-server.js'

const SECRET = 'a-bot-secret-that-only-this-test-knows'
const ENV = {
  PAYMENT_TELEGRAM_BOT: 'example_vpn_bot',
  PAYMENT_TELEGRAM_SECRET: SECRET,
  PAYMENT_TELEGRAM_OLD_SECRET: 'the-bot-secret-that-was-there-before-it',
}

t.test('a Telegram bot that sells', async t => {
  const inside = insider()
  const { ask } = await restServer(t, { env: ENV, plugins: [access, inside.plugin] })
  const ada = await inside.account('ada')
  const tariff = async (name: string, price: string, currency: string) =>
    (await ask('POST', '/tariffs/', { body: { name, price, currency, duration_days: 30 } })).body.id as number
  const month = await tariff('A month of everything, wherever you are', '250', 'XTR')
  const create = (body: object) => ask('POST', '/payments/create', { token: ada.token, body })
  let updates = 100_000
  const update = (body: object, headers: object = { 'x-telegram-bot-api-secret-token': SECRET }) =>
    ask('POST', '/payments/webhook/telegram', {
      token: null,
      body: { update_id: updates++, ...body },
      headers: { ...headers },
    })
  const from = { id: 4242, is_bot: false, first_name: 'Ada', language_code: 'en' }
  const message = (body: object) =>
    update({
      message: { message_id: 7, date: 1_800_000_000, from, chat: { id: 4242, type: 'private' }, ...body },
    })
  const checkOut = (money: object) =>
    update({ pre_checkout_query: { id: '18219', from, currency: 'XTR', total_amount: 250, ...money } })
  const charge = (payload: string, more: object = {}) => ({
    currency: 'XTR',
    total_amount: 250,
    invoice_payload: payload,
    telegram_payment_charge_id: 'stxCharge1',
    provider_payment_charge_id: '4242_0',
    ...more,
  })
  const status = async (id: number) => (await ask('GET', `/payments/status/${id}`)).body.status as string

  const { status: code, body: asked } = await create({ tariff_id: month })
  const payload: string = asked.next.invoice.payload

  await t.test(
    'V-06: who asks for a payment gets a link to the bot, and the invoice for bots of one’s own',
    async t => {
      t.equal(code, 201)
      t.match(asked, {
        provider: 'telegram',
        next: {
          url: `https://t.me/example_vpn_bot?start=${payload}`,
          invoice: {
            title: 'A month of everything, wherever ',
            description: 'A month of everything, wherever you are, 30 days',
            currency: 'XTR',
            prices: [{ amount: 250 }],
          },
        },
      })
      t.match(payload, /^[\w-]{1,64}$/, 'what a link to a bot may carry')
    },
  )

  await t.test('whoever opens the link is sent the invoice', async t => {
    t.match(await message({ text: `/start ${payload}` }), {
      status: 200,
      body: {
        method: 'sendInvoice',
        chat_id: 4242,
        payload,
        currency: 'XTR',
        provider_token: '',
        prices: [{ amount: 250 }],
      },
    })
    const guessed = payload.replace(/.$/, last => (last === '0' ? '1' : '0'))
    t.match((await message({ text: `/start ${guessed}` })).body, { method: 'sendMessage' })
    t.same((await message({ text: 'hello' })).body, {}, 'what people write to a bot concerns nobody')
    t.same((await update({ edited_message: { text: '/start' } })).body, {})
  })

  await t.test('before money is taken, it is asked whether it is wanted, and so much', async t => {
    t.match((await checkOut({ invoice_payload: payload })).body, {
      method: 'answerPreCheckoutQuery',
      pre_checkout_query_id: '18219',
      ok: true,
    })
    for (const wrong of [
      { invoice_payload: payload, total_amount: 1 },
      { invoice_payload: payload, currency: 'EUR' },
      { invoice_payload: 'pay_1_0000000000000000' },
      { invoice_payload: '' },
    ])
      t.match((await checkOut(wrong)).body, { ok: false, error_message: /not good any more/ })
  })

  await t.test('V-06: what was paid is granted, once, however often it is told', async t => {
    for (let i = 0; i < 3; i++)
      t.match(await message({ successful_payment: charge(payload) }), { status: 200, body: {} })
    t.equal(await status(asked.id), 'completed')
    const { events } = (await ask('GET', `/payments/events?payment_id=${asked.id}`)).body
    t.match(events, [{ outcome: 'completed', event_id: 'successful_payment stxCharge1' }])
    t.equal(events.length, 1)
    t.match((await checkOut({ invoice_payload: payload })).body, { ok: false, error_message: /paid already/ })
    t.match((await message({ text: `/start ${payload}` })).body, { method: 'sendMessage' })
  })

  await t.test('another sum, or a payload of nobody’s, grants nothing', async t => {
    const { body } = await create({ tariff_id: month })
    await message({
      successful_payment: charge(body.next.invoice.payload, {
        total_amount: 25,
        telegram_payment_charge_id: 'c2',
      }),
    })
    await message({ successful_payment: charge('pay_1_0', { telegram_payment_charge_id: 'c3' }) })
    t.equal(await status(body.id), 'pending')
    const { events } = (await ask('GET', '/payments/events?provider=telegram')).body
    t.match(events.map(({ outcome }: { outcome: string }) => outcome).toSorted(), [
      'completed',
      'mismatch',
      'unknown_payment',
    ])
  })

  await t.test('what was paid back is taken back', async t => {
    const { provider_payment_charge_id: _, ...refunded } = charge(payload)
    t.match(await message({ refunded_payment: refunded }), { status: 200 })
    t.equal(await status(asked.id), 'refunded')
    t.match(await message({ successful_payment: charge(payload) }), { status: 200 })
    t.equal(await status(asked.id), 'refunded')
  })

  await t.test('V-12: only Telegram knows the secret of the webhook', async t => {
    const paid = { message: { chat: { id: 1 }, successful_payment: charge(payload) } }
    for (const [headers, wanted] of [
      [{}, 'signature_missing'],
      [{ 'x-telegram-bot-api-secret-token': '' }, 'signature_wrong'],
      [{ 'x-telegram-bot-api-secret-token': SECRET.slice(0, -1) }, 'signature_wrong'],
      [{ 'x-telegram-bot-api-secret-token': SECRET.toUpperCase() }, 'signature_wrong'],
    ] as const)
      t.match(await update(paid, headers), { status: 400, body: { code: wanted } })
    t.match(await update({ message: 7 }), { status: 400, body: { code: 'not_understood' } })
    t.match(
      await update({
        message: { chat: { id: 1 }, successful_payment: charge(payload, { total_amount: 2.5 }) },
      }),
      { status: 400, body: { code: 'not_understood' } },
    )
    for (const secret of [SECRET, ENV.PAYMENT_TELEGRAM_OLD_SECRET])
      t.match(
        await ask('POST', '/payments/webhook', {
          token: null,
          body: { update_id: 1 },
          headers: { 'x-telegram-bot-api-secret-token': secret },
        }),
        { status: 200 },
        'at the common address too, and with the secret before',
      )
  })

  await t.test('what the bot cannot ask for is refused when it is asked for', async t => {
    const half = await tariff('Half a star', '0.50', 'XTR')
    t.match(await create({ tariff_id: half }), { status: 409, body: { detail: /whole XTR/ } })
    const euros = await tariff('In euros', '9.90', 'EUR')
    t.match(await create({ tariff_id: euros }), {
      status: 409,
      body: { detail: /PAYMENT_TELEGRAM_PROVIDER_TOKEN/ },
    })
    t.match(await create({ tariff_id: euros, provider: 'manual' }), { status: 201 })
  })
})
