/** What an agent is asked to try, so that its report and what arrives here can be laid side by side. */
import type { Random } from '../kit/random.js'
import type { WireOf } from '../protocol/messages.js'

/** One for each server of a plan, as many again for tests beside the mapping, and those of the lifetime. */
const IDS = 20
const ID_BYTES = 12
/** The wire's bound. */
const SERVERS_MAX = 8

export interface PlanOptions {
  readonly planId: number
  /** STUN URIs, the first one first. */
  readonly servers: readonly string[]
  /** Ask also how long an idle mapping lives, up to this, s; 0: do not. */
  readonly lifetimeS: number
  readonly random: Random
}

/** After how many idle seconds a mapping is tried: from what the shortest-lived are given to what RFC 4787 wants. */
const SILENCES_S = [15, 30, 60, 120] as const

export function planProbe({ planId, servers, lifetimeS, random }: PlanOptions): WireOf<'probe.plan'> {
  return {
    type: 'probe.plan',
    planId,
    servers: servers.slice(0, SERVERS_MAX),
    transactionIds: Array.from({ length: IDS }, () => random.bytes(ID_BYTES)),
    ...(lifetimeS > 0 && { lifetimeS }),
  }
}

/** A socket asks with this id, and is idle for so long, s. */
export interface Silence<Id> {
  readonly id: Id
  readonly silenceS: number
}

/** Returns what the ids of a plan are for: the last ones for silences, when it asks for the lifetime. */
export function sharedOut<Id>(
  ids: readonly Id[],
  lifetimeS = 0,
): { readonly tests: readonly Id[]; readonly silences: readonly Silence<Id>[] } {
  if (lifetimeS === 0) return { tests: ids, silences: [] }
  const last = ids.slice(-SILENCES_S.length)
  return {
    tests: ids.slice(0, -SILENCES_S.length),
    silences: SILENCES_S.flatMap((silenceS, i) => {
      const id = last[i]
      return id === undefined || silenceS > lifetimeS ? [] : [{ id, silenceS }]
    }),
  }
}
