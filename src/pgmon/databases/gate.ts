/**
 * Whether it is worth a try to connect. One at a time tries; after a failure nobody does for a while, ever longer, and
 * who asks meanwhile hears at once what was wrong: a server that is away costs one attempt now and then, whoever wants it.
 *
 *   open ──failed──→ shut for 5 s, 10 s, … 60 s ──one tries──→ open, or shut for longer
 */
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import type { ServerFaultCode } from '../ports.js'
import { ServerFault } from './errors.js'

export interface GateOptions {
  readonly clock: Clock
  readonly random: Random
  /** Whether this fault shuts it; others pass through. */
  readonly shutBy: (code: ServerFaultCode) => boolean
}

/** The first wait after a failure, and the longest, ms. */
const FIRST_MS = 5_000
const MAX_MS = 60_000
/** Up to this part of a wait is taken off, so that servers that went together are not asked together. */
const JITTER = 0.25

interface Shut {
  readonly fault: ServerFault
  readonly untilMs: number
  readonly failures: number
}

export class Gate {
  readonly #options: GateOptions
  #shut: Shut | null = null
  #isTrying = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: GateOptions) {
    this.#options = options
  }

  /** Returns why it is shut and for how many ms more; null: it is open. */
  get shut(): { readonly fault: ServerFault; readonly forMs: number } | null {
    const { clock } = this.#options
    return this.#shut && { fault: this.#shut.fault, forMs: Math.max(0, this.#shut.untilMs - clock.now()) }
  }

  /** Returns what whoever wants to pass now is told; null: it may be tried. */
  refusal(): ServerFault | null {
    const { shut } = this
    if (shut === null || (shut.forMs === 0 && !this.#isTrying)) return null
    const { code, message } = shut.fault
    return new ServerFault(code, message, { cause: shut.fault, retryAfterMs: shut.forMs })
  }

  /** Does what connects when nobody else does; rejects at once while the gate is shut. */
  pass<T>(connect: () => Promise<T>): Promise<T> {
    const refusal = this.refusal()
    if (refusal !== null) return Promise.reject(refusal)
    const turn = this.#last.then(() => this.#try(connect))
    this.#last = turn.catch(() => {})
    return turn
  }

  /** Shuts it for a while. What others find out meanwhile is the same failure, and makes it no longer. */
  close(fault: ServerFault): void {
    const { clock, random, shutBy } = this.#options
    if (!shutBy(fault.code) || (this.refusal() !== null && !this.#isTrying)) return
    const failures = (this.#shut?.failures ?? 0) + 1
    const forMs = Math.min(MAX_MS, FIRST_MS * 2 ** (failures - 1)) * (1 - JITTER * random.float())
    this.#shut = { fault, failures, untilMs: clock.now() + forMs }
  }

  open(): void {
    this.#shut = null
  }

  async #try<T>(connect: () => Promise<T>): Promise<T> {
    const refusal = this.refusal()
    if (refusal !== null) throw refusal
    this.#isTrying = true
    try {
      const made = await connect()
      this.open()
      return made
    } catch (error) {
      if (error instanceof ServerFault) this.close(error)
      throw error
    } finally {
      this.#isTrying = false
    }
  }
}
