/**
 * What an account holds, and what follows from it at a moment: the state of its entitlement, and the terms on which each of
 * its peers is let into the mesh.
 *
 *   active ─ ends ─→ grace ─→ ended         by time
 *   active ─ limit ─→ throttled ─→ used_up  by traffic
 */
import type { Denial, Terms } from '../../actors/ports.js'
import type { Entitlement } from '../ports.js'

export interface Holding {
  readonly accountId: string
  /** As the audit tells it. */
  readonly name: string
  readonly isDisabled: boolean
  /** What it has, or had last; null: it never had a tariff. */
  readonly plan: Plan | null
  /** Oldest first. */
  readonly devices: readonly Device[]
}

/** A tariff on the terms of when it was granted. Times are ms since 1970 UTC. */
export interface Plan {
  readonly subscriptionId: number
  readonly tariff: string
  readonly endsAtMs: number
  readonly graceEndsMs: number
  /** null: no limit. */
  readonly limitBytes: number | null
  /** What may go beyond it, and how fast. */
  readonly throttledBytes: number
  readonly throttledBytesPerSecond: number
  readonly groups: readonly string[]
  readonly deviceLimit: number
}

/** A peer of the account. */
export interface Device {
  readonly peerId: number
  readonly identityId: string
  readonly standing: 'on' | 'off' | 'removed'
}

/** Agents that are kept out look again so often: a purchase is in force within it, and nobody hammers, ms. */
const RETRY_AFTER_MS = 60_000

/** Returns what an account is entitled to at a moment, ms since 1970 UTC, when it has used so much. */
export function entitlementOf({ isDisabled, plan }: Holding, usedBytes: number, nowMs: number): Entitlement {
  const { state, untilMs } = standingOf(isDisabled, plan, usedBytes, nowMs)
  return {
    state,
    untilMs,
    usedBytes,
    limitBytes: plan?.limitBytes ?? null,
    deviceLimit: plan?.deviceLimit ?? 0,
  }
}

function standingOf(
  isDisabled: boolean,
  plan: Plan | null,
  usedBytes: number,
  nowMs: number,
): Pick<Entitlement, 'state' | 'untilMs'> {
  if (isDisabled) return { state: 'disabled', untilMs: null }
  if (plan === null) return { state: 'none', untilMs: null }
  const { endsAtMs, graceEndsMs, limitBytes, throttledBytes } = plan
  if (nowMs >= graceEndsMs) return { state: 'ended', untilMs: null }
  if (limitBytes !== null && usedBytes >= limitBytes + throttledBytes)
    return { state: 'used_up', untilMs: graceEndsMs }
  if (limitBytes !== null && usedBytes >= limitBytes) return { state: 'throttled', untilMs: graceEndsMs }
  if (nowMs >= endsAtMs) return { state: 'grace', untilMs: graceEndsMs }
  return { state: 'active', untilMs: endsAtMs }
}

/** Returns the terms of each device, in their order: of those that are on, the oldest stay within the limit. */
export function termsOfDevices(
  { plan, devices }: Holding,
  { state, deviceLimit }: Pick<Entitlement, 'state' | 'deviceLimit'>,
): readonly Terms[] {
  const allowed: Terms = {
    denial: null,
    groups: plan?.groups ?? [],
    bytesPerSecond: state === 'throttled' && plan !== null ? plan.throttledBytesPerSecond : null,
  }
  const denial = denialOf(state, plan)
  const rest = denial === null ? allowed : denied(denial)
  let before = 0
  return devices.map(({ standing }) => {
    if (standing === 'removed') return REMOVED
    if (standing === 'off') return OFF
    if (denial !== null || before++ < deviceLimit) return rest
    return denied({
      code: 'inactive',
      reason: `the tariff ${plan?.tariff ?? ''} is for ${deviceLimit} at once, and this one came later`,
    })
  })
}

/** What holds for whom nothing is known of. */
export const USUAL: Terms = { denial: null, groups: [], bytesPerSecond: null }

/** Whether an account holds what it held before: most do, each time that everyone is looked at. */
export const isSameHolding = (a: Holding, b: Holding): boolean =>
  a.name === b.name &&
  a.isDisabled === b.isDisabled &&
  areSamePlans(a.plan, b.plan) &&
  a.devices.length === b.devices.length &&
  a.devices.every(({ peerId, standing }, i) => {
    const other = b.devices[i]
    return peerId === other?.peerId && standing === other.standing
  })

const areSamePlans = (a: Plan | null, b: Plan | null): boolean =>
  a === null || b === null
    ? a === b
    : a.subscriptionId === b.subscriptionId &&
      a.tariff === b.tariff &&
      a.endsAtMs === b.endsAtMs &&
      a.graceEndsMs === b.graceEndsMs &&
      a.limitBytes === b.limitBytes &&
      a.throttledBytes === b.throttledBytes &&
      a.throttledBytesPerSecond === b.throttledBytesPerSecond &&
      a.deviceLimit === b.deviceLimit &&
      areSameGroups(a.groups, b.groups)

const areSameGroups = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((group, i) => group === b[i])

export const areSameTerms = (a: Terms, b: Terms): boolean =>
  a === b ||
  (a.denial?.code === b.denial?.code &&
    a.denial?.reason === b.denial?.reason &&
    a.bytesPerSecond === b.bytesPerSecond &&
    areSameGroups(a.groups, b.groups))

type Because = Pick<Denial, 'code' | 'reason'>

const denied = (because: Because): Terms => ({
  denial: { ...because, retryAfterMs: RETRY_AFTER_MS },
  groups: [],
  bytesPerSecond: null,
})
const REMOVED = denied({ code: 'inactive', reason: 'this peer was removed' })
const OFF = denied({ code: 'inactive', reason: 'this peer is switched off' })

function denialOf(state: Entitlement['state'], plan: Plan | null): Because | null {
  const tariff = plan?.tariff ?? ''
  switch (state) {
    case 'disabled':
      return { code: 'not_entitled', reason: 'the account is disabled' }
    case 'none':
      return { code: 'not_entitled', reason: 'the account has no tariff' }
    case 'ended':
      return { code: 'not_entitled', reason: `the tariff ${tariff} has ended` }
    case 'used_up':
      return { code: 'quota_used', reason: `the traffic of the tariff ${tariff} is used up` }
    case 'active':
    case 'grace':
    case 'throttled':
      return null
  }
}
