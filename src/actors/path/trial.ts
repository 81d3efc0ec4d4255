/** One attempt to leave the relay: what each end said of it, and what that makes of it. */
import type { PathPolicy } from '../../mesh/path-policy.js'
import type { Via } from '../../mesh/upgrade.js'
import type { WireOf } from '../../protocol/messages.js'
import type { Cell } from '../session/cell.js'

export type Account = Omit<WireOf<'path.attempt'>, 'type' | 'link'>

export interface Trial {
  readonly attempt: number
  readonly via: Via
  /** Nobody asked for it in this process: its ends say that it carries since before our restart. */
  readonly isClaim: boolean
  /** The newest word of each end. */
  readonly said: Map<Cell, Account>
  /** Ends that have spoken of it since they were introduced last. */
  readonly vouched: Set<Cell>
}

/** `pending` until both ends have spoken: a way that only one of them has proved carries nothing back. */
export type Verdict = 'pending' | 'direct' | 'turned' | 'failed'

/** Returns what the attempt came to. An end that failed, or lost what it had won, decides for both. */
export function verdictOf({ said }: Trial, policy: PathPolicy): Verdict {
  const outcomes = [...said.values()].map(({ outcome }) => outcome)
  if (outcomes.includes('failed') || outcomes.includes('lost')) return 'failed'
  if (outcomes.length < 2) return 'pending'
  if (!outcomes.includes('turned')) return 'direct'
  return policy === 'direct-only' ? 'failed' : 'turned'
}

export const isWon = (outcome: Account['outcome']): boolean => outcome === 'direct' || outcome === 'turned'
