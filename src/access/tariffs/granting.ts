/**
 * What becomes of a subscription when a tariff is granted. Time and traffic that are left are never lost by buying the same
 * again:
 *
 *   the same tariff, while it runs or has its grace   from its end, or from now, whichever is later; traffic is added
 *   another tariff, or the same after its end         a new one, from now
 */
import { MOMENT_MAX_MS } from '../../http/fields.js'
import type { SubscriptionRow, TariffRow } from './rows.js'

/** What a subscription takes over from its tariff when it is granted. */
export type SoldTerms = Pick<
  SubscriptionRow,
  | 'tariff_id'
  | 'grace_hours'
  | 'device_limit'
  | 'traffic_limit_bytes'
  | 'throttled_bytes'
  | 'throttle_kbps'
  | 'node_groups'
>
type Sold = SoldTerms & Pick<TariffRow, 'duration_days'>
type Running = Pick<
  SubscriptionRow,
  'tariff_id' | 'ends_at' | 'grace_hours' | 'traffic_limit_bytes' | 'used_bytes' | 'ended_because'
>

export interface Outcome {
  /** Whether the one that runs goes on; false: another begins. */
  readonly isRenewal: boolean
  readonly terms: SoldTerms
  readonly endsAtMs: number
}

/** What is left of a subscription; null: nothing. */
export type Remainder = Pick<SubscriptionRow, 'traffic_limit_bytes'> & { readonly endsAtMs: number }

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/** Returns what an account has from now on that is granted this tariff and has this subscription, if any. Times are ms since 1970 UTC. */
export function granted(current: Running | null, tariff: Sold, nowMs: number): Outcome {
  const { duration_days, ...terms } = tariff
  const isRenewal = current !== null && current.tariff_id === tariff.tariff_id && nowMs < graceEndsMs(current)
  const fromMs = isRenewal ? Math.max(nowMs, current.ends_at.getTime()) : nowMs
  return {
    isRenewal,
    terms: isRenewal ? { ...terms, traffic_limit_bytes: limitOf(current, tariff) } : terms,
    endsAtMs: Math.min(MOMENT_MAX_MS, fromMs + duration_days * DAY_MS),
  }
}

/** Returns what is left of a subscription that loses what granting the tariff once gives; null: nothing. */
export function withdrawn(
  current: Running,
  tariff: Pick<Sold, 'duration_days' | 'traffic_limit_bytes'>,
  nowMs: number,
): Remainder | null {
  const { traffic_limit_bytes: limit, ends_at } = current
  const endsAtMs = ends_at.getTime() - tariff.duration_days * DAY_MS
  const left = limit === null ? null : limit - (tariff.traffic_limit_bytes ?? 0)
  if (endsAtMs <= nowMs || (left !== null && left <= 0)) return null
  return { endsAtMs, traffic_limit_bytes: left }
}

/** Returns until when a subscription is of any use, ms since 1970 UTC. */
export const graceEndsMs = ({
  ends_at,
  grace_hours,
  ended_because,
}: Pick<SubscriptionRow, 'ends_at' | 'grace_hours' | 'ended_because'>): number =>
  ends_at.getTime() + (ended_because === null ? grace_hours * HOUR_MS : 0)

/** A tariff that is limited by now leaves what was used without a limit uncounted. */
function limitOf(current: Running, { traffic_limit_bytes: more }: Sold): number | null {
  if (more === null) return null
  return Math.min(Number.MAX_SAFE_INTEGER, (current.traffic_limit_bytes ?? current.used_bytes) + more)
}
