/**
 * Calms what comes and goes. Who came or went is held for a moment; when that is over, receivers are told where it stands,
 * if that is not where they were told it stands.
 *
 *   offline … online … offline    →  offline, once
 *   offline … online              →  nothing
 *
 * Nothing of an older generation passes after a newer one.
 */
import type { Clock } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import { type MeshEvent, presenceOf } from './events.js'
import type { Told } from './told.js'

export interface DamperOptions {
  readonly clock: Clock
  /** How long it is held, ms; counted from the first, so that whoever flaps for ever is told of in the end. */
  readonly holdMs: number
  readonly told: Told
  readonly pass: (event: MeshEvent) => void
}

export class Damper {
  /** Events that told nothing new. */
  damped = 0
  readonly #options: DamperOptions
  readonly #held = new Map<string, MeshEvent>()
  readonly #due: Deadlines<string>

  constructor(options: DamperOptions) {
    this.#options = options
    this.#due = new Deadlines(options.clock, subject => this.#release(subject))
  }

  take(event: MeshEvent): void {
    if (presenceOf(event) === null) return this.#pass(event)
    const { subject } = event
    if (this.#held.has(subject)) this.damped++
    else this.#due.set(subject, this.#options.holdMs)
    this.#held.set(subject, event)
  }

  /** Holds nothing any longer. */
  flush(): void {
    for (const subject of this.#held.keys()) this.#release(subject)
    this.#due.stop()
  }

  #release(subject: string): void {
    const event = this.#held.get(subject)
    if (event === undefined) return
    this.#held.delete(subject)
    this.#due.clear(subject)
    if (presenceOf(event) === this.#options.told.presenceOf(subject)) this.damped++
    else this.#pass(event)
  }

  #pass(event: MeshEvent): void {
    const { told, pass } = this.#options
    if (told.isStale(event)) {
      this.damped++
      return
    }
    told.note(event)
    pass(event)
  }
}
