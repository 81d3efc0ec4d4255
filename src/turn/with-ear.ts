/**
 * A relay of somebody else's with STUN of our own beside it: whoever relays, we see the Binding requests that
 * show what a NAT does, and what else comes to the port.
 */
import type { EmbeddedTurn } from './embedded.js'
import type { IceServer, TurnEndpoints, TurnHealth, TurnService, TurnStats } from './service.js'

export class TurnWithEar implements TurnService {
  readonly #relay: TurnService
  readonly #ear: EmbeddedTurn

  constructor(relay: TurnService, ear: EmbeddedTurn) {
    this.#relay = relay
    this.#ear = ear
  }

  issueCredentials(id: string): readonly IceServer[] {
    return this.#relay.issueCredentials(id)
  }

  endpoints(): TurnEndpoints {
    return { ...this.#relay.endpoints(), probed: this.#ear.endpoints().probed }
  }

  health(): Promise<TurnHealth> {
    return this.#relay.health()
  }

  drain(withinMs: number): Promise<void> {
    return this.#relay.drain(withinMs)
  }

  stats(): TurnStats {
    const { bindings, strays, refused } = this.#ear.stats()
    return { ...this.#relay.stats(), bindings, strays, refused }
  }

  review(): void {
    this.#relay.review()
  }

  certificateChanged(): void {
    this.#relay.certificateChanged()
  }

  async stop(): Promise<void> {
    await Promise.all([this.#relay.stop(), this.#ear.stop()])
  }
}
