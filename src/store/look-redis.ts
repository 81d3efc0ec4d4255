/** Looks at a Redis without changing it: for `boson doctor`. */
import { Redis } from 'ioredis'
import type { Clock } from '../kit/clock.js'

export interface RedisLook {
  /** Such as `7.0.15`; null when this user may not ask. */
  readonly version: string | null
  readonly roundTripMs: number
  /** How far its wall clock is ahead of ours, ms, give or take half the round trip. */
  readonly aheadMs: number
}

/** Resolves with what a Redis says; rejects with the reason why it does not. */
export async function lookAtRedis(
  url: string,
  { clock, withinMs }: { readonly clock: Pick<Clock, 'now' | 'wallMs'>; readonly withinMs: number },
): Promise<RedisLook> {
  const redis = new Redis(url, {
    lazyConnect: true,
    commandTimeout: withinMs,
    connectTimeout: withinMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  })
  // `connect` rejects with words that hide the reason; the event has it.
  let reason: Error | undefined
  redis.on('error', (error: Error) => (reason ??= error))
  try {
    await redis.connect()
    await redis.ping()
    const startedMs = clock.now()
    const [seconds = 0, micros = 0] = (await redis.time()).map(Number)
    const roundTripMs = clock.now() - startedMs
    const aheadMs = seconds * 1_000 + micros / 1_000 - (clock.wallMs() - roundTripMs / 2)
    const info = await redis.info('server').catch(() => '')
    return { version: /^redis_version:(\S+)/m.exec(info)?.[1] ?? null, roundTripMs, aheadMs }
  } catch (error) {
    throw reason ?? error
  } finally {
    redis.disconnect()
  }
}
