/** Counters of the traffic of resources. What was read is off the counters only when it is kept elsewhere. */
import type { ResourceType, TrafficSeen } from './records.js'

/** What is added to a resource; what is left out is none. */
export interface TrafficStep {
  readonly inboundBytes?: number
  readonly outboundBytes?: number
  readonly requests?: number
  /** Of all those requests together, ms. */
  readonly responseTimeMs?: number
  readonly errors?: number
}

interface Counters {
  inboundBytes: number
  outboundBytes: number
  requests: number
  responseTimeMs: number
  errors: number
}

export class TrafficCounters {
  readonly #resources = new Map<string, Counters & { readonly type: ResourceType; readonly id: string }>()
  #fromMs: number

  constructor(nowMs: number) {
    this.#fromMs = nowMs
  }

  add(type: ResourceType, id: string, step: TrafficStep): void {
    const key = `${type} ${id}`
    let counters = this.#resources.get(key)
    if (counters === undefined) {
      counters = { type, id, inboundBytes: 0, outboundBytes: 0, requests: 0, responseTimeMs: 0, errors: 0 }
      this.#resources.set(key, counters)
    }
    for (const name of ['inboundBytes', 'outboundBytes', 'requests', 'responseTimeMs', 'errors'] as const)
      counters[name] += step[name] ?? 0
  }

  /**
   * Gives each resource that had requests to `keep`, and begins anew with it. One without requests counts on: its
   * bytes belong to the request that is under way.
   */
  take(nowMs: number, keep: (seen: TrafficSeen) => void): void {
    for (const [key, { type, id, responseTimeMs, ...counters }] of this.#resources) {
      if (counters.requests === 0) continue
      keep({
        resourceType: type,
        resourceId: id,
        fromMs: this.#fromMs,
        untilMs: nowMs,
        ...counters,
        responseTimeMs: Math.round(responseTimeMs / counters.requests),
      })
      this.#resources.delete(key)
    }
    this.#fromMs = nowMs
  }
}
