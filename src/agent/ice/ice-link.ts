/**
 * One link by ICE. A new attempt runs beside the connection that carries; the older one is closed when the
 * newer one has proved itself.
 *
 *   punch ─▶ trying ── opened, checked ─▶ carrying ── silent, closed ─▶ none (the relay carries)
 */
import type { Clock, Timer } from '../../kit/clock.js'
import type { WireOf } from '../../protocol/messages.js'
import type { IceServers, LinkWay, PathWord, WayHost } from '../ports.js'
import { readDescription, writeDescription } from './description.js'
import { IceAttempt, type IceOutcome } from './ice-attempt.js'
import type { OpenIce } from './peer.js'

export interface IceLinkOptions {
  readonly clock: Clock
  readonly openIce: OpenIce
  readonly link: number
  readonly host: WayHost
  readonly closed: () => void
}

/** Candidates come in a burst: they are told together, ms. */
const GATHER_MS = 30
/** A connection that was replaced is still heard for this long, ms. */
const RETIRE_MS = 2_000

type Cause = NonNullable<WireOf<'path.attempt'>['cause']>

export class IceLink implements LinkWay {
  readonly #options: IceLinkOptions
  #trying: IceAttempt | null = null
  #carrying: IceAttempt | null = null
  readonly #retiring = new Set<IceAttempt>()
  #revision = 0
  /** Description that is to be told, and when. */
  #telling: { readonly sdp: string; readonly attempt: number } | null = null
  #timer: Timer | undefined

  constructor(options: IceLinkOptions) {
    this.#options = options
  }

  get tier(): 'direct' | 'turned' | null {
    return this.#carrying?.tier ?? null
  }

  get rttMs(): number | null {
    return this.#carrying?.rttMs ?? null
  }

  get lossPct(): number | null {
    return this.#carrying?.lossPct ?? null
  }

  /** Tells the other end that this one can be asked to try. */
  announce(): void {
    this.#signal(null)
  }

  hear(event: PathWord): void {
    if (event.type === 'path.punch' && event.via === 'ice') this.#begin(event)
    else if (event.type === 'path.signal' && event.ice !== undefined) this.#described(event.ice)
    else if (event.type === 'path.settled' && event.tier !== 'direct' && event.tier !== 'turned') this.#drop()
  }

  /** The coordinator may have forgotten: it hears again what carries, and that this end can be asked. */
  introduced(): void {
    if (this.#carrying !== null) this.#report(this.#carrying, this.#carrying.tier ?? 'direct')
    this.#say(null)
  }

  send(packet: Uint8Array): void {
    this.#carrying?.send(packet)
  }

  /** The pair was of the old network: the relay carries until a new one has proved itself. */
  networkChanged(): void {
    this.#lose('network_changed')
    this.announce()
  }

  close(): void {
    this.#options.clock.clearTimeout(this.#timer)
    for (const each of [this.#trying, this.#carrying, ...this.#retiring]) each?.close()
    this.#trying = null
    this.#carrying = null
    this.#options.closed()
  }

  #begin({ attempt, controlling, startInMs, tryForMs }: WireOf<'path.punch'>): void {
    const { clock, openIce, host } = this.#options
    this.#trying?.close()
    const trying: IceAttempt = new IceAttempt({
      clock,
      openIce,
      iceServers: () => serversFor(host),
      attempt,
      offers: controlling,
      startInMs,
      tryForMs,
      described: sdp => {
        if (trying === this.#trying) this.#tell(sdp, attempt)
      },
      packet: (packet, tier) => host.deliver(packet, tier),
      proved: () => this.#proved(trying),
      moved: outcome => this.#report(trying, outcome),
      over: cause => this.#over(trying, cause),
    })
    this.#trying = trying
  }

  #described(bytes: Uint8Array): void {
    const description = readDescription(bytes)
    if (description === null) return
    // A description with more candidates may come after the attempt has won.
    for (const each of [this.#trying, this.#carrying])
      if (each?.attempt === description.attempt) each.hear(description.sdp)
  }

  #proved(attempt: IceAttempt): void {
    if (attempt !== this.#trying) return
    this.#retire(this.#carrying)
    this.#carrying = attempt
    this.#trying = null
    this.#report(attempt, attempt.tier ?? 'direct')
  }

  /** The other end may prove the new connection a little later, and carries on the old one until then. */
  #retire(old: IceAttempt | null): void {
    if (old === null) return
    this.#retiring.add(old)
    this.#options.clock.setTimeout(() => {
      this.#retiring.delete(old)
      old.close()
    }, RETIRE_MS)
  }

  #over(attempt: IceAttempt, cause: Cause): void {
    if (attempt === this.#carrying) return this.#lose(cause)
    if (attempt !== this.#trying) return
    this.#trying = null
    this.#report(attempt, 'failed', cause)
  }

  #lose(cause: Cause): void {
    const lost = this.#carrying
    if (lost === null) return
    this.#carrying = null
    this.#report(lost, 'lost', cause)
    lost.close()
  }

  /** The other end, or the coordinator, has given up what carried. */
  #drop(): void {
    this.#carrying?.close()
    this.#carrying = null
  }

  #report(of: IceAttempt, outcome: IceOutcome | 'failed' | 'lost', cause?: Cause): void {
    const pair = of.pair
    this.#options.host.say({
      type: 'path.attempt',
      link: this.#options.link,
      attempt: of.attempt,
      via: 'ice',
      outcome,
      ...(pair !== null && pair.local !== '' && { local: pair.local }),
      ...(pair !== null && pair.remote !== '' && { remote: pair.remote }),
      ...(of.rttMs !== null && { rttMs: of.rttMs }),
      ...(cause !== undefined && { cause }),
      tried: of.tried,
    })
  }

  /** Tells a description soon, with what is gathered until then. */
  #tell(sdp: string, attempt: number): void {
    const waiting = this.#telling !== null
    this.#telling = { sdp, attempt }
    if (waiting) return
    this.#timer = this.#options.clock.setTimeout(() => {
      const telling = this.#telling
      this.#telling = null
      if (telling !== null) this.#signal(writeDescription(telling.sdp, telling.attempt))
    }, GATHER_MS)
  }

  #signal(ice: Uint8Array | null): void {
    // An agent that was started again is newer than what is remembered of it.
    this.#revision = Math.max(this.#revision + 1, Math.floor(this.#options.clock.wallMs() / 1_000))
    this.#say(ice)
  }

  #say(ice: Uint8Array | null): void {
    const { link, host } = this.#options
    host.say({
      type: 'path.signal',
      link,
      revision: this.#revision,
      candidates: [],
      ...(ice !== null && { ice }),
    })
  }
}

/** With `direct-only` no TURN server is used. */
const serversFor = (host: WayHost): IceServers =>
  host.policy === 'direct-only'
    ? host.iceServers().filter(([uri]) => uri.startsWith('stun:'))
    : host.iceServers()
