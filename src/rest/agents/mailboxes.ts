/**
 * All mailboxes: one for each agent that speaks HTTP and was heard lately. Their sessions live by heartbeats like any
 * other; this is who sends them, for as long as the agent's last request speaks for it.
 */
import type { Hello, IdentityId, IdentityView, MeshApi, Vouch } from '../../actors/ports.js'
import { conflict, HttpError } from '../../http/faults.js'
import type { Clock } from '../../kit/clock.js'
import { Deadlines } from '../../kit/deadlines.js'
import type { Wire, WireOf } from '../../protocol/messages.js'
import { isDegraded, metricsOf } from './gauges.js'
import { Mailbox } from './mailbox.js'
import { Inbox, Postroom } from '../packets/inbox.js'
import { refused } from './refused.js'
import type { HttpTiming } from './timing.js'

export interface MailboxesOptions {
  readonly clock: Clock
  readonly mesh: Pick<MeshApi, 'enter' | 'identity'>
  readonly timing: HttpTiming
  /** How often a session is heard, ms. */
  readonly beatEveryMs: number
  /** An agent has its session by this mailbox, and no more. */
  readonly opened: (box: Mailbox) => void
  readonly closed: (box: Mailbox) => void
}

/** Mailboxes in all; each takes about 2 KB. More agents than this want a WebSocket. */
const MAILBOXES_MAX = 50_000
const RETRY_AFTER_S = 5

export class Mailboxes {
  /** Packets that wait in any of them. */
  readonly postroom = new Postroom()
  readonly #options: MailboxesOptions
  readonly #boxes = new Map<IdentityId, Mailbox>()
  /** Agents whose session begins anew by a request that found none. */
  readonly #returning = new Map<IdentityId, Promise<Mailbox>>()
  readonly #beats: Deadlines<Mailbox>

  constructor(options: MailboxesOptions) {
    this.#options = options
    this.#beats = new Deadlines(options.clock, box => this.#speakFor(box))
  }

  get size(): number {
    return this.#boxes.size
  }

  of(id: IdentityId): Mailbox | undefined {
    return this.#boxes.get(id)
  }

  /** Resolves with the mailbox of a new session; rejects with what the mesh, or a limit, has against it. */
  async enter(hello: Hello, vouch: Vouch, remote: string): Promise<Mailbox> {
    if (this.#boxes.size >= MAILBOXES_MAX && !this.#boxes.has(hello.id))
      throw new HttpError(503, 'overloaded', 'too many agents speak HTTP now', {
        'Retry-After': String(RETRY_AFTER_S),
      })
    const { clock, mesh } = this.#options
    const box: Mailbox = new Mailbox({
      clock,
      id: hello.id,
      role: hello.role,
      remote,
      inbox: new Inbox(clock, this.postroom),
      ended: () => this.#forget(box),
    })
    const answer = box.answer(isAdmission)
    box.opened(mesh.enter(box, hello, vouch))
    const told = await answer
    if (told.type === 'refused') throw refused(told)
    if (box.isClosed) throw conflict(`${hello.id} was taken over by a newer session`)
    this.#boxes.set(hello.id, box)
    this.#options.opened(box)
    this.heard(box)
    return box
  }

  /**
   * Resolves with the mailbox of an agent whose token was verified; after a restart of the coordinator, or a long silence,
   * that is a new one. Rejects with a 409 when the agent has a WebSocket by now.
   */
  async at(id: IdentityId, remote: string): Promise<Mailbox> {
    const box = this.#boxes.get(id)
    if (box !== undefined) return box
    const identity = this.#options.mesh.identity(id)
    if (identity === null) throw new HttpError(404, 'not_found', `nobody has enrolled as ${id}`)
    const returning = this.#returning.get(id)
    if (returning !== undefined) return returning
    if (identity.state === 'online' || identity.state === 'lapsed')
      throw conflict(`${id} is connected by WebSocket: register to go on over HTTP`)
    // An agent may ask for several things at once; none of them is to take its session over from the other.
    const entering = this.enter(helloOf(identity), { by: 'token' }, remote)
    this.#returning.set(id, entering)
    return entering.finally(() => this.#returning.delete(id))
  }

  /** A request of the agent: it is spoken for anew, and what it told is told on. */
  heard(box: Mailbox): void {
    const { clock, timing } = this.#options
    const goodForS = box.role === 'node' ? timing.heartbeatGoodForS : timing.clientKeptS
    box.heardAtMs = clock.wallMs()
    box.goodUntilMs = clock.now() + goodForS * 1_000
    this.#beat(box)
  }

  /** Returns within how many seconds the agent should be heard again. */
  nextHeartbeatS(box: Mailbox): number {
    const { heartbeatEveryS, degradedHeartbeatEveryS } = this.#options.timing
    const isUnwell = box.said === 'degraded' || isDegraded(metricsOf(box.gauges))
    if (isUnwell) return degradedHeartbeatEveryS
    return Math.min(heartbeatEveryS, box.wishedEveryS ?? heartbeatEveryS)
  }

  /** Ends the session as its agent wishes. */
  dismiss(box: Mailbox, reason: string): void {
    box.say({ type: 'goodbye', reason })
  }

  /** Speaks for nobody any more; the sessions wait for their agents as after any lost socket. */
  stop(): void {
    this.#beats.stop()
    for (const { inbox, links } of this.#boxes.values()) {
      inbox.close()
      links.close()
    }
  }

  #speakFor(box: Mailbox): void {
    if (this.#options.clock.now() <= box.goodUntilMs) return this.#beat(box)
    // A node that fell silent may come back to its routes. A client that did so has no use for its route.
    if (box.role === 'client') this.dismiss(box, 'nothing was heard of the client for too long')
  }

  #beat(box: Mailbox): void {
    box.beat()
    this.#beats.set(box, this.#options.beatEveryMs)
  }

  #forget(box: Mailbox): void {
    this.#beats.clear(box)
    if (this.#boxes.get(box.id) !== box) return
    this.#boxes.delete(box.id)
    this.#options.closed(box)
  }
}

type Admission = WireOf<'registered'> | WireOf<'refused'>

const isAdmission = (event: Wire): event is Admission =>
  event.type === 'registered' || event.type === 'refused'

/** Returns what an identity says of itself when it begins again; by HTTP it can do nothing about leaving the relay. */
function helloOf({ id, role, publicKey, profile }: IdentityView): Hello {
  const known = Object.entries(profile).filter(([, value]) => value !== null)
  return { ...(Object.fromEntries(known) as Pick<Hello, 'agent'>), id, role, publicKey, can: [] } // fields of the same names
}
