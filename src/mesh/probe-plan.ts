/** What an agent is asked to try, so that its report and what arrives here can be laid side by side. */
import type { Random } from '../kit/random.js'
import type { WireOf } from '../protocol/messages.js'

/** One for each server of a plan, and as many again for tests beside the mapping. */
const IDS = 16
const ID_BYTES = 12
/** The wire's bound. */
const SERVERS_MAX = 8

export interface PlanOptions {
  readonly planId: number
  /** STUN URIs, the first one first. */
  readonly servers: readonly string[]
  readonly random: Random
}

export function planProbe({ planId, servers, random }: PlanOptions): WireOf<'probe.plan'> {
  return {
    type: 'probe.plan',
    planId,
    servers: servers.slice(0, SERVERS_MAX),
    transactionIds: Array.from({ length: IDS }, () => random.bytes(ID_BYTES)),
  }
}
