/**
 * Where the ends of paths may be reached: the newest word of each is kept and handed to the other end, and to
 * nobody else. An end that speaks fast costs the other one no more than its last word.
 */
import type { Clock } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import { hasMoved, isNewChance, ownOf } from '../../mesh/candidates.js'
import type { Cell } from '../session/cell.js'
import type { PathLedger } from './ledger.js'
import { across, type PathCell, type Side, type Signal } from './path-cell.js'

export interface SignalsOptions {
  readonly clock: Clock
  readonly ledger: PathLedger
  /** An end is behind another NAT than before. */
  readonly moved: (end: Cell) => void
}

/** What one end says is handed on at most this often, ms: a description for ICE may have 16 KB. */
const EVERY_MS = 100

export class Signals {
  readonly #options: SignalsOptions
  readonly #waiting: Deadlines<PathCell>

  constructor(options: SignalsOptions) {
    this.#options = options
    this.#waiting = new Deadlines(options.clock, path => {
      for (const side of path.sides) if (!side.isSignalTold) this.handOver(path, side)
    })
  }

  /** Keeps what an end says when it is newer, and hands it on; returns whether there is a new chance in it. */
  keep(path: PathCell, side: Side, signal: Signal): boolean {
    const { signal: old, isSignalOld: isBack } = side
    if (old !== null && !isBack && signal.revision <= old.revision) return false
    side.signal = signal
    side.isSignalOld = false
    this.#options.ledger.signalled(path.link, side.name, signal.candidates)
    this.#soon(path, side)
    if (old !== null && hasMoved(old.candidates, signal.candidates)) this.#options.moved(side.end)
    // A description for ICE belongs to the attempt that runs.
    if (signal.ice !== undefined) return false
    if (old === null || signal.candidates.length === 0) return old?.revision !== signal.revision
    return isBack
      ? ownOf(old.candidates).join() !== ownOf(signal.candidates).join()
      : isNewChance(old.candidates, signal.candidates)
  }

  /** Tells one end what the other has said, if it may know and is there. */
  handOver(path: PathCell, from: Side): void {
    from.isSignalTold = true
    from.signalToldMs = this.#options.clock.now()
    if (from.signal === null || path.policy === 'relay-only') return
    const { link } = path
    across(path, from).end.line?.tell({
      type: 'path.signal',
      ...from.signal,
      link,
      candidates: shown(path, from),
    })
  }

  closed(path: PathCell): void {
    this.#waiting.clear(path)
  }

  stop(): void {
    this.#waiting.stop()
  }

  #soon(path: PathCell, side: Side): void {
    const inMs = (side.signalToldMs ?? Number.NEGATIVE_INFINITY) + EVERY_MS - this.#options.clock.now()
    if (inMs <= 0) return this.handOver(path, side)
    side.isSignalTold = false
    if (!this.#waiting.has(path)) this.#waiting.set(path, inMs)
  }
}

/** Returns the addresses of one end that the other may see: none of a TURN server where packets may only go directly. */
export function shown({ policy }: PathCell, { signal }: Side): readonly string[] {
  const candidates = signal?.candidates ?? []
  return policy === 'direct-only' ? ownOf(candidates) : candidates
}
