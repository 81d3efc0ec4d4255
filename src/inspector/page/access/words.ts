/** What accounts have, in words: states and why, money, traffic and time. It knows no page. */
import { bytes, duration, plural, UNKNOWN } from '../ui/format.js'
import type { Tone } from '../ui/tone.js'
import type { Entitlement, EntitlementState, Payment, PaymentEvent, Peer, Tariff } from './kinds.js'

interface Word {
  readonly word: string
  readonly tone: Tone
}

export const STATE_WORDS: Readonly<Record<EntitlementState, Word>> = {
  active: { word: 'active', tone: 'good' },
  grace: { word: 'in grace', tone: 'warn' },
  throttled: { word: 'throttled', tone: 'warn' },
  used_up: { word: 'used up', tone: 'bad' },
  ended: { word: 'ended', tone: 'plain' },
  none: { word: 'no tariff', tone: 'plain' },
  disabled: { word: 'disabled', tone: 'plain' },
}

export const PEER_WORDS: Readonly<Record<Peer['status'], Word>> = {
  active: { word: 'on', tone: 'good' },
  inactive: { word: 'off', tone: 'plain' },
  pending: { word: 'being set up', tone: 'accent' },
  refused: { word: 'could not be set up', tone: 'bad' },
  needs_key: { word: 'waits for its key', tone: 'warn' },
  removing: { word: 'being removed', tone: 'plain' },
  removed: { word: 'removed', tone: 'plain' },
}

export const PAYMENT_WORDS: Readonly<Record<Payment['status'], Word>> = {
  pending: { word: 'waits', tone: 'accent' },
  completed: { word: 'paid', tone: 'good' },
  failed: { word: 'failed', tone: 'bad' },
  expired: { word: 'expired', tone: 'plain' },
  refunded: { word: 'paid back', tone: 'warn' },
}

export const OUTCOME_WORDS: Readonly<Record<PaymentEvent['outcome'], Word>> = {
  completed: { word: 'paid', tone: 'good' },
  failed: { word: 'failed', tone: 'bad' },
  refunded: { word: 'paid back', tone: 'warn' },
  unchanged: { word: 'nothing new', tone: 'plain' },
  mismatch: { word: 'not as asked for', tone: 'bad' },
  paid_twice: { word: 'paid twice', tone: 'bad' },
  unknown_payment: { word: 'of no payment', tone: 'bad' },
  ignored: { word: 'of no concern', tone: 'plain' },
}

export const PROVISIONER_WORDS: Readonly<Record<Peer['provisioner'], string>> = {
  mesh: 'our mesh',
  'wg-easy': 'wg-easy',
  ssh: 'a host by SSH',
}

export const PROVIDER_WORDS: Readonly<Record<Payment['provider'], string>> = {
  generic: 'Online',
  telegram: 'Telegram',
  manual: 'By hand',
}

const DATE = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })
const MINUTE = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })

/** `3 Dec 2026`. */
export const date = (at: string | null): string => (at === null ? UNKNOWN : DATE.format(Date.parse(at)))

/** `3 Dec 2026, 14:05`. */
export const dateAndTime = (at: string | null): string =>
  at === null ? UNKNOWN : `${date(at)}, ${MINUTE.format(Date.parse(at))}`

/** `9.90 EUR`, as it was written: money is never counted with here. */
export const price = ({ price: amount, currency }: Pick<Tariff, 'price' | 'currency'>): string =>
  Number(amount) === 0 ? 'free' : `${amount} ${currency}`

/** How much traffic a tariff has, and what comes after it. `of`: said behind the figure. */
export function traffic(tariff: Traffic, of = ''): string {
  const { traffic_limit_bytes: limit, throttled_bytes: slow } = tariff
  if (limit === null) return of === '' ? 'unlimited' : 'unlimited traffic'
  const most = `${bytes(limit)}${of}`
  return slow === 0 ? most : `${most}, then ${bytes(slow)} at ${rate(tariff.throttle_kbps)}`
}

type Traffic = Pick<Tariff, 'traffic_limit_bytes' | 'throttled_bytes' | 'throttle_kbps'>

/** 1500 → 1.5 Mbit/s. */
export const rate = (kbps: number): string =>
  kbps >= 1000 ? `${Number((kbps / 1000).toPrecision(3))} Mbit/s` : `${kbps} kbit/s`

/** How long a tariff is good. */
export const time = ({
  duration_days: days,
  grace_hours: grace,
}: Pick<Tariff, 'duration_days' | 'grace_hours'>) =>
  grace === 0 ? plural(days, 'day') : `${plural(days, 'day')}, then ${duration(grace * HOUR_MS)} of grace`

const HOUR_MS = 3_600_000

/** How an account stands, in a sentence. */
export function standing({ state, until, tariff }: Entitlement, nowMs: number): string {
  const leftMs = until === null ? null : Date.parse(until) - nowMs
  const left = leftMs === null ? '' : `: ${duration(Math.max(0, leftMs))} left`
  switch (state) {
    case 'active':
      return until === null ? 'It does not end.' : `Until ${dateAndTime(until)}${left}.`
    case 'grace':
      return `It ended on ${date(tariff?.ended_at ?? null)}; connections go on until ${dateAndTime(until)}.`
    case 'throttled':
      return `Its traffic is used up: what is left goes slowly${
        tariff === null ? '' : `, at ${rate(tariff.throttle_kbps)}`
      }, then it stops.`
    case 'used_up':
      return 'All of its traffic is used: nothing connects until it is renewed.'
    case 'ended':
      return `It ended on ${date(tariff?.ended_at ?? null)}: nothing connects until it is renewed.`
    case 'none':
      return 'No tariff so far: nothing connects.'
    case 'disabled':
      return 'The account is disabled: nothing connects.'
  }
}

/** Why a peer does not work, in a sentence; null: nothing stands in its way. */
export function hindrance(peer: Peer): string | null {
  switch (peer.status) {
    case 'inactive':
      return 'It is switched off.'
    case 'pending':
      return peer.error === null
        ? 'It is being set up.'
        : `It is being set up, and tried again: ${peer.error}`
    case 'refused':
      return peer.error === null ? 'It could not be set up.' : `It could not be set up: ${peer.error}`
    case 'needs_key':
      return 'Nobody has given it a key yet: its owner adds the device.'
    case 'removing':
      return 'It is being removed where WireGuard runs.'
    case 'removed':
      return 'It was removed.'
    case 'active':
      return peer.denied ?? peer.error
  }
}
