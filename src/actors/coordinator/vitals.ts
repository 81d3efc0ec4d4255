/**
 * How each node fares, as others see it: sessions that it lost lately, packets that its clients lose on the way to it,
 * and whether it carries well. Kept by the node's id, so that one that comes back is known.
 */
import type { Clock } from '../../kit/clock.js'
import { DecayingCount } from '../../kit/decaying-count.js'
import { Ewma } from '../../kit/ewma.js'
import { type Ailment, type Condition, judge, lowerMedian, usualRtt, WELL } from '../../mesh/condition.js'
import type { IdentityId } from '../ports.js'
import type { FleetNode } from './fleet-node.js'

export interface VitalsOptions {
  readonly clock: Clock
  /** Returns the loss that each client of a node measures on the way to it, %. */
  readonly lossesOf: (node: FleetNode) => readonly number[]
}

/** What a look at a node has changed; `same`: nothing. */
export type Finding = 'same' | 'degraded' | 'recovered'

interface Vital {
  readonly flaps: DecayingCount
  /** It was told that the node comes and goes. */
  isFlapping: boolean
  loss: Ewma
  drops: Ewma
  /** What its interface had dropped at the last look, and when that was, monotonic ms. */
  dropped: { readonly count: number; readonly atMs: number } | null
  usualRttMs: number | null
  condition: Condition
}

/** A session lost ten minutes ago counts half. */
const FLAPS_HALF_LIFE_MS = 600_000
/** Below this nothing is worth remembering of a node that is gone. */
const FLAPS_LEAST = 0.05
/**
 * A node that lost this many sessions lately comes and goes. A reboot or a change of its network costs one or two, an
 * update of a fleet that goes wrong three; it counts as calm again when two thirds of that are forgotten.
 */
const FLAPS_MANY = 4.5
const FLAPS_CALM = 1.5
/** Share of the newest look in the loss and the drops of a node. */
const LOSS_WEIGHT = 0.4

export class Vitals {
  readonly #options: VitalsOptions
  readonly #byId = new Map<IdentityId, Vital>()

  constructor(options: VitalsOptions) {
    this.#options = options
  }

  /** The node has lost its session; returns its flaps when that makes it one that comes and goes, null otherwise. */
  lost(id: IdentityId): number | null {
    const vital = this.#of(id)
    const now = this.#options.clock.now()
    if (vital.flaps.at(now) < FLAPS_CALM) vital.isFlapping = false
    vital.flaps.add(now)
    const flaps = vital.flaps.at(now)
    if (vital.isFlapping || flaps < FLAPS_MANY) return null
    vital.isFlapping = true
    return flaps
  }

  flapsOf(id: IdentityId): number {
    return this.#byId.get(id)?.flaps.at(this.#options.clock.now()) ?? 0
  }

  /** Packets lost between the node and its clients, %; null when none of them knows. */
  lossPctOf(id: IdentityId): number | null {
    return this.#byId.get(id)?.loss.value ?? null
  }

  /** Packets that the node's interface dropped, % of those that it carried, by its own word; null when nobody knows. */
  dropPctOf(id: IdentityId): number | null {
    return this.#byId.get(id)?.drops.value ?? null
  }

  /** What ails the node; null when it carries well. */
  ailmentOf(id: IdentityId): Ailment | null {
    return this.#byId.get(id)?.condition.ailment ?? null
  }

  /** Returns how many nodes carry badly, by why. */
  degraded(): Readonly<Record<Ailment, number>> {
    const counts = { loss: 0, rtt: 0, uplink: 0 }
    for (const { condition } of this.#byId.values())
      if (condition.ailment !== null) counts[condition.ailment]++
    return counts
  }

  /** Looks at a node; once a beat. */
  look(node: FleetNode): Finding {
    const vital = this.#of(node.id)
    const losses = this.#options.lossesOf(node)
    const lossPct = lowerMedian(losses)
    if (lossPct === null) vital.loss = new Ewma(LOSS_WEIGHT)
    else vital.loss.add(lossPct)
    this.#countDrops(vital, node)
    const { bandwidthMbps, bwTotalMbps, rttMs } = node
    const before = vital.condition
    vital.condition = judge(before, {
      lossPct: vital.loss.value,
      witnesses: losses.length,
      rttMs,
      usualRttMs: vital.usualRttMs,
      uplink:
        bandwidthMbps === null || bandwidthMbps === 0 || bwTotalMbps === null
          ? null
          : bwTotalMbps / bandwidthMbps,
      cpuPct: node.cpuTotalPct,
    })
    vital.usualRttMs = usualRtt(vital.usualRttMs, rttMs)
    if ((vital.condition.ailment === null) === (before.ailment === null)) return 'same'
    return vital.condition.ailment === null ? 'recovered' : 'degraded'
  }

  /** The node is gone: of what it was like only its flaps are remembered, if they count. */
  left(id: IdentityId): void {
    const vital = this.#byId.get(id)
    if (vital === undefined) return
    this.#byId.delete(id)
    const { flaps, isFlapping } = vital
    if (flaps.at(this.#options.clock.now()) >= FLAPS_LEAST)
      this.#byId.set(id, { ...newVital(flaps), isFlapping })
  }

  #countDrops(vital: Vital, { dropped: count, ppsTotal }: FleetNode): void {
    const atMs = this.#options.clock.now()
    const before = vital.dropped
    vital.dropped = count === null ? null : { count, atMs }
    if (count === null || ppsTotal === null) vital.drops = new Ewma(LOSS_WEIGHT)
    if (count === null || ppsTotal === null || before === null || atMs <= before.atMs) return
    const more = Math.max(0, count - before.count)
    const carried = (ppsTotal * (atMs - before.atMs)) / 1_000
    vital.drops.add(more === 0 ? 0 : Math.min(100, (100 * more) / (more + carried)))
  }

  #of(id: IdentityId): Vital {
    const known = this.#byId.get(id)
    if (known !== undefined) return known
    const vital = newVital(new DecayingCount(FLAPS_HALF_LIFE_MS))
    this.#byId.set(id, vital)
    return vital
  }
}

const newVital = (flaps: DecayingCount): Vital => ({
  flaps,
  isFlapping: false,
  loss: new Ewma(LOSS_WEIGHT),
  drops: new Ewma(LOSS_WEIGHT),
  dropped: null,
  usualRttMs: null,
  condition: WELL,
})
