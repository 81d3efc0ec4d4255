/** How accounts, their devices and their payments stand, as every view shows it. */
import type { ComponentChildren } from 'preact'
import { to } from '../route.js'
import { nowMs } from '../ui/clock.js'
import { bytes, percent } from '../ui/format.js'
import { Tag, type Tone } from '../ui/parts.js'
import type { Entitlement, EntitlementState, Payment, Peer } from './kinds.js'
import { PAYMENT_WORDS, PEER_WORDS, rate, STATE_WORDS, standing } from './words.js'

export const StateTag = ({ of }: { readonly of: EntitlementState }) => {
  const { word, tone } = STATE_WORDS[of]
  return <Tag tone={tone}>{word}</Tag>
}

/** On and in the mesh is the best there is; where WireGuard runs elsewhere nobody can tell. */
export const PeerTag = ({ of }: { readonly of: Peer }) => {
  const { word, tone } = PEER_WORDS[of.status]
  if (of.connected) return <Tag tone="good">connected</Tag>
  if (of.status === 'active' && of.denied !== null) return <Tag tone="warn">kept out</Tag>
  return <Tag tone={dimmed(of, tone)}>{word}</Tag>
}

const dimmed = ({ provisioner, status }: Peer, tone: Tone): Tone =>
  status === 'active' && provisioner === 'mesh' ? 'plain' : tone

export const PaymentTag = ({ of }: { readonly of: Payment }) => {
  const { word, tone } = PAYMENT_WORDS[of.status]
  return <Tag tone={tone}>{word}</Tag>
}

export const AccountLink = ({ name }: { readonly name: string }) => <a href={to(['users', name])}>{name}</a>

export const TariffLink = ({ id, name }: { readonly id: number; readonly name: string }) => (
  <a href={to(['tariffs', String(id)])}>{name}</a>
)

/** What an account has, in a tag, a sentence and a bar. `end`: what can be done. */
export function Standing({ of, end }: { readonly of: Entitlement; readonly end?: ComponentChildren }) {
  const { tariff } = of
  return (
    <div class="standing">
      <p class="standing-head">
        {tariff !== null && tariff.status !== 'ended' && <strong>{tariff.tariff_name}</strong>}
        <StateTag of={of.state} />
      </p>
      <p>{standing(of, nowMs.value)}</p>
      {tariff !== null && <Usage of={of} />}
      {end !== undefined && <div class="filters">{end}</div>}
    </div>
  )
}

/** How much of the traffic is used. What goes slowly is a part of its own. */
export function Usage({ of }: { readonly of: Entitlement }) {
  const { used_bytes: used, limit_bytes: limit, tariff } = of
  if (limit === null) return <p class="quiet">{bytes(used)} used so far, without a limit.</p>
  const slow = tariff?.throttled_bytes ?? 0
  const whole = limit + slow
  const share = (part: number) => ({ width: `${Math.min(100, Math.max(0, (part / whole) * 100))}%` })
  return (
    <div>
      <div
        class="usage"
        role="meter"
        aria-label="Traffic used"
        aria-valuemin={0}
        aria-valuemax={whole}
        aria-valuenow={Math.min(used, whole)}
        aria-valuetext={`${bytes(used)} of ${bytes(limit)}`}
        data-state={
          used >= whole ? 'over' : used >= limit ? 'slow' : used >= limit * NEARLY ? 'nearly' : 'fine'
        }
      >
        <span style={share(used)} />
        {slow > 0 && <i style={{ left: share(limit).width }} title={`${bytes(limit)}: slow from here`} />}
      </div>
      <p class="quiet">
        {bytes(used)} of {bytes(limit)} used, {percent((used / limit) * 100)}
        {tariff !== null && slow > 0 && `; then ${bytes(slow)} at ${rate(tariff.throttle_kbps)}`}.
      </p>
    </div>
  )
}

/** From this share on it is about to be used up. */
const NEARLY = 0.9
