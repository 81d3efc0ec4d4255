/** How much is logged: as the settings say, or otherwise for a while. */
import type { Clock, Timer } from '../kit/clock.js'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const
export type LogLevelName = (typeof LOG_LEVELS)[number]

/** What has a level that can be set; pino fits. */
export interface Leveled {
  level: string
}

export interface LogLevelView {
  /** The least important lines that are written now. */
  readonly level: string
  /** As the settings say. */
  readonly usual: string
  /** When it is as the settings say again, ms since 1970 UTC; null: it is. */
  readonly untilMs: number | null
}

export class LogLevel {
  readonly #clock: Clock
  readonly #log: Leveled
  #usual: string
  #untilMs: number | null = null
  #timer: Timer | undefined

  constructor(clock: Clock, log: Leveled) {
    this.#clock = clock
    this.#log = log
    this.#usual = log.level
  }

  get view(): LogLevelView {
    return { level: this.#log.level, usual: this.#usual, untilMs: this.#untilMs }
  }

  /** Writes lines of this level and above for so long, ms; the last word counts. */
  set(level: LogLevelName, forMs: number): void {
    this.#clock.clearTimeout(this.#timer)
    this.#log.level = level
    this.#untilMs = this.#clock.wallMs() + forMs
    this.#timer = this.#clock.setTimeout(() => this.reset(), forMs)
  }

  /** Writes lines of this level and above from now on, but for what holds for a while. */
  usually(level: string): void {
    this.#usual = level
    if (this.#untilMs === null) this.#log.level = level
  }

  /** Returns to what the settings say. */
  reset(): void {
    this.#clock.clearTimeout(this.#timer)
    this.#log.level = this.#usual
    this.#untilMs = null
  }
}
