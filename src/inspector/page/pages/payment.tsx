/** One payment: how it stands, what is to be done, and what its provider told. */
import type { Payment, PaymentEvent } from '../access/kinds.js'
import { AccountLink, PaymentTag, TariffLink } from '../access/marks.js'
import { questionsOf } from '../access/payment-actions.js'
import { dateAndTime, OUTCOME_WORDS, PROVIDER_WORDS } from '../access/words.js'
import { useView } from '../live/hooks.js'
import { may } from '../live/who.js'
import { to } from '../route.js'
import { Act } from '../ui/actions.js'
import { nowMs } from '../ui/clock.js'
import { moment } from '../ui/format.js'
import { Empty, Facts, Fault, Heading, Panel, Tag } from '../ui/parts.js'
import { type Column, Table } from '../ui/table.js'

/** How often it is looked at, ms. */
const EVERY_MS = 2000

export function OnePayment({ id }: { readonly id: string }) {
  const isOperator = may('operator')
  const at = encodeURIComponent(id)
  const { value: payment, fault, status } = useView<Payment>(`/payments/status/${at}`, EVERY_MS)
  if (status === 404)
    return (
      <Empty title={`There is no payment ${id}`}>
        <a href={to(isOperator ? ['payments'] : [])}>{isOperator ? 'All payments' : 'Back'}</a>
      </Empty>
    )
  return (
    <>
      <Heading title={`Payment ${id}`} {...(payment !== null && { about: <PaymentTag of={payment} /> })}>
        {payment !== null &&
          isOperator &&
          questionsOf(payment).map(question => <Act key={question.verb} question={question} />)}
      </Heading>
      {fault !== null && <Fault>{fault}</Fault>}
      {payment !== null && (
        <div class="columns">
          {payment.next !== null && <NextStep next={payment.next} isOwn={!isOperator} />}
          <Panel title="Payment">
            <Facts
              of={[
                ['Amount', `${payment.amount} ${payment.currency}`],
                [
                  'For',
                  isOperator ? (
                    <TariffLink id={payment.tariff_id} name={payment.tariff_name} />
                  ) : (
                    payment.tariff_name
                  ),
                ],
                ...(isOperator ? [['Account', <AccountLink name={payment.email} />] as const] : []),
                ['By', PROVIDER_WORDS[payment.provider]],
                [
                  'Its number there',
                  payment.provider_payment_id && <span class="mono">{payment.provider_payment_id}</span>,
                ],
                ['Asked for', dateAndTime(payment.created_at)],
                payment.status === 'pending'
                  ? ['Can be paid until', dateAndTime(payment.expires_at)]
                  : ['Changed', dateAndTime(payment.updated_at)],
                ['Note', payment.note],
              ]}
            />
          </Panel>
        </div>
      )}
      {isOperator && payment !== null && <Events id={at} />}
    </>
  )
}

function NextStep(props: { readonly next: NonNullable<Payment['next']>; readonly isOwn: boolean }) {
  const { text, url } = props.next
  return (
    <Panel title={props.isOwn ? 'What to do now' : 'What the payer is asked to do'}>
      <div class="next">
        <p>{text}</p>
        {url !== null && /^https?:\/\//i.test(url) && (
          <a
            class="button"
            {...(props.isOwn && { 'data-kind': 'main' })}
            href={url}
            target="_blank"
            rel="noreferrer"
          >
            {props.isOwn ? 'Pay' : 'Where it is paid'}
          </a>
        )}
      </div>
    </Panel>
  )
}

function Events({ id }: { readonly id: string }) {
  const { value } = useView<{ readonly events: readonly PaymentEvent[] }>(
    `/payments/events?payment_id=${id}`,
    EVERY_MS,
  )
  const events = value?.events ?? []
  return (
    <Panel title="What was told of it" about="by its provider, or an operator" flush={events.length > 0}>
      {events.length === 0 ? (
        <p class="quiet">Nothing yet.</p>
      ) : (
        <Table
          caption="events"
          columns={EVENTS}
          rows={events}
          keyOf={event => `${event.provider} ${event.event_id}`}
        />
      )}
    </Panel>
  )
}

const EVENTS: readonly Column<PaymentEvent>[] = [
  { name: 'When', kind: 'tight', cell: ({ received_at }) => moment(Date.parse(received_at), nowMs.value) },
  { name: 'Told by', cell: ({ provider }) => PROVIDER_WORDS[provider] },
  { name: 'What', kind: 'name', cell: ({ kind }) => <span class="mono">{kind}</span> },
  {
    name: 'What came of it',
    cell: ({ outcome, note }) => (
      <>
        <Tag tone={OUTCOME_WORDS[outcome].tone}>{OUTCOME_WORDS[outcome].word}</Tag>{' '}
        {note !== null && <span class="quiet">{note}</span>}
      </>
    ),
  },
  { name: 'Its number', kind: 'name', cell: ({ event_id }) => <span class="mono">{event_id}</span> },
]
