/**
 * What each server tells of itself, at most 5 s old. Everybody who asks meanwhile is told the same: however many watch a
 * server, it is asked once. One that hangs keeps only those waiting who ask for it.
 */
import type { Looks, Server } from '../ports.js'
import { Eye, type EyeOptions } from './eye.js'
import type { ServerStats } from './forms.js'
import { nothingOf } from './stats.js'

export type LooksOptions = Omit<EyeOptions, 'looked'>
type Hear = Parameters<Looks['onLook']>[0]

export class ServerLooks implements Omit<Looks, 'refresh'> {
  readonly #options: LooksOptions
  readonly #eyes = new Map<number, Eye>()
  readonly #hearers = new Set<Hear>()

  constructor(options: LooksOptions) {
    this.#options = options
  }

  async stats(server: Server): Promise<ServerStats> {
    if (!server.isEnabled) return this.#disabled(server)
    return await this.#eyeOf(server).stats()
  }

  last(serverId: number): ServerStats | null {
    return this.#eyes.get(serverId)?.last ?? null
  }

  onLook(hear: Hear): () => void {
    this.#hearers.add(hear)
    return () => this.#hearers.delete(hear)
  }

  /** Returns for how long what was last seen is told again, and the server not asked, ms. */
  freshForMs(serverId: number): number {
    return this.#eyes.get(serverId)?.freshForMs ?? 0
  }

  /** Forgets what a server told: it is gone, or another one now. */
  forget(serverId: number): void {
    this.#eyes.delete(serverId)
  }

  #eyeOf(server: Server): Eye {
    const { serverId, revision } = server
    const known = this.#eyes.get(serverId)
    if (known !== undefined && known.server.revision === revision) return known
    // What was counted at another address says nothing about this one.
    const eye = new Eye(server, {
      ...this.#options,
      looked: (...look) => this.#hear(eye, look),
    })
    this.#eyes.set(serverId, eye)
    return eye
  }

  #disabled(server: Server): ServerStats {
    const { clock, kindOf } = this.#options
    const moment = { checkedAtMs: clock.wallMs(), tookMs: null }
    return nothingOf(server, kindOf(server), { status: 'disabled', fault: null }, moment)
  }

  /** What is seen of a server that has been changed meanwhile is told to who asked for it, and to nobody else. */
  #hear(eye: Eye, look: Parameters<Hear>): void {
    if (this.#eyes.get(eye.server.serverId) !== eye) return
    for (const hear of this.#hearers) {
      try {
        hear(...look)
      } catch (error) {
        this.#options.failed(eye.server, error)
      }
    }
  }
}
