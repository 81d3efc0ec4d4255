/** A client: asks for a node, and keeps one. */
import { type Actor, createActor } from 'xstate'
import type { Wire } from '../protocol/messages.js'
import { actorClock } from './actor-clock.js'
import { checkFields } from './check.js'
import { AgentError, RouteRefusedError } from './errors.js'
import { MeshAgent, type MeshAgentEvents, type MeshAgentOptions } from './mesh-agent.js'
import { routeWith } from './route.effects.js'
import type { Route, routeMachine, RouteWish, SwitchCause } from './route.machine.js'

export type MeshClientOptions = MeshAgentOptions

export interface MeshClientEvents extends MeshAgentEvents {
  /** A route carries: both of its ends are set up. Comes again whenever it has moved. */
  route: Route
  /** The route moved to another node by itself. */
  switched: { readonly from: Route | null; readonly to: Route; readonly cause: SwitchCause }
  /** There is no node now; the client asks again until it has one. */
  lost: { readonly route: Route | null; readonly reason: string }
}

export interface RouteOptions {
  /** Waits for a node to come when there is none now, instead of being refused. */
  readonly patient?: boolean
}

/** Who waits for a route. */
interface Waiting {
  resolve(route: Route): void
  reject(error: Error): void
}

/**
 * A client of the mesh.
 *
 *   const client = new MeshClient({ url: 'https://mesh.example', id: 'alice', privateKey, credential })
 *   await client.start()
 *   await client.route({ country: 'DE' })
 *   client.on('packet', ({ packet }) => …)
 *   client.send(packet)
 */
export class MeshClient extends MeshAgent<MeshClientEvents> {
  readonly #route: Actor<typeof routeMachine>
  /** Where packets go until the newest route carries. */
  #carrying: Route | null = null
  #waiting: Waiting | null = null

  constructor(options: MeshClientOptions) {
    super('client', options)
    this.#route = createActor(
      routeWith({
        send: event => this.say(event),
        tell: {
          carrying: route => this.#carry(route),
          switched: (from, to, cause) => this.emitter.emit('switched', { from, to, cause }),
          lost: (route, reason) => {
            this.#carrying = null
            this.emitter.emit('lost', { route, reason })
          },
          refused: ({ code, reason, unmet, retryAfterMs }) => {
            this.#carrying = null
            this.#settle(new RouteRefusedError(code, reason, unmet, retryAfterMs ?? null))
          },
        },
      }),
      { input: { timing: this.timing, random: this.random }, clock: actorClock(this.clock) },
    ).start()
  }

  /**
   * Asks for a node that meets every requirement of `wish`; resolves when its route carries packets. Rejects
   * with a RouteRefusedError that names what could not be met, unless told to be patient. From then on the
   * client keeps a route, whatever happens to the node, until `release`. A route that is held carries on until
   * the new one does; when the new one is refused, there is none.
   */
  route(wish: RouteWish = {}, { patient = false }: RouteOptions = {}): Promise<Route> {
    checkFields('route.request', { requestId: 0, ...wish })
    this.#settle(new AgentError('STOPPED', 'another route was asked for'))
    const route = new Promise<Route>((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
    // Whoever only listens to the events need not wait for the promise.
    route.catch(() => {})
    this.#route.send({ type: 'ask', wish, patient })
    return route
  }

  /** Gives the route up. */
  release(): void {
    this.#settle(new AgentError('STOPPED', 'the route was released'))
    this.#carrying = null
    this.#route.send({ type: 'release' })
  }

  /** The route that carries packets now; null when none does. */
  get current(): Route | null {
    return this.#carrying
  }

  /**
   * Sends a packet to the node of the current route; the bytes are copied. Returns false when there is none.
   * Packets are datagrams: they may be lost. Throws when the client was given a tunnel, whose packets they are.
   */
  send(packet: Uint8Array): boolean {
    if (this.datagrams === null)
      throw new AgentError('BAD_OPTION', 'packets belong to the tunnel of this client')
    return this.#carrying !== null && this.datagrams.send(this.#carrying.link, packet)
  }

  override async stop(options: { readonly leave?: boolean } = {}): Promise<void> {
    this.#settle(new AgentError('STOPPED', 'the client was stopped'))
    this.#carrying = null
    this.#route.send({ type: 'forget' })
    await super.stop(options)
  }

  protected override hear(event: Wire): void {
    switch (event.type) {
      case 'route.refused':
        this.#route.send(event)
        return
      case 'route.assigned':
      case 'route.switched':
        this.#route.send(event)
        // The answer may be a route that stands: its link is settled, and nobody will say so again.
        if (this.links.get(event.link)?.settled) this.#route.send({ type: 'link.settled', link: event.link })
        return
      default:
        super.hear(event)
    }
  }

  protected override stood(links: readonly number[]): void {
    this.#route.send({ type: 'session.stood', links })
  }

  protected override fell(): void {
    this.#route.send({ type: 'session.lost' })
  }

  protected override settled(link: number): void {
    // What only waits for a direct way carries nothing yet: the route before does, as long as its link is there.
    const isWaiting = this.links.get(link)?.state === 'waiting'
    if (isWaiting && this.#carrying !== null && this.#carrying.link !== link) return
    this.#route.send({ type: 'link.settled', link })
  }

  protected override unlinked(link: number, reason: string): void {
    const wasCarrying = this.#carrying?.link === link
    if (wasCarrying) this.#carrying = null
    this.#route.send({ type: 'link.closed', link, reason })
    const next = this.#route.getSnapshot().context.route
    if (wasCarrying && next !== null && this.links.get(next.link)?.settled) this.settled(next.link)
  }

  #carry(route: Route): void {
    this.#carrying = route
    this.emitter.emit('route', route)
    this.#settle(route)
  }

  #settle(outcome: Route | Error): void {
    const waiting = this.#waiting
    this.#waiting = null
    if (outcome instanceof Error) waiting?.reject(outcome)
    else waiting?.resolve(outcome)
  }
}
