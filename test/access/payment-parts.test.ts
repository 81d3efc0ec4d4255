/** The parts of payments that need no database: money, signatures, and what an event means. */
import { createHmac } from 'node:crypto'
import * as fc from 'fast-check'
import t from 'tap'
import { amountOf, hundredthsOf, isSameAmount, smallestUnits } from '../../src/access/payments/money.js'
import type { PaymentEvent, PaymentStatus } from '../../src/access/payments/payment-provider.js'
import { mustBeSigned } from '../../src/access/payments/signature.js'
import { type Standing, verdictOn } from '../../src/access/payments/verdict.js'
import { HttpError } from '../../src/http/faults.js'

t.test('V-07: money is decimal text, compared by what it is worth', async t => {
  const table: readonly (readonly [string, bigint | null])[] = [
    ['9.90', 990n],
    ['9.9', 990n],
    ['9.900', 990n],
    ['9', 900n],
    ['0', 0n],
    ['0.01', 1n],
    ['999999999999.99', 99_999_999_999_999n],
    ['9.901', null],
    ['1000000000000', null],
    ['1e2', null],
    ['-9.90', null],
    ['+9.90', null],
    ['09.90', null],
    ['.90', null],
    ['9.', null],
    ['9,90', null],
    [' 9.90', null],
    ['9.90\n', null],
    ['٩.٩', null],
    ['0x10', null],
    ['NaN', null],
    ['Infinity', null],
    ['9.9000000000000001', null],
    ['', null],
  ]
  for (const [text, wanted] of table) t.equal(hundredthsOf(text), wanted, JSON.stringify(text))
  t.ok(isSameAmount('9.9', '9.90'))
  t.notOk(isSameAmount('x', 'x'), 'what is no money equals nothing')
  t.notOk(isSameAmount('0.10', '0.30'))
})

t.test('smallest units of a currency are exact both ways', async t => {
  t.equal(smallestUnits('9.90', 'EUR'), 990)
  t.equal(smallestUnits('500.00', 'XTR'), 500, 'stars are whole')
  t.equal(smallestUnits('500.50', 'XTR'), null)
  t.equal(smallestUnits('500', 'JPY'), 500)
  t.equal(amountOf(500, 'XTR'), '500.00')
  t.equal(amountOf(5, 'EUR'), '0.05')
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.constantFrom('EUR', 'XTR', 'JPY'), (units, currency) => {
      const amount = amountOf(units, currency)
      return hundredthsOf(amount) === null || smallestUnits(amount, currency) === units
    }),
  )
})

const SECRET = 'a-webhook-secret-that-only-this-test-knows'
const OLD = 'the-webhook-secret-that-was-there-before-it'
const NOW_MS = 1_800_000_000_500
const NOW_S = 1_800_000_000
const BODY = Buffer.from('{"id":"evt_1"}')

const mac = (seconds: number, secret = SECRET, body: Uint8Array = BODY): string =>
  createHmac('sha256', secret).update(`${seconds}.`).update(body).digest('hex')

t.test('V-12: a delivery is taken when one of the secrets has signed just this, lately', async t => {
  const good = mac(NOW_S)
  const junk = 'ab'.repeat(32)
  const table: readonly (readonly [string, string | undefined, string | null])[] = [
    ['as it should be', `t=${NOW_S},v1=${good}`, null],
    ['with the secret before', `t=${NOW_S},v1=${mac(NOW_S, OLD)}`, null],
    ['by two secrets, one of them unknown', `t=${NOW_S},v1=${junk},v1=${good}`, null],
    ['with spaces, and a scheme of the future', `t=${NOW_S}, v1=${good}, v2=whatever`, null],
    ['five minutes late', `t=${NOW_S - 300},v1=${mac(NOW_S - 300)}`, null],
    ['five minutes early', `t=${NOW_S + 300},v1=${mac(NOW_S + 300)}`, null],
    ['too late', `t=${NOW_S - 301},v1=${mac(NOW_S - 301)}`, 'signature_old'],
    ['too early', `t=${NOW_S + 301},v1=${mac(NOW_S + 301)}`, 'signature_future'],
    ['no header', undefined, 'signature_missing'],
    ['an empty header', '', 'signature_missing'],
    ['another secret', `t=${NOW_S},v1=${mac(NOW_S, 'guess')}`, 'signature_wrong'],
    ['another body', `t=${NOW_S},v1=${mac(NOW_S, SECRET, Buffer.from('{}'))}`, 'signature_wrong'],
    ['another time', `t=${NOW_S - 1},v1=${good}`, 'signature_wrong'],
    ['an old time with no right signature', `t=1,v1=${good}`, 'signature_wrong'],
    ['upper case', `t=${NOW_S},v1=${good.toUpperCase()}`, 'signature_malformed'],
    ['cut off', `t=${NOW_S},v1=${good.slice(0, 63)}`, 'signature_malformed'],
    ['prolonged', `t=${NOW_S},v1=${good}00`, 'signature_malformed'],
    ['no signature', `t=${NOW_S}`, 'signature_malformed'],
    ['no time', `v1=${good}`, 'signature_malformed'],
    ['two times', `t=${NOW_S},t=${NOW_S},v1=${good}`, 'signature_malformed'],
    ['a time that is no number', `t=now,v1=${good}`, 'signature_malformed'],
    ['a negative time', `t=-${NOW_S},v1=${good}`, 'signature_malformed'],
    [
      'very many signatures',
      `t=${NOW_S},${Array.from({ length: 9 }, () => `v1=${good}`).join()}`,
      'signature_malformed',
    ],
    ['a very long header', `t=${NOW_S},v1=${good},${'x'.repeat(1_024)}`, 'signature_malformed'],
    ['nothing that makes sense', 'Bearer x', 'signature_malformed'],
  ]
  for (const [what, header, wanted] of table) {
    let said: string | null = null
    try {
      mustBeSigned(header, BODY, [SECRET, OLD], NOW_MS)
    } catch (error) {
      t.match(error, { statusCode: 400 })
      said = error instanceof HttpError ? error.code : String(error)
    }
    t.equal(said, wanted, what)
  }
  t.throws(() => mustBeSigned(`t=${NOW_S},v1=${mac(NOW_S, '')}`, BODY, [], NOW_MS), 'no secret is none')
})

const PAYMENT: Standing = {
  provider: 'generic',
  status: 'pending',
  providerPaymentId: null,
  amount: '9.90',
  currency: 'EUR',
}
const event = (does: PaymentEvent['does'], more: Partial<PaymentEvent> = {}): PaymentEvent => ({
  provider: 'generic',
  eventId: 'evt',
  kind: String(does),
  does,
  paymentId: 17,
  providerPaymentId: 'A',
  money: does === 'fail' ? null : { amount: '9.9', currency: 'EUR' },
  ...more,
})

t.test('what an event means for a payment', async t => {
  const table: readonly (readonly [PaymentStatus, PaymentEvent, string])[] = [
    ['pending', event('complete'), 'completed'],
    ['failed', event('complete'), 'completed'],
    ['expired', event('complete'), 'completed'],
    ['completed', event('complete'), 'unchanged'],
    ['refunded', event('complete'), 'unchanged'],
    ['pending', event('fail'), 'failed'],
    ['completed', event('fail'), 'unchanged'],
    ['refunded', event('fail'), 'unchanged'],
    ['expired', event('fail'), 'unchanged'],
    ['completed', event('refund'), 'refunded'],
    ['pending', event('refund'), 'refunded'],
    ['refunded', event('refund'), 'unchanged'],
    ['pending', event(null), 'ignored'],
    ['completed', event('complete', { providerPaymentId: 'B' }), 'paid_twice'],
    ['refunded', event('complete', { providerPaymentId: 'B' }), 'completed'],
    ['completed', event('refund', { providerPaymentId: 'B' }), 'unchanged'],
    ['pending', event('complete', { money: { amount: '9.89', currency: 'EUR' } }), 'mismatch'],
    ['pending', event('complete', { money: { amount: '990', currency: 'EUR' } }), 'mismatch'],
    ['pending', event('complete', { money: { amount: '9.90', currency: 'USD' } }), 'mismatch'],
    ['completed', event('refund', { money: { amount: '5.00', currency: 'EUR' } }), 'mismatch'],
    ['pending', event('complete', { provider: 'telegram' }), 'mismatch'],
    ['pending', event('complete', { provider: 'manual', money: null }), 'completed'],
  ]
  for (const [status, told, wanted] of table) {
    const paid = status === 'completed' || status === 'refunded'
    const payment = { ...PAYMENT, status, providerPaymentId: paid ? 'A' : null }
    const { outcome, note } = verdictOn(payment, told)
    t.equal(outcome, wanted, `${status}: ${told.does} ${told.providerPaymentId}`)
    t.equal(note !== null, ['mismatch', 'paid_twice'].includes(outcome), 'what is wrong is said')
  }
})

t.test('V-06: over one charge, any order and repetition of events ends in the same', async () => {
  const one = fc.record({
    does: fc.constantFrom('complete', 'fail', 'refund', null),
    isRight: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(one, { maxLength: 12 }), told => {
      let { status } = PAYMENT
      let providerPaymentId: string | null = null
      let granted = 0
      for (const { does, isRight } of told) {
        const money = { amount: isRight ? '9.90' : '0.99', currency: 'EUR' }
        const { outcome } = verdictOn({ ...PAYMENT, status, providerPaymentId }, event(does, { money }))
        if (outcome !== 'completed' && outcome !== 'failed' && outcome !== 'refunded') continue
        if (outcome === 'completed') granted++
        if (outcome === 'refunded' && status === 'completed') granted--
        status = outcome
        if (outcome !== 'failed') providerPaymentId = 'A'
      }
      const was = (wanted: string) =>
        told.some(({ does, isRight }) => does === wanted && (isRight || wanted === 'fail'))
      const wanted = was('refund')
        ? 'refunded'
        : was('complete')
          ? 'completed'
          : was('fail')
            ? 'failed'
            : 'pending'
      return status === wanted && granted === (wanted === 'completed' ? 1 : 0)
    }),
    { numRuns: 2_000 },
  )
})
