/** A GET endpoint that somebody keeps an eye on. Only answers that differ from the last one are told. */
import { hash } from 'node:crypto'
import type { Reply } from '../../http/reply.js'
import { encoded } from './answer.js'
import type { Look } from './looks.js'

export interface WatchOptions {
  readonly watchId: number
  readonly everyMs: number
  readonly ask: () => Reply | Promise<Reply>
  readonly isBehind: () => boolean
  /** Whether somebody still wants to know. */
  readonly isWanted: (watch: Watch) => boolean
  readonly send: (bytes: Uint8Array) => void
  /** Our own code threw. */
  readonly failed: (error: unknown) => void
  readonly now: () => number
  readonly wallMs: () => number
}

/** Looking more often than this shows nobody more, ms. */
const EVERY_MIN_MS = 100

export class Watch implements Look {
  readonly everyMs: number
  readonly #options: WatchOptions
  /** Of what was told last: the answers themselves may be megabytes. */
  #told = ''

  constructor(options: WatchOptions) {
    this.#options = options
    this.everyMs = Math.max(EVERY_MIN_MS, options.everyMs)
  }

  isBehind(): boolean {
    return this.#options.isBehind()
  }

  async look(): Promise<number | null> {
    const { ask, now, failed } = this.#options
    try {
      const answer = ask()
      if (!(answer instanceof Promise)) return this.#see(answer) ? 0 : null
      const reply = await answer
      const beganMs = now()
      return this.#see(reply) ? now() - beganMs : null
    } catch (error) {
      failed(error)
      return null
    }
  }

  #see(reply: Reply): boolean {
    const { watchId, isWanted, send, wallMs } = this.#options
    if (!isWanted(this)) return false
    const view = encoded(reply, answer => ({ type: 'operator.view', watchId, ...answer, atMs: 0 }))
    const told = hash('sha1', view, 'base64')
    if (told === this.#told) return true
    this.#told = told
    send(stamped(view, wallMs()))
    return true
  }
}

/** Returns a view with its time: the last field, which was written as 0, one byte, so that equal views are equal bytes. */
export function stamped(view: Uint8Array, atMs: number): Uint8Array {
  const whole = new Uint8Array(view.length + 8)
  whole.set(view)
  whole[view.length - 1] = FLOAT64
  new DataView(whole.buffer).setFloat64(view.length, atMs)
  return whole
}
const FLOAT64 = 0xcb
