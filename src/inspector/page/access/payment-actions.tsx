/** What operators say of payments. Each asks once, and says what will happen. */
import { ask } from '../live/hooks.js'
import type { Question } from '../ui/dialog.js'
import { Field } from '../ui/field.js'
import type { Payment } from './kinds.js'

/** Questions that a payment allows as it stands. */
export function questionsOf(payment: Payment): readonly Question[] {
  switch (payment.status) {
    case 'pending':
      return [settle(payment, 'confirm'), settle(payment, 'fail')]
    case 'failed':
    case 'expired':
      return [settle(payment, 'confirm')]
    case 'completed':
      return [settle(payment, 'refund')]
    case 'refunded':
      return []
  }
}

const VERBS = {
  confirm: {
    title: 'has arrived',
    verb: 'Confirm',
    consequence: 'The tariff is given at once, and the payer is told by mail. You answer for the money.',
    said: 'is paid.',
  },
  fail: {
    title: 'will not arrive',
    verb: 'Fail',
    consequence: 'Nobody waits for it any more. If the money comes after all, it can still be confirmed.',
    said: 'has failed.',
  },
  refund: {
    title: 'was paid back',
    verb: 'Paid back',
    consequence:
      'What it gave is taken back at once; devices that have nothing left stop. The money itself you pay back at the provider.',
    said: 'is paid back.',
  },
} as const

function settle(payment: Payment, how: keyof typeof VERBS): Question {
  const { title, verb, consequence, said } = VERBS[how]
  return {
    title: `Payment ${payment.id} ${title}`,
    verb,
    ...(how !== 'confirm' && { isDangerous: true }),
    consequence: (
      <p>
        {payment.amount} {payment.currency} of {payment.email} for {payment.tariff_name}. {consequence}
      </p>
    ),
    fields: <Field label="Why, kept with the payment" name="note" maxLength={500} placeholder="optional" />,
    async act({ note = '' }) {
      await ask('POST', `/payments/${payment.id}/${how}`, note.trim() === '' ? {} : { note: note.trim() })
      return `Payment ${payment.id} ${said}`
    },
  }
}
