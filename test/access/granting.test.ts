/** What becomes of time and traffic when tariffs are granted and taken back: the arithmetic, beside a model that counts days. */
import * as fc from 'fast-check'
import t from 'tap'
import { graceEndsMs, granted, type SoldTerms, withdrawn } from '../../src/access/tariffs/granting.js'
import type { SubscriptionRow } from '../../src/access/tariffs/rows.js'

const DAY = 86_400_000
const BEGAN_MS = Date.UTC(2026, 0, 1)

interface Sold extends SoldTerms {
  readonly duration_days: number
}

const tariff = (tariff_id: number, duration_days: number, limit: number | null, graceDays = 0): Sold => ({
  tariff_id,
  duration_days,
  grace_hours: 24 * graceDays,
  device_limit: tariff_id,
  traffic_limit_bytes: limit,
  throttled_bytes: 0,
  throttle_kbps: 1_000,
  node_groups: [],
})

const TARIFFS = [tariff(1, 30, 100), tariff(2, 7, null), tariff(3, 1, 10, 2)] as const

type Held = SoldTerms & Pick<SubscriptionRow, 'ends_at' | 'ended_because' | 'used_bytes'>

/** A subscription counted in days and bytes that are left, as a shopkeeper would. */
class Shopkeeper {
  tariff: Sold | null = null
  daysLeft = 0
  bytesLeft: number | null = 0
  graceDaysLeft = 0

  sell(sold: Sold): void {
    const goesOn = this.tariff?.tariff_id === sold.tariff_id && this.daysLeft + this.graceDaysLeft > 0
    this.daysLeft = (goesOn ? this.daysLeft : 0) + sold.duration_days
    this.bytesLeft =
      sold.traffic_limit_bytes === null
        ? null
        : (goesOn ? (this.bytesLeft ?? 0) : 0) + sold.traffic_limit_bytes
    this.graceDaysLeft = sold.grace_hours / 24
    this.tariff = sold
  }

  wait(days: number): void {
    const beyond = Math.max(0, days - this.daysLeft)
    this.daysLeft = Math.max(0, this.daysLeft - days)
    this.graceDaysLeft = Math.max(0, this.graceDaysLeft - beyond)
  }

  use(bytes: number): void {
    if (this.bytesLeft !== null) this.bytesLeft -= bytes
  }
}

t.test('time and traffic that are left are never lost by buying the same again', t => {
  const step = fc.oneof(
    fc.record({ sell: fc.constantFrom(...TARIFFS) }),
    fc.record({ wait: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ use: fc.integer({ min: 1, max: 50 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), steps => {
      const model = new Shopkeeper()
      let held = null as Held | null
      let nowMs = BEGAN_MS
      for (const each of steps) {
        if ('wait' in each) {
          nowMs += each.wait * DAY
          model.wait(each.wait)
        } else if ('use' in each) {
          if (held !== null) held = { ...held, used_bytes: held.used_bytes + each.use }
          model.use(each.use)
        } else {
          const { isRenewal, terms, endsAtMs } = granted(held, each.sell, nowMs)
          const used = isRenewal && held !== null ? held.used_bytes : 0
          held = { ...terms, ends_at: new Date(endsAtMs), ended_because: null, used_bytes: used }
          model.sell(each.sell)
        }
        if (held === null) continue
        const daysLeft = Math.max(0, held.ends_at.getTime() - nowMs) / DAY
        const graceLeft = Math.max(0, graceEndsMs(held) - Math.max(nowMs, held.ends_at.getTime())) / DAY
        const left = held.traffic_limit_bytes === null ? null : held.traffic_limit_bytes - held.used_bytes
        if (daysLeft !== model.daysLeft || graceLeft !== model.graceDaysLeft || left !== model.bytesLeft)
          throw new Error(
            `${daysLeft} days, ${graceLeft} of grace, ${left} bytes: wanted ${model.daysLeft}, ${model.graceDaysLeft}, ${model.bytesLeft}`,
          )
      }
    }),
    { numRuns: 2_000 },
  )
  t.end()
})

const held = (sold: Sold, endsInDays: number, more: Partial<Held> = {}): Held => ({
  ...sold,
  ends_at: new Date(BEGAN_MS + endsInDays * DAY),
  ended_because: null,
  used_bytes: 0,
  ...more,
})

t.test('the terms of a renewal are those of the tariff as it is by now', t => {
  const cheaper = { ...TARIFFS[0], device_limit: 9, node_groups: ['eu'], traffic_limit_bytes: 5 }
  t.match(granted(held(TARIFFS[0], 10, { used_bytes: 60 }), cheaper, BEGAN_MS), {
    isRenewal: true,
    terms: { device_limit: 9, node_groups: ['eu'], traffic_limit_bytes: 105 },
  })
  const unlimited = { ...TARIFFS[0], traffic_limit_bytes: null }
  t.match(granted(held(TARIFFS[0], 10), unlimited, BEGAN_MS), { terms: { traffic_limit_bytes: null } })
  t.match(
    granted(held(unlimited, 10, { used_bytes: 60 }), TARIFFS[0], BEGAN_MS),
    { terms: { traffic_limit_bytes: 160 } },
    'what was used without a limit does not count against the new one',
  )
  t.end()
})

t.test('what was cancelled does not go on, and nothing lasts beyond what databases can spell', t => {
  const cancelled = held(TARIFFS[2], 0, { ended_because: 'cancelled' })
  t.match(granted(cancelled, TARIFFS[2], BEGAN_MS), { isRenewal: false }, 'without grace')
  const last = { ...held(TARIFFS[0], 0), ends_at: new Date('9999-12-30T00:00:00Z') }
  t.match(granted(last, TARIFFS[0], BEGAN_MS), { isRenewal: true, endsAtMs: Date.UTC(10_000, 0) - 1 })
  t.end()
})

t.test('what is taken back is what was given, and nothing is left of the last', t => {
  t.same(withdrawn(held(TARIFFS[0], 45, { traffic_limit_bytes: 200 }), TARIFFS[0], BEGAN_MS), {
    endsAtMs: BEGAN_MS + 15 * DAY,
    traffic_limit_bytes: 100,
  })
  t.equal(withdrawn(held(TARIFFS[0], 30), TARIFFS[0], BEGAN_MS), null, 'no day is left')
  t.equal(withdrawn(held(TARIFFS[0], 60), TARIFFS[0], BEGAN_MS), null, 'no byte is left')
  t.match(withdrawn(held(TARIFFS[1], 10), TARIFFS[1], BEGAN_MS), { traffic_limit_bytes: null })
  t.end()
})
