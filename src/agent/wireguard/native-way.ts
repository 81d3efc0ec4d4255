/**
 * The way off the relay on which no packet passes this process: both WireGuards send to each other by their own
 * sockets. It follows a pair that has proved itself by the agents' sockets, which stay to fall back on.
 *
 *   path.reveal ─▶ WireGuard shows the coordinator by which address its socket is seen
 *   path.punch  ─▶ NativeLink: open the NATs, steer WireGuard, see that it hears its peer, watch it
 */
import type { Clock, Timer } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import type { WireOf } from '../../protocol/messages.js'
import type { LinkWay, OwnFigures, OwnSocket, Peer, Way, WayHost } from '../ports.js'
import { NativeLink } from './native-link.js'

export interface NativeWayOptions {
  readonly clock: Clock
  readonly random: Random
  readonly socket: OwnSocket
  /** WireGuard could not be told something, or not be asked. */
  readonly failed: (error: unknown) => void
}

/** Between two looks at the counters of links that carry, ms: one command for all of them, of a few ms. */
const WATCH_EVERY_MS = 250
/** The same while none of them has traffic. */
const IDLE_WATCH_EVERY_MS = 1_000

export class NativeWay implements Way {
  readonly via = 'wireguard'
  readonly #options: NativeWayOptions
  readonly #links = new Map<number, NativeLink>()
  /** The coordinator's ears that WireGuard shows itself to, and when it ends. */
  readonly #shown = new Map<string, Timer>()
  #looking: Promise<ReadonlyMap<number, OwnFigures>> | null = null
  #watching: Timer | undefined

  constructor(options: NativeWayOptions) {
    this.#options = options
  }

  open(peer: Peer, host: WayHost): LinkWay {
    const link = new NativeLink({
      ...this.#options,
      peer,
      host,
      reveal: word => this.#reveal(word),
      look: () => this.#look(),
      carries: () => this.#watch(WATCH_EVERY_MS),
      closed: () => this.#links.delete(peer.link),
    })
    this.#links.set(peer.link, link)
    return link
  }

  networkChanged(): void {
    for (const link of this.#links.values()) link.networkChanged()
  }

  async stop(): Promise<void> {
    const { clock } = this.#options
    for (const link of this.#links.values()) link.close()
    clock.clearTimeout(this.#watching)
    for (const timer of this.#shown.values()) clock.clearTimeout(timer)
    this.#shown.clear()
  }

  #reveal({ publicKey, endpoint, withinMs }: WireOf<'path.reveal'>): void {
    const { clock, socket, failed } = this.#options
    const key = Buffer.from(publicKey).toString('base64')
    clock.clearTimeout(this.#shown.get(key))
    this.#shown.set(
      key,
      clock.setTimeout(() => {
        this.#shown.delete(key)
        socket.unbeckon(publicKey).catch(failed)
      }, withinMs),
    )
    socket.beckon(publicKey, endpoint).catch(failed)
  }

  /** Links that ask at the same moment share one look. */
  #look(): Promise<ReadonlyMap<number, OwnFigures>> {
    this.#looking ??= this.#options.socket.figures().finally(() => (this.#looking = null))
    return this.#looking
  }

  #watch(everyMs: number): void {
    const { clock } = this.#options
    clock.clearTimeout(this.#watching)
    this.#watching = clock.setTimeout(() => void this.#see(), everyMs)
  }

  async #see(): Promise<void> {
    const carrying = [...this.#links].filter(([, link]) => link.tier !== null)
    if (carrying.length === 0) return
    try {
      const figures = await this.#look()
      for (const [id, link] of carrying) link.see(figures.get(id) ?? null)
    } catch (error) {
      this.#options.failed(error)
    }
    this.#watch(carrying.some(([, link]) => link.isBusy) ? WATCH_EVERY_MS : IDLE_WATCH_EVERY_MS)
  }
}
