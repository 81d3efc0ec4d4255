/** Payments: what was asked for, what came, and money that somebody should look at. */
import type { Payment, PaymentEvent } from '../access/kinds.js'
import { NUMBER, PAYER, REST } from '../access/payment-table.js'
import { OUTCOME_WORDS, PAYMENT_WORDS, PROVIDER_WORDS } from '../access/words.js'
import { useView } from '../live/hooks.js'
import { to } from '../route.js'
import { nowMs } from '../ui/clock.js'
import { Choice, TextFilter } from '../ui/filters.js'
import { moment } from '../ui/format.js'
import { List } from '../ui/list.js'
import { Empty, Heading, Panel, Tag } from '../ui/parts.js'
import { type Column, Table } from '../ui/table.js'

const COLUMNS = [{ ...NUMBER, sort: 'id' }, PAYER, ...REST]

/** Payments are read from the database, ms. */
const EVERY_MS = 3000
/** What is wrong changes seldom, ms. */
const WRONG_EVERY_MS = 10_000
/** As many of each kind are shown. */
const MOST = 10

export function Payments() {
  const wrong = useWrong()
  const marked = new Set(wrong.map(({ payment_id }) => payment_id))
  return (
    <>
      <Heading title="Payments" about="what was asked for, and what came of it" />
      {wrong.length > 0 && (
        <Panel title="Money that needs a look" about="it is not where it should be" flush>
          <Table
            caption="events"
            columns={WRONG}
            rows={wrong}
            keyOf={event => `${event.provider} ${event.event_id}`}
          />
        </Panel>
      )}
      <List
        path="/payments/"
        rows="payments"
        filters={['q', 'status', 'provider']}
        columns={COLUMNS}
        keyOf={(payment: Payment) => String(payment.id)}
        addressOf={({ id }) => to(['payments', String(id)])}
        isMarked={({ id }) => marked.has(id)}
        noun="payment"
        everyMs={EVERY_MS}
        empty={
          <Empty title="There is no such payment">
            One begins when somebody buys a tariff here, or your shop asks for it by the API.
          </Empty>
        }
      >
        <TextFilter name="q" label="Account, or the provider’s number" wide />
        <Choice
          name="status"
          label="State"
          options={(['pending', 'completed', 'failed', 'expired', 'refunded'] as const).map(
            status => [status, PAYMENT_WORDS[status].word] as const,
          )}
        />
        <Choice
          name="provider"
          label="By"
          options={(['generic', 'telegram', 'manual'] as const).map(
            provider => [provider, PROVIDER_WORDS[provider]] as const,
          )}
        />
      </List>
    </>
  )
}

interface Events {
  readonly events: readonly PaymentEvent[]
}

/** Returns what providers told that is not as it should be, the newest first. */
function useWrong(): readonly PaymentEvent[] {
  const at = (outcome: PaymentEvent['outcome']) => `/payments/events?outcome=${outcome}&limit=${MOST}`
  const found = [
    useView<Events>(at('mismatch'), WRONG_EVERY_MS),
    useView<Events>(at('paid_twice'), WRONG_EVERY_MS),
    useView<Events>(at('unknown_payment'), WRONG_EVERY_MS),
  ]
  return found
    .flatMap(({ value }) => value?.events ?? [])
    .toSorted((a, b) => b.received_at.localeCompare(a.received_at))
}

const WRONG: readonly Column<PaymentEvent>[] = [
  { name: 'When', kind: 'tight', cell: ({ received_at }) => moment(Date.parse(received_at), nowMs.value) },
  {
    name: 'What',
    cell: ({ outcome }) => <Tag tone={OUTCOME_WORDS[outcome].tone}>{OUTCOME_WORDS[outcome].word}</Tag>,
  },
  {
    name: 'Payment',
    kind: 'tight',
    cell: ({ payment_id: id }) => (id === null ? '' : <a href={to(['payments', String(id)])}>{id}</a>),
  },
  { name: 'Why', cell: ({ note }) => note ?? '' },
  { name: 'Told by', cell: ({ provider }) => PROVIDER_WORDS[provider] },
  { name: 'Its number', kind: 'name', cell: ({ event_id }) => <span class="mono">{event_id}</span> },
]
