/** What an agent counts about its own wire. Plain numbers, written in place. */

/**
 * Why a packet of ours did not leave, or one that arrived was not delivered. `not_direct`: the policy allows
 * no relay, and there is no direct path. `late`: it came by a way that the link has left for good.
 */
export type DropReason = 'offline' | 'backlog' | 'oversize' | 'no_link' | 'not_ready' | 'not_direct' | 'late'

export interface Counters {
  readonly sent: { packets: number; bytes: number; messages: number }
  readonly received: { packets: number; bytes: number; messages: number }
  readonly dropped: Record<DropReason, number>
  /**
   * Values from the coordinator that were of no use: `unknown_message` ones come from a newer version,
   * `misplaced` ones are not for an agent.
   */
  readonly faults: Record<'malformed' | 'unknown_message' | 'bad_field' | 'misplaced', number>
}

export const newCounters = (): Counters => ({
  sent: { packets: 0, bytes: 0, messages: 0 },
  received: { packets: 0, bytes: 0, messages: 0 },
  dropped: { offline: 0, backlog: 0, oversize: 0, no_link: 0, not_ready: 0, not_direct: 0, late: 0 },
  faults: { malformed: 0, unknown_message: 0, bad_field: 0, misplaced: 0 },
})
