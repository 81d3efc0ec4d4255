/** Reports over the session: the wire's batches, numbered by their stream. */
import type { IdentityId, ReportBatch, TakeReports } from '../actors/ports.js'
import type { Clock } from '../kit/clock.js'
import { type Batch, boundedMean, canonicalIp, clamped, clean, served } from './batch.js'
import type { Intake } from './intake.js'

/** Returns what takes the batches of sessions. */
export const sessionDoor =
  (intake: Pick<Intake, 'take'>, clock: Pick<Clock, 'wallMs'>): TakeReports =>
  async (from, batch) => {
    const taken = await intake.take(batchOf(from, batch, clock.wallMs()))
    if (taken.outcome === 'stored') return { outcome: 'stored' }
    return taken.outcome === 'later'
      ? { outcome: 'later', reason: taken.reason, retryAfterMs: taken.retryAfterMs }
      : { outcome: 'refused', reason: taken.reason }
  }

function batchOf(agentId: IdentityId, wire: ReportBatch, nowMs: number): Batch {
  const { stream, seq, dropped } = wire
  return {
    reporter: agentId,
    once: { by: 'seq', stream, seq },
    dropped,
    clients: wire.clients.flatMap(([atMs, address, userAgent, country, city, countryCode]) => {
      const ip = canonicalIp(address)
      // What cannot be an address is nobody: the rest of the batch counts.
      if (ip === null) return []
      return {
        agentId,
        atMs: clamped(atMs, nowMs),
        ip,
        userAgent: clean(userAgent ?? ''),
        country: country ?? null,
        city: city ?? null,
        countryCode: countryCode ?? null,
      }
    }),
    traffic: served(
      wire.traffic.map(
        ([, untilMs, resourceType, resourceId, inbound, outbound, requests, mean, errors]) => ({
          agentId,
          atMs: clamped(untilMs, nowMs),
          resourceType,
          resourceId,
          inboundBytes: inbound,
          outboundBytes: outbound,
          requests,
          responseTimeMs: boundedMean(mean),
          errors,
        }),
      ),
    ),
    logs: wire.logs.map(([atMs, level, message, details, metadata]) => ({
      agentId,
      atMs: clamped(atMs, nowMs),
      level,
      message: clean(message),
      details: clean(details ?? ''),
      metadata: metadata == null ? null : clean(metadata),
    })),
  }
}
