/** What can be done to a tariff, and to what an account has of it. Each asks once, and says what will happen. */
import type { ComponentChildren } from 'preact'
import { ask, useView } from '../live/hooks.js'
import { go, to } from '../route.js'
import type { Question } from '../ui/dialog.js'
import { Field } from '../ui/field.js'
import { bytes, plural } from '../ui/format.js'
import { SessionsEnd } from './account-actions.js'
import type { PageOf, Subscription, Tariff } from './kinds.js'
import { bodyOf, fieldsOf, type Fields, NEW, unchanged } from './tariff-form.js'
import { date, price } from './words.js'

const at = ({ id }: Tariff): string => `/tariffs/${id}`

export const newTariff: Question = {
  title: 'New tariff',
  verb: 'New tariff',
  isWide: true,
  consequence: <p>It is sold at once: whoever has an account can see it and pay for it.</p>,
  fields: <TariffFields of={NEW} />,
  async act(fields) {
    const { name } = await ask<Tariff>('POST', '/tariffs/', bodyOf(fields, false))
    return `${name} is sold from now on.`
  },
}

export const changeTariff = (tariff: Tariff): Question => ({
  title: `Change ${tariff.name}`,
  verb: 'Change',
  isWide: true,
  consequence: (
    <p>
      Those who have it keep what they were given. Whoever buys or renews it from now on has it like this.
    </p>
  ),
  fields: <TariffFields of={fieldsOf(tariff)} />,
  async act(fields) {
    const { name } = await ask<Tariff>('PUT', at(tariff), bodyOf(fields, tariff.archived))
    return `${name} is changed.`
  },
})

export const archiveTariff = (tariff: Tariff): Question => ({
  title: `${tariff.archived ? 'Sell' : 'Archive'} ${tariff.name}`,
  verb: tariff.archived ? 'Sell again' : 'Archive',
  consequence: tariff.archived ? (
    <p>Whoever has an account can see it and pay for it again.</p>
  ) : (
    <p>Nobody new can have it. Those who have it keep it until it ends, and can be given it again.</p>
  ),
  async act() {
    await ask('PUT', at(tariff), unchanged(tariff, !tariff.archived))
    return `${tariff.name} is ${tariff.archived ? 'sold again' : 'archived'}.`
  },
})

export const removeTariff = (tariff: Tariff): Question => ({
  title: `Remove ${tariff.name}`,
  verb: 'Remove',
  isDangerous: true,
  consequence: (
    <p>
      Only a tariff that nobody has, had or paid for can be removed; any other is archived instead. Nothing
      takes this back.
    </p>
  ),
  async act() {
    await ask('DELETE', at(tariff))
    go(to(['tariffs']))
    return `${tariff.name} is removed.`
  },
})

/** `has`: what the account has now. */
export const assignTariff = (
  account: { readonly userId: number; readonly name: string },
  has: Subscription | null,
): Question => ({
  title: `Assign a tariff to ${account.name}`,
  verb: 'Assign tariff',
  consequence: (
    <p>
      {has === null || has.status === 'ended'
        ? 'It begins now.'
        : `${has.tariff_name} goes on for longer, with its traffic added. Any other tariff replaces it now.`}{' '}
      Devices that are connected follow within a second, without connecting anew.
    </p>
  ),
  fields: <PickTariff now={has?.tariff_id ?? null} />,
  async act({ tariff_id = '' }) {
    const granted = await ask<Subscription>('POST', `/auth/assign_tariff?user_id=${account.userId}`, {
      tariff_id: Number(tariff_id),
    })
    return `${account.name} has ${granted.tariff_name} until ${date(granted.ended_at)}.`
  },
})

export const moveEnd = (subscription: Subscription): Question => ({
  title: `When ${subscription.tariff_name} of ${subscription.email} ends`,
  verb: 'Move end',
  consequence: <p>Earlier or later than what was bought. Grace follows as always; traffic stays as it is.</p>,
  fields: (
    <>
      <Field
        label="Ends"
        name="ends_at"
        type="datetime-local"
        value={localOf(subscription.ended_at)}
        required
        hint="By the clock of this machine."
      />
      <Why />
    </>
  ),
  async act({ ends_at = '', reason = '' }) {
    const moved = await ask<Subscription>('PUT', `/user_tariffs/${subscription.id}`, {
      ends_at: new Date(ends_at).toISOString(),
      reason: reason.trim(),
    })
    return `It ends on ${date(moved.ended_at)}.`
  },
})

export const withdrawTariff = (subscription: Subscription): Question => ({
  title: `Withdraw ${subscription.tariff_name} from ${subscription.email}`,
  verb: 'Withdraw',
  isDangerous: true,
  consequence: (
    <p>
      It ends now, without grace. <SessionsEnd userId={subscription.user_id} /> What was paid is not paid back
      by this.
    </p>
  ),
  fields: <Why />,
  async act({ reason = '' }) {
    await ask('POST', `/user_tariffs/${subscription.id}/cancel`, { reason: reason.trim() })
    return `${subscription.email} has ${subscription.tariff_name} no more.`
  },
})

const Why = () => <Field label="Why, for the audit" name="reason" required maxLength={256} />

function TariffFields({ of }: { readonly of: Fields }) {
  return (
    <div class="form-grid">
      <Wide>
        <Field label="Name" name="name" value={of['name']} required maxLength={64} />
      </Wide>
      <Wide>
        <Field
          label="Description"
          name="description"
          value={of['description']}
          maxLength={2000}
          hint="What buyers read."
        />
      </Wide>
      <Field
        label="Price"
        name="price"
        value={of['price']}
        required
        inputMode="decimal"
        placeholder="9.90"
        hint="0: nobody pays, you assign it."
      />
      <Field label="Currency" name="currency" value={of['currency']} required maxLength={3} />
      <Field label="Good for" name="days" value={of['days']} required inputMode="numeric" unit="days" />
      <Field
        label="Grace"
        name="grace"
        value={of['grace']}
        required
        inputMode="numeric"
        unit="h"
        hint="Connections go on so long when it has ended."
      />
      <Field
        label="Traffic"
        name="traffic"
        value={of['traffic']}
        inputMode="decimal"
        unit="GB"
        placeholder="unlimited"
        hint="Both ways together."
      />
      <Field label="Devices" name="devices" value={of['devices']} required inputMode="numeric" />
      <Field
        label="Slow traffic after that"
        name="slow"
        value={of['slow']}
        inputMode="decimal"
        unit="GB"
        hint="0: it stops at once."
      />
      <Field label="How slow" name="kbps" value={of['kbps']} required inputMode="numeric" unit="kbit/s" />
      <Wide>
        <Field
          label="Groups of nodes"
          name="groups"
          value={of['groups']}
          placeholder="any node"
          hint="Only nodes in one of these groups serve it; commas between them."
        />
      </Wide>
    </div>
  )
}

const Wide = ({ children }: { readonly children: ComponentChildren }) => (
  <div class="form-wide">{children}</div>
)

/** As many as one chooses from. */
const MOST = 200

function PickTariff({ now }: { readonly now: number | null }) {
  const { value } = useView<PageOf<'tariffs', Tariff>>(`/tariffs/?sort=name&limit=${MOST}`)
  const sold = (value?.tariffs ?? []).filter(({ id, archived }) => !archived || id === now)
  if (value !== null && sold.length === 0) return <p>There is no tariff yet: make one first.</p>
  return (
    <label class="field">
      <span>Tariff</span>
      <select key={sold.length} class="input" name="tariff_id" aria-label="Tariff" required>
        {sold.map(tariff => (
          <option key={tariff.id} value={tariff.id} selected={tariff.id === now}>
            {inShort(tariff)}
          </option>
        ))}
      </select>
    </label>
  )
}

const inShort = (tariff: Tariff): string =>
  [
    tariff.name,
    price(tariff),
    plural(tariff.duration_days, 'day'),
    tariff.traffic_limit_bytes === null ? 'unlimited' : bytes(tariff.traffic_limit_bytes),
    plural(tariff.device_limit, 'device'),
  ].join(' · ')

/** Returns a moment as a field of this machine's time has it. */
function localOf(at: string): string {
  const moment = new Date(at)
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
