/**
 * Carries batches over HTTP, for agents that have no session: each kind of record to its page, with a key by which a
 * repeated request counts once.
 */
import type { Carrier, Outcome } from './reporter.js'
import type { Batch } from './spool.js'

export interface HttpCarrierOptions {
  /** Such as `https://mesh.example.org/api`. */
  readonly apiEndpoint: string
  /** The bearer token, read anew for each request. */
  readonly token: () => string
  /** Names the agent in what it reports. */
  readonly agentId: string
  /** An answer may take this long, ms; 10,000. */
  readonly timeoutMs?: number
  readonly fetch?: typeof fetch
}

const TIMEOUT_MS = 10_000

/** Returns what sends batches there. */
export function httpCarrier(options: HttpCarrierOptions): Carrier {
  return async batch => {
    for (const [page, rows] of Object.entries(pagesOf(batch, options.agentId))) {
      if (rows.length === 0) continue
      const outcome = await post(options, page, rows, `${batch.stream}.${batch.seq}.${page}`)
      // The pages before have counted theirs, and count them once.
      if (outcome.outcome !== 'stored') return outcome
    }
    return { outcome: 'stored' }
  }
}

async function post(
  { apiEndpoint, token, timeoutMs = TIMEOUT_MS, fetch: ask = fetch }: HttpCarrierOptions,
  page: string,
  rows: readonly object[],
  key: string,
): Promise<Outcome> {
  let response: Response
  try {
    response = await ask(`${apiEndpoint.replace(/\/+$/, '')}/${page}`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Bearer ${token()}`,
        'Idempotency-Key': key,
      },
      body: JSON.stringify(rows),
      signal: AbortSignal.timeout(timeoutMs),
    })
    await response.arrayBuffer()
  } catch (error) {
    return { outcome: 'later', reason: reasonOf(error) }
  }
  if (response.ok) return { outcome: 'stored' }
  const reason = `HTTP status ${response.status}`
  const waitS = Number(response.headers.get('retry-after') ?? 0)
  const retryAfterMs = Number.isFinite(waitS) && waitS > 0 ? waitS * 1_000 : undefined
  // A token that is over can be replaced, and a limit passes; what is wrong with the rows does not.
  const passes = response.status >= 500 || [401, 403, 408, 429].includes(response.status)
  return passes
    ? { outcome: 'later', reason, ...(retryAfterMs !== undefined && { retryAfterMs }) }
    : { outcome: 'refused', reason }
}

const reasonOf = (error: unknown): string => {
  const { message, cause } = error instanceof Error ? error : new Error(String(error))
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}

function pagesOf({ clients, traffic, logs }: Batch, agentId: string): Record<string, object[]> {
  const at = (ms: number) => new Date(ms).toISOString()
  return {
    clients: clients.map(([ms, ip, userAgent, country, city, countryCode]) => ({
      agentId,
      ip,
      ...known({ userAgent, country, city, countryCode }),
      timestamp: at(ms),
    })),
    statistics: traffic.map(
      ([
        from,
        until,
        resourceType,
        resourceId,
        inboundBytes,
        outboundBytes,
        requests,
        responseTimeMs,
        errors,
      ]) => ({
        agentId,
        resourceType,
        resourceId,
        inboundBytes,
        outboundBytes,
        requests,
        responseTimeMs,
        errors,
        from: at(from),
        timestamp: at(until),
      }),
    ),
    logs: logs.map(([ms, level, message, details, metadata]) => ({
      agentId,
      level,
      message,
      ...known({ details, metadata: metadata === null ? null : (JSON.parse(metadata) as unknown) }),
      timestamp: at(ms),
    })),
  }
}

const known = (fields: Record<string, unknown>): object =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
