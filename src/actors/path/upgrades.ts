/**
 * Paths on their way off the relay: keeps where each end may be reached and hands it to the other, asks both
 * to try, and settles what came of it. When to try is decided in `mesh/upgrade.ts`.
 *
 *   signals ─→ plan ─→ punch to both ─→ what both say, or the deadline ─→ settled, or rest
 *
 * A pair that is direct by the agents' sockets is tried by WireGuard's own next; when that carries, the pair stays
 * to fall back on, and when it is lost, they carry again.
 */
import type { Clock } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import type { Random } from '../../kit/random.js'
import { TokenBucket } from '../../kit/token-bucket.js'
import type { Nat } from '../../mesh/nat.js'
import type { PathReason } from '../../mesh/path-reason.js'
import {
  OPEN_MS,
  plan,
  type Plan,
  reasonOfFailure,
  restMs,
  startsIn,
  type Tier,
  type UpgradeEnd,
  type Via,
} from '../../mesh/upgrade.js'
import type { PathTier } from '../ports.js'
import type { Cell } from '../session/cell.js'
import type { PathLedger } from './ledger.js'
import { across, type PathCell, type Side, type Signal, tierOf, viaOf } from './path-cell.js'
import { settledMessage } from './path-messages.js'
import type { PathEvent } from './path.machine.js'
import { shown, Signals } from './signals.js'
import { type Account, isWon, type Trial, type Verdict, verdictOf } from './trial.js'
import { SHOW_MS, type Whereabouts } from './whereabouts.js'

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

/** How long both ends try, ms: fifty rounds of checks. */
const TRY_FOR_MS = 5_000
/** Their words may take this much longer to arrive, ms. */
const WORD_MS = 2_000
/** Attempts of one path begin at least this far apart, whatever its ends say, ms. */
const GAP_MS = 1_000
/** A way that carried for longer than this was a good one: its loss is the first failure again, ms. */
const PROVEN_MS = 60_000
/** An attempt of an earlier process that ends may claim: far from where the counter would overflow. */
const CLAIM_MAX = 2 ** 31
/** A path may start anew this often: ends that move do, ends that make the other one try for ever do not. */
const ANEW_PER_SECOND = 1 / 30
const ANEW_BURST = 8
const KEY_BYTES = 32

export class Upgrades {
  readonly #options: UpgradesOptions
  readonly #signals: Signals
  readonly #rests: Deadlines<PathCell>
  readonly #running: Deadlines<PathCell>
  /** Paths whose WireGuards are asked to show themselves, and what gives that up. */
  readonly #looking = new Map<PathCell, () => void>()

  constructor(options: UpgradesOptions) {
    this.#options = options
    this.#signals = new Signals(options)
    this.#rests = new Deadlines(options.clock, path => options.within(path, () => this.reconsider(path)))
    this.#running = new Deadlines(options.clock, path => options.within(path, () => this.#expired(path)))
  }

  /** Keeps where an end may be reached, and hands it to the other end. */
  signalled(path: PathCell, side: Side, signal: Signal): void {
    if (this.#signals.keep(path, side, signal)) this.#startAnew(path)
  }

  /** An end came, or came back: it may be elsewhere, and may have forgotten everything. */
  introduced(path: PathCell, side: Side): void {
    const remote = side.end.line?.socket.remote ?? null
    const hasMoved = side.remote !== null && side.remote !== remote
    side.remote = remote
    side.present = false
    for (const trial of trialsOf(path)) trial.vouched.delete(side.end)
    side.isSignalOld = true
    this.#signals.handOver(path, across(path, side))
    if (hasMoved) this.#startAnew(path)
  }

  /** An end is set up. One that came back without repeating what it had won has lost it. */
  ready(path: PathCell, side: Side): void {
    const isBack = !side.present
    side.present = true
    if (!isBack) return
    for (const trial of trialsOf(path)) {
      if ((trial === path.trial && !trial.isClaim) || trial.vouched.has(side.end)) continue
      trial.said.set(side.end, { ...GONE, attempt: trial.attempt, via: trial.via })
      this.#judge(path, trial)
    }
    this.#wake(path)
  }

  /** What an end says of an attempt, or of the way that carries. */
  attempted(path: PathCell, side: Side, account: Account): void {
    const trial = this.#trialOf(path, account)
    if (trial !== null || account.attempt === path.attempts)
      this.#options.ledger.attempted(path.link, side.name, account)
    if (trial === null) {
      // After our own restart the agents' sockets count; by them WireGuard's is found again.
      if (account.via === 'wireguard' && (path.isUntried || path.trial?.isClaim === true)) return
      // It has moved to a way that the other end does not share.
      const tier = tierOf(path)
      if (isWon(account.outcome) && isTier(tier)) side.end.line?.tell(settledMessage(path, tier))
      return
    }
    trial.said.set(side.end, account)
    trial.vouched.add(side.end)
    this.#judge(path, trial)
  }

  /** Something changed that the plan depends on. */
  reconsider(path: PathCell): void {
    if (path.trial !== null || !path.actor.getSnapshot().can({ type: 'upgrade.due', via: 'udp' })) return
    const { via, reason } = this.#plan(path)
    if (via === null) return this.#explain(path, reason)
    if (path.failures === 0 && path.standing === null) path.reason = 'starting'
    this.#options.deliver(path, { type: 'upgrade.due', via })
  }

  /** Gives a path that is about to carry its first reason. */
  prepare(path: PathCell): void {
    path.reason = this.#plan(path).reason ?? 'starting'
  }

  /** The path may travel other ways now than before. */
  policyChanged(path: PathCell): void {
    this.forget(path)
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

  /** Begins an attempt. */
  begin(path: PathCell, via: Via): void {
    const { clock, ledger, whereabouts } = this.#options
    const attempt = ++path.attempts
    path.isUntried = false
    ledger.punched(path.link, { attempt, via })
    const trial: Trial = { attempt, via, isClaim: false, said: new Map(), vouched: new Set() }
    path.trial = trial
    path.triedMs = clock.now()
    path.isRenewed = false
    if (via !== 'wireguard') return this.#punch(path, trial, side => shown(path, side))
    this.#running.set(path, SHOW_MS)
    const giveUp = whereabouts.find(path, at => this.#punch(path, trial, side => [at(side)], OPEN_MS))
    this.#looking.set(path, giveUp)
  }

  /** Asks both ends to try, at the same moment: each hears where the other may be reached. */
  #punch(path: PathCell, trial: Trial, at: (side: Side) => readonly string[], inMs = 0): void {
    const { random, rttMs } = this.#options
    const { attempt, via } = trial
    const key = random.bytes(KEY_BYTES)
    const delays = startsIn([rttMs(path.client), rttMs(path.node)]).map(ms => ms + inMs)
    for (const [i, side] of path.sides.entries()) {
      side.end.line?.tell({
        type: 'path.punch',
        link: path.link,
        attempt,
        via,
        controlling: side.end === path.client,
        key,
        startInMs: delays[i] as number, // one for each side
        tryForMs: TRY_FOR_MS,
        candidates: at(across(path, side)),
      })
    }
    this.#running.set(path, Math.max(...delays) + TRY_FOR_MS + WORD_MS)
  }

  /** Rests until the next attempt; not at all when nothing has failed yet. */
  rest(path: PathCell): void {
    const { clock, random } = this.#options
    const gapMs = path.triedMs === null ? 0 : path.triedMs + GAP_MS - clock.now()
    const failures = tierOf(path) === 'direct' ? path.nativeFailures : path.failures
    this.#rests.set(path, failures === 0 ? gapMs : Math.max(gapMs, restMs(failures, random)))
  }

  /** Gives up the attempt that runs, and the way that carries when the path may not have it. */
  forget(path: PathCell): void {
    this.#running.clear(path)
    this.#looking.get(path)?.()
    this.#looking.delete(path)
    path.trial = null
  }

  /** The path is gone. */
  closed(path: PathCell): void {
    this.forget(path)
    this.#rests.clear(path)
    this.#signals.closed(path)
  }

  stop(): void {
    this.#signals.stop()
    this.#rests.stop()
    this.#running.stop()
    for (const giveUp of this.#looking.values()) giveUp()
  }

  /** Returns the attempt that an end speaks of; null when it counts no more. */
  #trialOf(path: PathCell, { attempt, via, outcome }: Account): Trial | null {
    const known = trialsOf(path).find(trial => trial.attempt === attempt)
    if (known !== undefined) return known
    // After our own restart the ends know more than we do: what both of them claim stands.
    const mayClaim = path.isUntried && via !== 'wireguard' && path.policy !== 'relay-only'
    const isClaim = mayClaim && attempt <= CLAIM_MAX && isWon(outcome)
    if (!isClaim) return null
    path.attempts = Math.max(path.attempts, attempt)
    path.isUntried = false
    path.trial = { attempt, via, isClaim, said: new Map(), vouched: new Set() }
    return path.trial
  }

  #judge(path: PathCell, trial: Trial): void {
    const verdict = verdictOf(trial, path.policy)
    if (trial === path.native) return verdict === 'failed' ? this.#loseNative(path) : undefined
    if (trial === path.standing) return this.#judgeStanding(path, trial, verdict)
    // One that is back and claims nothing has nothing.
    const isAlone = trial.isClaim && path.sides.some(side => side.present && !trial.vouched.has(side.end))
    if (verdict === 'pending' && !isAlone) return
    if (verdict === 'pending' || verdict === 'failed') return this.#fail(path, trial)
    this.forget(path)
    const nowMs = this.#options.clock.now()
    if (trial.via === 'wireguard') {
      path.native = trial
      path.nativeMs = nowMs
    } else {
      path.standing = trial
      path.carriedMs = nowMs
      path.native = null
    }
    this.#confirm(path, verdict)
  }

  /** An end has more to say of the way that carries: that it is gone, or has become another. */
  #judgeStanding(path: PathCell, trial: Trial, verdict: Verdict): void {
    if (verdict === 'failed') this.#lose(path, trial)
    else if (verdict !== 'pending' && verdict !== tierOf(path)) this.#confirm(path, verdict)
  }

  #confirm(path: PathCell, tier: 'direct' | 'turned'): void {
    if (tier === 'direct') path.reason = null
    else {
      path.failures++
      path.reason = this.#plan(path, false).reason ?? 'punch_timeout'
    }
    this.#options.deliver(path, { type: tier === 'direct' ? 'direct.confirmed' : 'turn.confirmed' })
  }

  #fail(path: PathCell, trial: Trial): void {
    this.forget(path)
    if (trial.via === 'wireguard') path.nativeFailures = path.isRenewed ? 0 : path.nativeFailures + 1
    else path.failures = path.isRenewed ? 0 : path.failures + 1
    if (path.standing === null) path.reason = reasonOfFailure(causesOf(trial), this.#options.hasStun())
    const tier = tierOf(path)
    if (!trial.isClaim) this.#options.deliver(path, { type: 'upgrade.failed' })
    else if (isTier(tier)) {
      this.#options.tellSettled(path, tier)
      this.rest(path)
    }
  }

  /** The agents' sockets are there, and both ends are told to use them. */
  #loseNative(path: PathCell): void {
    const stoodMs = this.#options.clock.now() - (path.nativeMs ?? 0)
    path.nativeFailures = stoodMs < PROVEN_MS ? path.nativeFailures + 1 : 1
    path.native = null
    this.#options.deliver(path, { type: 'native.lost' })
  }

  #lose(path: PathCell, trial: Trial): void {
    // What was only kept to fall back on carried nothing.
    if (trial === path.standing && path.native !== null) {
      path.standing = path.native
      path.carriedMs = path.nativeMs
      path.native = null
      return
    }
    const stoodMs = this.#options.clock.now() - (path.carriedMs ?? 0)
    path.failures = stoodMs < PROVEN_MS ? path.failures + 1 : 1
    path.standing = null
    path.carriedMs = null
    path.reason = causesOf(trial).includes('slower') ? 'slower' : 'direct_lost'
    this.#options.deliver(path, { type: 'way.lost' })
  }

  /** No word came in time: a way that only one end has proved carries nothing back. */
  #expired(path: PathCell): void {
    if (path.trial !== null) this.#fail(path, path.trial)
  }

  /** There is a new chance: what failed before says nothing about it. */
  #startAnew(path: PathCell): void {
    const now = this.#options.clock.now()
    path.anew ??= new TokenBucket(ANEW_PER_SECOND, ANEW_BURST, now)
    if (!path.anew.take(1, now)) return
    path.failures = 0
    path.nativeFailures = 0
    path.isRenewed = true
    if (path.actor.getSnapshot().can({ type: 'upgrade.due', via: 'udp' })) this.rest(path)
  }

  /** Looks at a path again that does not rest for a failure. */
  #wake(path: PathCell): void {
    if (!this.#rests.has(path)) this.reconsider(path)
  }

  #explain(path: PathCell, reason: PathReason | null): void {
    const tier = tierOf(path)
    if (reason === null || reason === path.reason || !isTier(tier)) return
    path.reason = reason
    this.#options.tellSettled(path, tier)
  }

  #plan(path: PathCell, isHelped = true): Plan {
    const tier = tierOf(path)
    const [client, node] = path.sides
    return plan({
      policy: path.policy,
      tier: isTier(tier) ? tier : 'relayed',
      via: viaOf(path, tier) === 'udp' ? 'udp' : null,
      native: this.#options.whereabouts.canFind(path),
      turn: isHelped && path.sides.some(({ end }) => this.#options.hasTurn(end)),
      ends: [this.#end(client), this.#end(node)],
    })
  }

  #end({ end, signal, present }: Side): UpgradeEnd {
    return {
      can: end.identity.profile.can,
      nat: this.#options.natOf(end),
      isPresent: end.line !== null && present,
      candidates: signal?.candidates.length ?? null,
    }
  }
}

/** What stands for an end that came back and knows nothing. */
const GONE = { outcome: 'lost', cause: 'no_socket', tried: [] } as const

const isTier = (tier: PathTier): tier is Tier => tier !== 'opening' && tier !== 'closed'

const trialsOf = ({ trial, native, standing }: PathCell): readonly Trial[] =>
  [trial, native, standing].filter(each => each !== null)

const causesOf = ({ said }: Trial) => [...said.values()].flatMap(({ cause }) => cause ?? [])
