/** One path between two ends, whose NATs and distances are what a test says. */
import { PathLedger } from '../../src/actors/path/ledger.js'
import { type PathCell, reasonOf, tierOf } from '../../src/actors/path/path-cell.js'
import { Paths } from '../../src/actors/path/paths.js'
import { Whereabouts } from '../../src/actors/path/whereabouts.js'
import type { Cell } from '../../src/actors/session/cell.js'
import { seededRandom } from '../../src/kit/random.js'
import { RelayTable } from '../../src/lanes/relay-table.js'
import type { Nat } from '../../src/mesh/nat.js'
import type { Wire, WireOf } from '../../src/protocol/messages.js'
import { endCell } from './end-cell.js'
import { SimulatedClock } from './simulated-clock.js'

export interface LonePathOptions {
  readonly nat: Nat
  readonly hasTurn?: boolean
  readonly rttsMs?: readonly [number, number]
}

export class LonePath {
  readonly clock = new SimulatedClock()
  readonly #heard: { readonly end: number; readonly event: Wire }[] = []
  readonly #paths: Paths
  readonly #path: PathCell
  #nat: Nat

  constructor({ nat, hasTurn = false, rttsMs }: LonePathOptions) {
    this.#nat = nat
    this.#paths = new Paths({
      clock: this.clock,
      random: seededRandom(1),
      table: new RelayTable(),
      ledger: new PathLedger({ clock: this.clock, keep: () => {} }),
      whereabouts: new Whereabouts({ ear: null, earAt: () => null }),
      policyOf: () => 'auto',
      natOf: () => this.#nat,
      rttMs: ({ slot }) => rttsMs?.[slot - 1] ?? null,
      moved: () => {},
      hasStun: () => true,
      hasTurn: () => hasTurn,
      openMs: 1_000,
      carried: () => {},
      failed: () => {},
      faulted: (_, error) => {
        throw error
      },
    })
    const end = (slot: number): Cell => endCell(slot, event => this.#heard.push({ end: slot, event }))
    this.#path = this.#paths.open({ routeId: 'r', client: end(1), node: end(2), exit: false })
    for (const each of this.#ends) this.#paths.ready(this.#path.link, each)
  }

  get tier(): string {
    return tierOf(this.#path)
  }

  get reason(): string | null {
    return reasonOf(this.#path, tierOf(this.#path))
  }

  /** How often both ends were asked to try. */
  get punches(): number {
    return this.#all('path.punch').length / 2
  }

  /** After how long each end of the last attempt begins, ms. */
  get begins(): number[] {
    return this.#all('path.punch').map(({ startInMs }) => startInMs)
  }

  get told(): WireOf<'path.settled'>[] {
    return this.#all('path.settled')
  }

  signal(): void {
    const signal = { revision: 1, candidates: ['srflx 198.51.100.1:4000'] }
    for (const end of this.#ends) this.#paths.signalled(this.#path.link, end, signal)
    this.clock.advance(10)
  }

  report(outcome: 'turned' | 'failed'): void {
    const { attempts: attempt, link } = this.#path
    for (const end of this.#ends)
      this.#paths.attempted(link, end, { attempt, via: 'udp', outcome, tried: [] })
  }

  /** The NATs of both ends turn out to be like this. */
  learn(nat: Nat): void {
    this.#nat = nat
    for (const end of this.#ends) this.#paths.natChanged(end)
  }

  get #ends(): Cell[] {
    return [this.#path.client, this.#path.node]
  }

  #all<N extends 'path.punch' | 'path.settled'>(type: N): WireOf<N>[] {
    return this.#heard.flatMap(({ event }) => (event.type === type ? [event as WireOf<N>] : [])) // found by its type
  }
}
