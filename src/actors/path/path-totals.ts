/** What all paths together attempted and carried since the start; what the metrics show. */
import type { PathAttempt, PathRecord, PathTrial, TierBytes } from '../ports.js'
import { bytesOf, noBytes, TIERS } from './path-bytes.js'
import { outcomeOf } from './path-story.js'

type Via = PathAttempt['via']
export type AttemptOutcome = PathTrial['outcome'] | 'lost'

export class PathTotals {
  readonly bytes: TierBytes = noBytes()
  readonly attempts: Record<Via, Record<AttemptOutcome, number>> = {
    udp: noOutcomes(),
    wireguard: noOutcomes(),
    ice: noOutcomes(),
  }

  countBytes(before: PathRecord, after: PathRecord): void {
    const [was, is] = [bytesOf(before), bytesOf(after)]
    for (const tier of TIERS)
      this.bytes[tier] += is.toNode[tier] - was.toNode[tier] + is.toClient[tier] - was.toClient[tier]
  }

  /** Counts an attempt when the second end has said how it went, and once more when it is lost. */
  countAttempt(before: PathRecord, after: PathRecord, attempt: number): void {
    const [was, is] = [before, after].map(({ attempts }) => attempts.find(one => one.attempt === attempt))
    if (is === undefined) return
    const outcome = outcomeOf(is)
    if (outcome !== null && (was === undefined || outcomeOf(was) === null)) this.attempts[is.via][outcome]++
    if (isLost(is) && (was === undefined || !isLost(was))) this.attempts[is.via].lost++
  }
}

const noOutcomes = () => ({ direct: 0, turned: 0, failed: 0, lost: 0 })

const isLost = ({ client, node }: PathAttempt): boolean => [client, node].some(trial => trial?.lost != null)
