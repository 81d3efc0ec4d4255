/** Payments as tables show them. */
import { to } from '../route.js'
import { nowMs } from '../ui/clock.js'
import { moment } from '../ui/format.js'
import type { Column } from '../ui/table.js'
import type { Payment } from './kinds.js'
import { AccountLink, PaymentTag } from './marks.js'
import { PROVIDER_WORDS } from './words.js'

export const NUMBER: Column<Payment> = {
  name: 'Payment',
  kind: 'tight',
  cell: ({ id }) => <a href={to(['payments', String(id)])}>{id}</a>,
}

export const PAYER: Column<Payment> = {
  name: 'Account',
  kind: 'name',
  cell: ({ email }) => <AccountLink name={email} />,
}

export const REST: readonly Column<Payment>[] = [
  {
    name: 'Amount',
    kind: 'number',
    cell: ({ amount, currency }) => `${amount} ${currency}`,
  },
  { name: 'For', kind: 'name', cell: ({ tariff_name }) => tariff_name },
  { name: 'State', cell: payment => <PaymentTag of={payment} /> },
  { name: 'By', kind: 'tight', cell: ({ provider }) => PROVIDER_WORDS[provider] },
  {
    name: 'Asked for',
    kind: 'tight',
    cell: ({ created_at }) => moment(Date.parse(created_at), nowMs.value),
  },
]
