/**
 * When paths try to leave the relay: they are looked at when something changed that the plan of `mesh/upgrade.ts`
 * depends on, and when a rest is over.
 *
 *   a signal, a NAT, an end that is back, a rest that is over ─→ plan ─→ an attempt (trials.ts)
 *                                                                   └─→ nothing yet, for a reason that is told
 */
import type { Clock } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import type { Random } from '../../kit/random.js'
import { TokenBucket } from '../../kit/token-bucket.js'
import { isForwarded } from '../../mesh/candidates.js'
import type { Nat } from '../../mesh/nat.js'
import type { PathReason } from '../../mesh/path-reason.js'
import { plan, type Plan, restMs, type Tier, type UpgradeEnd } from '../../mesh/upgrade.js'
import type { PathTier } from '../ports.js'
import type { Cell } from '../session/cell.js'
import type { PathLedger } from './ledger.js'
import { across, isCarried, type PathCell, type Side, type Signal, tierOf, viaOf } from './path-cell.js'
import type { PathEvent } from './path.machine.js'
import { Signals } from './signals.js'
import { Trials } from './trials.js'
import type { Whereabouts } from './whereabouts.js'

/** What paths ask about their ends and about the servers that help them. */
export interface Surroundings {
  readonly natOf: (end: Cell) => Nat
  /** Smoothed round trip to the end, ms; null when unknown. */
  readonly rttMs: (end: Cell) => number | null
  /** Whether there is a STUN server, and whether the end may use a TURN server. */
  readonly hasStun: () => boolean
  readonly hasTurn: (end: Cell) => boolean
  /** An end is behind another NAT than before. */
  readonly moved: (end: Cell) => void
}

export interface UpgradesOptions extends Surroundings {
  readonly clock: Clock
  readonly random: Random
  readonly ledger: PathLedger
  readonly whereabouts: Whereabouts
  readonly deliver: (path: PathCell, event: PathEvent) => void
  /** Runs what is about one path; what it throws closes that path alone. */
  readonly within: (path: PathCell, run: () => void) => void
  /** Tells both ends how packets travel. */
  readonly tellSettled: (path: PathCell, tier: Tier) => void
}

/** Attempts of one path begin at least this far apart, whatever its ends say, ms. */
const GAP_MS = 1_000
/** A path may start anew this often: ends that move do, ends that make the other one try for ever do not. */
const ANEW_PER_SECOND = 1 / 30
const ANEW_BURST = 8

export class Upgrades {
  readonly trials: Trials
  readonly #options: UpgradesOptions
  readonly #signals: Signals
  readonly #rests: Deadlines<PathCell>

  constructor(options: UpgradesOptions) {
    this.#options = options
    this.#signals = new Signals(options)
    this.#rests = new Deadlines(options.clock, path => options.within(path, () => this.#consider(path)))
    this.trials = new Trials({
      ...options,
      barrier: path => this.#plan(path, 'turned').reason,
      disowned: (path, tier) => {
        options.tellSettled(path, tier)
        this.rest(path)
      },
    })
  }

  /** Keeps where an end may be reached, and hands it to the other end. */
  signalled(path: PathCell, side: Side, signal: Signal): void {
    if (this.#signals.keep(path, side, signal)) this.startAnew(path)
  }

  /** An end came, or came back: it may be elsewhere, and may have forgotten everything. */
  introduced(path: PathCell, side: Side): void {
    const remote = side.end.line?.socket.remote ?? null
    const hasMoved = side.remote !== null && side.remote !== remote
    side.remote = remote
    side.present = false
    this.trials.introduced(path, side)
    side.isSignalOld = true
    this.#signals.handOver(path, across(path, side))
    if (hasMoved) this.startAnew(path)
  }

  /** An end is set up. One that came back without repeating what it had won has lost it. */
  ready(path: PathCell, side: Side): void {
    const isBack = !side.present
    side.present = true
    if (!isBack) return
    this.trials.returned(path, side)
    if (!this.#rests.has(path)) this.#consider(path)
  }

  /** What is known of an end’s NAT has changed. A rest goes on, but perhaps for another reason. */
  natChanged(path: PathCell): void {
    if (!this.#rests.has(path)) return this.#consider(path)
    const { via, reason } = this.#plan(path)
    if (via === null) this.#explain(path, reason)
  }

  /** Returns what a path waits for, and until when, monotonic ms. */
  waits(path: PathCell): readonly (readonly [name: string, untilMs: number | null])[] {
    return [
      ['another way is tried', this.#rests.dueMs(path)],
      ['the attempt is given up', this.trials.dueMs(path)],
    ]
  }

  /** Gives a path that is about to carry its first reason. */
  prepare(path: PathCell): void {
    path.reason = this.#plan(path).reason ?? 'starting'
  }

  /** The path may travel other ways now than before. */
  policyChanged(path: PathCell): void {
    this.trials.forget(path)
    if (path.policy === 'relay-only' || (path.policy === 'direct-only' && tierOf(path) === 'turned')) {
      path.standing = null
      path.carriedMs = null
      path.native = null
    }
    path.failures = 0
    path.nativeFailures = 0
    if (path.standing === null || path.reason !== null) this.prepare(path)
    for (const side of path.sides) this.#signals.handOver(path, side)
  }

  /** There is a new chance: what failed before says nothing about it. */
  startAnew(path: PathCell): void {
    const now = this.#options.clock.now()
    path.anew ??= new TokenBucket(ANEW_PER_SECOND, ANEW_BURST, now)
    if (!path.anew.take(1, now)) return
    path.failures = 0
    path.nativeFailures = 0
    path.isRenewed = true
    if (mayTry(path)) this.rest(path)
  }

  /** Rests until the next attempt; not at all when nothing has failed yet. */
  rest(path: PathCell): void {
    const { clock, random } = this.#options
    const gapMs = path.triedMs === null ? 0 : path.triedMs + GAP_MS - clock.now()
    const failures = tierOf(path) === 'direct' ? path.nativeFailures : path.failures
    this.#rests.set(path, failures === 0 ? gapMs : Math.max(gapMs, restMs(failures, random)))
  }

  /** The path is gone. */
  closed(path: PathCell): void {
    this.trials.forget(path)
    this.#rests.clear(path)
    this.#signals.closed(path)
  }

  stop(): void {
    this.#signals.stop()
    this.#rests.stop()
    this.trials.stop()
  }

  /** Tries to leave the relay if that is worth it now. */
  #consider(path: PathCell): void {
    if (path.trial !== null || !mayTry(path)) return
    const { via, reason } = this.#plan(path)
    if (via === null) return this.#explain(path, reason)
    if (path.failures === 0 && path.standing === null) this.#explain(path, 'starting')
    this.#options.deliver(path, { type: 'upgrade.due', via })
  }

  #explain(path: PathCell, reason: PathReason | null): void {
    const tier = tierOf(path)
    if (reason === null || reason === path.reason || !isCarried(tier)) return
    path.reason = reason
    this.#options.tellSettled(path, tier)
  }

  #plan(path: PathCell, tier: PathTier = tierOf(path)): Plan {
    const [client, node] = path.sides
    return plan({
      policy: path.policy,
      isThrottled: path.sides.some(({ end }) => end.terms.bytesPerSecond !== null),
      tier: isCarried(tier) ? tier : 'relayed',
      via: viaOf(path, tier) === 'udp' ? 'udp' : null,
      native: this.#options.whereabouts.canFind(path),
      hasTurn: () => path.sides.some(({ end }) => this.#options.hasTurn(end)),
      areTogether: client.remote !== null && client.remote === node.remote,
      ends: [this.#end(client), this.#end(node)],
    })
  }

  #end({ end, signal, present }: Side): UpgradeEnd {
    return {
      can: end.identity.profile.can,
      nat: this.#options.natOf(end),
      isPresent: end.line !== null && present,
      candidates: signal?.candidates.length ?? null,
      isForwarded: isForwarded(signal?.candidates ?? []),
    }
  }
}

const mayTry = ({ actor }: PathCell): boolean => actor.getSnapshot().can({ type: 'upgrade.due', via: 'udp' })
