/** How many sessions are behind each kind of NAT, kept as they come, change and go. */
import type { Nat } from '../../mesh/nat.js'
import type { NatStats } from '../ports.js'

export class NatCensus {
  readonly #kinds = new Map<string, { -readonly [K in keyof NatStats]: NatStats[K] }>()

  add(nat: Nat): void {
    this.#change(nat, 1)
  }

  remove(nat: Nat): void {
    this.#change(nat, -1)
  }

  /** Returns how many have UDP like this. */
  count(udp: Nat['udp']): number {
    let sum = 0
    for (const kind of this.#kinds.values()) if (kind.udp === udp) sum += kind.count
    return sum
  }

  stats(): readonly NatStats[] {
    return [...this.#kinds.values()].filter(({ count }) => count > 0).map(kind => ({ ...kind }))
  }

  #change({ udp, mapping, filtering }: Nat, by: number): void {
    const key = `${udp} ${mapping} ${filtering}`
    const kind = this.#kinds.get(key) ?? { udp, mapping, filtering, count: 0 }
    kind.count += by
    this.#kinds.set(key, kind)
  }
}
