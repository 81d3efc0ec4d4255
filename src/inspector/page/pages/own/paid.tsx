/** What somebody has paid, and has yet to pay. */
import type { Payment } from '../../access/kinds.js'
import { NUMBER, REST } from '../../access/payment-table.js'
import { to } from '../../route.js'
import { List } from '../../ui/list.js'
import { Empty, Heading } from '../../ui/parts.js'

const COLUMNS = [NUMBER, ...REST]

export const Paid = () => (
  <>
    <Heading title="Payments" about="the newest first" />
    <List
      path="/payments/"
      rows="payments"
      filters={[]}
      columns={COLUMNS}
      keyOf={(payment: Payment) => String(payment.id)}
      addressOf={({ id }) => to(['payments', String(id)])}
      noun="payment"
      empty={
        <Empty title="No payments yet">
          One begins when you buy a <a href={to(['tariffs'])}>tariff</a>.
        </Empty>
      }
    />
  </>
)
