/**
 * Attempts to leave the relay: both ends are asked to try at the same moment, and what both have proved carries. One
 * end's word alone settles nothing but a loss.
 *
 *   punch to both ─→ what both say, or the deadline ─→ won: it stands until an end has lost it
 *                                                  └─→ failed: both hear what holds
 *
 * A pair that is direct by the agents' sockets is tried by WireGuard's own next; when that carries, the pair stays
 * to fall back on, and when it is lost, they carry again.
 */
import type { Clock } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import type { Random } from '../../kit/random.js'
import type { PathReason } from '../../mesh/path-reason.js'
import { OPEN_MS, reasonOfFailure, startsIn, type Tier, type Via } from '../../mesh/upgrade.js'
import type { Cell } from '../session/cell.js'
import type { PathLedger } from './ledger.js'
import { across, isCarried, type PathCell, type Side, tierOf } from './path-cell.js'
import { settledMessage } from './path-messages.js'
import type { PathEvent } from './path.machine.js'
import { shown } from './signals.js'
import { type Account, isWon, type Trial, type Verdict, verdictOf } from './trial.js'
import { SHOW_MS, type Whereabouts } from './whereabouts.js'

export interface TrialsOptions {
  readonly clock: Clock
  readonly random: Random
  readonly ledger: PathLedger
  readonly whereabouts: Whereabouts
  /** Smoothed round trip to the end, ms; null when unknown. */
  readonly rttMs: (end: Cell) => number | null
  /** Whether there is a STUN server that agents may use. */
  readonly hasStun: () => boolean
  /** Returns what keeps a path from being direct, whatever a TURN server can do; null when nothing is known to. */
  readonly barrier: (path: PathCell) => PathReason | null
  readonly deliver: (path: PathCell, event: PathEvent) => void
  /** Runs what is about one path; what it throws closes that path alone. */
  readonly within: (path: PathCell, run: () => void) => void
  /** What the ends claimed does not hold: they are told how packets travel, and the path rests. */
  readonly disowned: (path: PathCell, tier: Tier) => void
}

/** How long both ends try, ms: fifty rounds of checks. */
const TRY_FOR_MS = 5_000
/** Their words may take this much longer to arrive, ms. */
const WORD_MS = 2_000
/** A way that carried for longer than this was a good one: its loss is the first failure again, ms. */
const PROVEN_MS = 60_000
/** An attempt of an earlier process that ends may claim: far from where the counter would overflow. */
const CLAIM_MAX = 2 ** 31
const KEY_BYTES = 32

export class Trials {
  readonly #options: TrialsOptions
  readonly #running: Deadlines<PathCell>
  /** Paths whose WireGuards are asked to show themselves, and what gives that up. */
  readonly #looking = new Map<PathCell, () => void>()

  constructor(options: TrialsOptions) {
    this.#options = options
    this.#running = new Deadlines(options.clock, path => options.within(path, () => this.#expired(path)))
  }

  /** Returns when the attempt that runs is given up, monotonic ms; null: none does. */
  dueMs(path: PathCell): number | null {
    return this.#running.dueMs(path)
  }

  /** Begins an attempt. */
  begin(path: PathCell, via: Via): void {
    const { clock, ledger, whereabouts } = this.#options
    const attempt = ++path.attempts
    path.mayBeClaimed = false
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

  /** What an end says of an attempt, or of the way that carries. */
  attempted(path: PathCell, side: Side, account: Account): void {
    const trial = this.#trialOf(path, account)
    if (trial !== null || account.attempt === path.attempts)
      this.#options.ledger.attempted(path.link, side.name, account)
    if (trial === null) {
      // After our own restart the agents' sockets count; by them WireGuard's is found again.
      if (account.via === 'wireguard' && (path.mayBeClaimed || path.trial?.isClaim === true)) return
      // It has moved to a way that the other end does not share.
      const tier = tierOf(path)
      if (isWon(account.outcome) && isCarried(tier)) side.end.line?.tell(settledMessage(path, tier))
      return
    }
    trial.said.set(side.end, account)
    trial.vouched.add(side.end)
    this.#judge(path, trial)
  }

  /** An end was introduced: what it had won counts when it repeats it. */
  introduced(path: PathCell, side: Side): void {
    for (const trial of trialsOf(path)) trial.vouched.delete(side.end)
  }

  /** An end is set up again: what it has not repeated it has lost. */
  returned(path: PathCell, side: Side): void {
    for (const trial of trialsOf(path)) {
      if ((trial === path.trial && !trial.isClaim) || trial.vouched.has(side.end)) continue
      trial.said.set(side.end, { ...GONE, attempt: trial.attempt, via: trial.via })
      this.#judge(path, trial)
    }
  }

  /** Gives up the attempt that runs. */
  forget(path: PathCell): void {
    this.#running.clear(path)
    this.#looking.get(path)?.()
    this.#looking.delete(path)
    path.trial = null
  }

  stop(): void {
    this.#running.stop()
    for (const giveUp of this.#looking.values()) giveUp()
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

  /** Returns the attempt that an end speaks of; null when it counts no more. */
  #trialOf(path: PathCell, { attempt, via, outcome }: Account): Trial | null {
    const known = trialsOf(path).find(trial => trial.attempt === attempt)
    if (known !== undefined) return known
    // After our own restart the ends know more than we do: what both of them claim stands.
    const mayClaim = path.mayBeClaimed && via !== 'wireguard' && path.policy !== 'relay-only'
    const isClaim = mayClaim && attempt <= CLAIM_MAX && isWon(outcome)
    if (!isClaim) return null
    path.attempts = Math.max(path.attempts, attempt)
    path.mayBeClaimed = false
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
    const { barrier, deliver } = this.#options
    if (tier === 'direct') path.reason = null
    else {
      path.failures++
      path.reason = barrier(path) ?? 'punch_timeout'
    }
    deliver(path, { type: tier === 'direct' ? 'direct.confirmed' : 'turn.confirmed' })
  }

  #fail(path: PathCell, trial: Trial): void {
    this.forget(path)
    if (trial.via === 'wireguard') path.nativeFailures = path.isRenewed ? 0 : path.nativeFailures + 1
    else path.failures = path.isRenewed ? 0 : path.failures + 1
    const { barrier, hasStun } = this.#options
    if (path.standing === null) path.reason = barrier(path) ?? reasonOfFailure(causesOf(trial), hasStun())
    const tier = tierOf(path)
    if (!trial.isClaim) this.#options.deliver(path, { type: 'upgrade.failed' })
    else if (isCarried(tier)) this.#options.disowned(path, tier)
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
    const cause = causesOf(trial).includes('slower') ? 'slower' : 'direct_lost'
    path.reason = this.#options.barrier(path) ?? cause
    this.#options.deliver(path, { type: 'way.lost' })
  }

  /** No word came in time: a way that only one end has proved carries nothing back. */
  #expired(path: PathCell): void {
    if (path.trial !== null) this.#fail(path, path.trial)
  }
}

/** What stands for an end that came back and knows nothing. */
const GONE = { outcome: 'lost', cause: 'no_socket', tried: [] } as const

const trialsOf = ({ trial, native, standing }: PathCell): readonly Trial[] =>
  [trial, native, standing].filter(each => each !== null)

const causesOf = ({ said }: Trial) => [...said.values()].flatMap(({ cause }) => cause ?? [])
