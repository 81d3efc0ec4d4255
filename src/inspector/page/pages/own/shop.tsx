/** What somebody can buy for themselves. */
import type { Entitlement, PageOf, Payment, Subscription, Tariff } from '../../access/kinds.js'
import { PROVIDER_WORDS, price, time, traffic } from '../../access/words.js'
import { ask, useView } from '../../live/hooks.js'
import { go, to } from '../../route.js'
import { Act, Pick } from '../../ui/actions.js'
import type { Question } from '../../ui/dialog.js'
import { plural } from '../../ui/format.js'
import { Empty, Heading, Tag } from '../../ui/parts.js'

/** More than anybody sells. */
const MOST = 200

interface Providers {
  readonly providers: readonly { readonly name: Payment['provider']; readonly lacks: string | null }[]
}

export function Shop() {
  const { value: has } = useView<Entitlement>('/entitlements/mine')
  const { value } = useView<PageOf<'tariffs', Tariff>>(`/tariffs/?sort=price&limit=${MOST}`)
  const { value: all } = useView<Providers>('/payments/providers')
  const providers = (all?.providers ?? []).filter(({ lacks }) => lacks === null).map(({ name }) => name)
  return (
    <>
      <Heading title="Tariffs" about="what you can have" />
      {value === null && <div class="table-place" aria-busy="true" />}
      {value?.total === 0 && <Empty title="Nothing is sold here">Ask whoever runs this.</Empty>}
      <ul class="shop">
        {value?.tariffs.map(tariff => (
          <Offer key={tariff.id} tariff={tariff} now={has?.tariff ?? null} providers={providers} />
        ))}
      </ul>
    </>
  )
}

function Offer(props: {
  readonly tariff: Tariff
  /** What one has, or had last. */
  readonly now: Subscription | null
  readonly providers: readonly Payment['provider'][]
}) {
  const { tariff, providers } = props
  const now = props.now === null || props.now.status === 'ended' ? null : props.now
  const isNow = now?.tariff_id === tariff.id
  return (
    <li class="panel offer">
      <h2>
        {tariff.name} {isNow && <Tag tone="good">yours</Tag>}
      </h2>
      <p class="offer-price">{price(tariff)}</p>
      {tariff.description !== '' && <p class="prose quiet">{tariff.description}</p>}
      <ul class="offer-terms">
        <li>{time(tariff)}</li>
        <li>{traffic(tariff, ' of traffic')}</li>
        <li>{plural(tariff.device_limit, 'device')}</li>
      </ul>
      {Number(tariff.price) > 0 && providers.length > 0 ? (
        <Act question={buy(tariff, providers, isNow ? 'longer' : now === null ? 'first' : 'instead')} />
      ) : (
        <p class="quiet">Ask whoever runs this for it.</p>
      )}
    </li>
  )
}

const HOW = {
  first: 'It begins when the payment has arrived.',
  longer: 'It goes on for longer, with its traffic added, when the payment has arrived.',
  instead: 'When the payment has arrived it begins, in place of what you have now.',
} as const

const buy = (tariff: Tariff, providers: readonly Payment['provider'][], how: keyof typeof HOW): Question => ({
  title: `${how === 'longer' ? 'Renew' : 'Buy'} ${tariff.name}`,
  verb: how === 'longer' ? 'Renew' : 'Buy',
  consequence: (
    <p>
      {price(tariff)} for {time(tariff)}. {HOW[how]}
    </p>
  ),
  fields: (
    <Pick
      name="provider"
      label="How you pay"
      options={providers.map(provider => [provider, PROVIDER_WORDS[provider]] as const)}
    />
  ),
  async act({ provider = '' }) {
    const { id } = await ask<Payment>('POST', '/payments/create', {
      tariff_id: tariff.id,
      amount: tariff.price,
      currency: tariff.currency,
      provider,
    })
    go(to(['payments', String(id)]))
    return 'The payment waits for you.'
  },
})
