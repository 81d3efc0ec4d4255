/** A connection to Redis that never waits for long and never queues: away means an error at once. */
import { Redis } from 'ioredis'
import { type Clock, systemClock } from '../kit/clock.js'
import type { StoreLog } from './log.js'

export interface RedisOptions {
  /** `redis://…` or `rediss://…`. */
  readonly url: string
  readonly log: StoreLog
  readonly clock?: Pick<Clock, 'now'>
}

export interface RedisLink {
  /** A round trip, ms. */
  ping(): Promise<number>
  close(): void
}

/** How long a command, and a connection attempt, may take, ms. */
const COMMAND_TIMEOUT_MS = 1_000
const CONNECT_TIMEOUT_MS = 2_000
/** Longest wait between two attempts to connect, ms. */
const RETRY_MAX_MS = 5_000

/** Begins to connect and goes on trying; until it is there, commands are refused at once. */
export function openRedis({ url, log, clock = systemClock }: RedisOptions): RedisLink {
  const redis = new Redis(url, {
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: attempts => Math.min(RETRY_MAX_MS, 100 * 2 ** Math.min(attempts, 10)),
  })
  // Once for each absence: every attempt fails with an error of its own.
  let away = false
  redis.on('error', (error: Error) => {
    if (!away) log.warn({ reason: error.message }, 'Redis is away')
    away = true
  })
  redis.on('ready', () => {
    if (away) log.info({}, 'Redis is back')
    away = false
  })
  return {
    async ping() {
      const startedMs = clock.now()
      await redis.ping()
      return clock.now() - startedMs
    },
    close: () => redis.disconnect(),
  }
}
