/**
 * Carries the deliveries of one webhook. Each webhook has a courier of its own: a receiver that hangs keeps nobody
 * waiting but itself.
 */
import { call } from '../../http/call.js'
import type { Destinations } from '../../http/destination.js'
import { type BackoffOptions, backoffMs } from '../../kit/backoff.js'
import type { Clock, Timer } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import type { Attempt, AttemptOutcome, AttemptResult, Deliveries } from './deliveries.js'
import { bodyOf } from './events.js'
import type { DeliveryCounts } from './figures.js'
import { signature } from './signature.js'
import type { Subscriptions } from './subscriptions.js'
import type { WebhookTiming } from './timing.js'

export interface CourierOptions {
  readonly clock: Clock
  readonly random: Random
  readonly serverId: string
  readonly deliveries: Deliveries
  readonly subscriptions: Subscriptions
  readonly destinations: Destinations
  readonly timing: WebhookTiming
  readonly counts: DeliveryCounts
  /** Called after every failure: nothing has arrived since then. */
  readonly failed: (sinceMs: number) => void
  readonly debug: (fields: object, message: string) => void
}

/** Attempts at one receiver at once. */
const AT_ONCE = 4
/** When a database that is away is asked again, ms. */
const AWAY_MS = 2_000
/** Only the status of an answer counts; what is read beside it is forgotten, bytes. */
const ANSWER_MAX = 64 * 1024
/** However much there is to wait for: another coordinator may have left something, ms. */
const LOOK_MS = 30_000

export class Courier {
  readonly #id: string
  readonly #options: CourierOptions
  readonly #underway = new Set<Promise<void>>()
  #timer: Timer | undefined
  #looking: Promise<void> | null = null
  #again = false
  #stopped = false

  constructor(id: string, options: CourierOptions) {
    this.#id = id
    this.#options = options
  }

  /** There may be something to deliver. */
  wake(): void {
    this.#again = true
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
      if (this.#again) this.wake()
    })
  }

  /** Resolves when the attempts that are underway have ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#options.clock.clearTimeout(this.#timer)
    await this.#looking
    await Promise.all(this.#underway)
  }

  async #look(): Promise<void> {
    const { clock, deliveries, timing } = this.#options
    this.#again = false
    clock.clearTimeout(this.#timer)
    const free = AT_ONCE - this.#underway.size
    if (this.#stopped || free <= 0) return
    try {
      const nowMs = clock.wallMs()
      const attempts = await deliveries.claim(this.#id, free, nowMs, nowMs + timing.leaseMs)
      for (const attempt of attempts) this.#start(attempt)
      // Whoever ends first looks again.
      if (attempts.length === free) return
      this.#lookIn(((await deliveries.nextDueMs(this.#id)) ?? Number.POSITIVE_INFINITY) - clock.wallMs())
    } catch (error) {
      this.#options.debug({ err: error, webhook: this.#id }, 'deliveries could not be looked for')
      this.#lookIn(AWAY_MS)
    }
  }

  #lookIn(ms: number): void {
    if (!this.#stopped)
      this.#timer = this.#options.clock.setTimeout(() => this.wake(), Math.min(LOOK_MS, Math.max(0, ms)))
  }

  #start(attempt: Attempt): void {
    const carried = this.#carry(attempt)
      .catch(error =>
        // The lease runs out, and it is attempted again: receivers know an event by its id.
        this.#options.debug({ err: error, seq: attempt.seq }, 'the outcome of a delivery could not be kept'),
      )
      .finally(() => {
        this.#underway.delete(carried)
        if (!this.#stopped) this.wake()
      })
    this.#underway.add(carried)
  }

  async #carry(attempt: Attempt): Promise<void> {
    const { clock, deliveries, subscriptions, counts } = this.#options
    const result = await this.#attempt(attempt)
    const nowMs = clock.wallMs()
    const outcome = this.#outcomeOf(attempt, result, nowMs)
    counts.attempted(outcome.status, result.durationMs)
    await deliveries.settle(attempt, outcome, result, nowMs)
    const failingSinceMs = subscriptions.of(this.#id)?.failingSinceMs ?? null
    if (result.error === null) {
      if (failingSinceMs !== null) await subscriptions.failing(this.#id, null)
      return
    }
    if (failingSinceMs === null) await subscriptions.failing(this.#id, nowMs)
    else this.#options.failed(failingSinceMs)
  }

  #outcomeOf({ attempt, createdAtMs }: Attempt, { error }: AttemptResult, nowMs: number): AttemptOutcome {
    const { random, timing } = this.#options
    if (error === null) return { status: 'delivered' }
    if (nowMs - createdAtMs >= timing.giveUpMs) return { status: 'failed' }
    const backoff: BackoffOptions = { firstMs: timing.firstRetryMs, maxMs: timing.maxRetryMs }
    return { status: 'waiting', dueAtMs: nowMs + Math.ceil(backoffMs(attempt - 1, random, backoff)) }
  }

  async #attempt(attempt: Attempt): Promise<AttemptResult> {
    const { clock } = this.#options
    const beganMs = clock.now()
    const durationMs = () => Math.round((clock.now() - beganMs) * 10) / 10
    try {
      const responseStatus = await this.#send(attempt)
      return { responseStatus, error: complaintAt(responseStatus), durationMs: durationMs() }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return { responseStatus: null, error: message.slice(0, 256), durationMs: durationMs() }
    }
  }

  async #send({ seq, attempt, event }: Attempt): Promise<number> {
    const { clock, destinations, subscriptions, serverId, timing } = this.#options
    const webhook = subscriptions.of(this.#id)
    if (webhook === undefined) throw new Error('the webhook was deleted')
    const secrets = subscriptions.secretsOf(this.#id)
    if (secrets.length === 0) throw new Error('its secret cannot be opened: rotate it')
    const body = bodyOf(event, serverId)
    const { status } = await call(clock, destinations, {
      method: 'POST',
      url: new URL(webhook.url),
      body,
      timeoutMs: timing.timeoutMs,
      answerMax: ANSWER_MAX,
      headers: {
        'Content-Type': 'application/json; charset=utf-8',
        'User-Agent': 'BosonServer',
        'Boson-Signature': signature(secrets, body, clock.wallMs()),
        'Boson-Event-Id': event.id,
        'Boson-Event-Type': event.type,
        'Boson-Delivery-Id': deliveryId(seq),
        'Boson-Attempt': String(attempt),
      },
    })
    return status
  }
}

export const deliveryId = (seq: number): string => `dlv_${String(seq).padStart(10, '0')}`

function complaintAt(status: number): string | null {
  if (status >= 200 && status < 300) return null
  if (status >= 300 && status < 400) return `it answered ${status}: redirects are not followed`
  return `it answered ${status}`
}
