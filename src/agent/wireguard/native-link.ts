/**
 * One link of the native way.
 *
 *   resting ─ path.punch ─▶ opening ─ start ─▶ proving ─ heard ─▶ carrying
 *      ▲                        │                 │ nothing          │ silent, the peer is back, path.settled otherwise
 *      └────────────────────────┴─────────────────┴──────────────────┘
 *
 * WireGuard follows its peer to wherever an authenticated packet of it comes from. So from the moment that it is
 * steered, what still arrives by the relay or by the agents' sockets must not reach it: it would go back there, and
 * the peer would follow. Those packets were under way when the peer was steered, and are all that the switch costs.
 */
import type { Clock, Timer } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import { type Endpoint, endpointText, readEndpoint } from '../../protocol/address.js'
import type { WireOf } from '../../protocol/messages.js'
import type { LinkWay, OwnFigures, OwnSocket, PathWord, Peer, WayHost } from '../ports.js'
import { NativeWatch } from './native-watch.js'

export interface NativeLinkOptions {
  readonly clock: Clock
  readonly random: Random
  readonly socket: OwnSocket
  readonly peer: Peer
  readonly host: WayHost
  readonly reveal: (word: WireOf<'path.reveal'>) => void
  readonly look: () => Promise<ReadonlyMap<number, OwnFigures>>
  /** The link carries from now on: `see` is to be called every now and then. */
  readonly carries: () => void
  readonly closed: () => void
  readonly failed: (error: unknown) => void
}

/** While it proves itself WireGuard says something this often, ms, and so many times: then it is decided. */
const PROVE_EVERY_MS = 80
const PROOFS = 4
/** Packets under way when the peer was steered arrive within this, ms; later ones mean that the peer is back. */
const LATE_MS = 1_000

interface Attempt {
  readonly number: number
  readonly candidate: string
  readonly to: Endpoint
  /** A key that nobody holds: what WireGuard sends to it opens the NATs, and moves no peer. */
  readonly opener: Uint8Array
  readonly watch: NativeWatch
  startedAtMs: number
  state: 'opening' | 'proving' | 'carrying'
}

type Cause = NonNullable<WireOf<'path.attempt'>['cause']>

export class NativeLink implements LinkWay {
  /** WireGuard tells neither; the agents' own sockets go on measuring. */
  readonly rttMs = null
  readonly lossPct = null
  readonly unseen = { sentBytes: 0, receivedBytes: 0, lastReceivedAtMs: null as number | null }
  readonly #options: NativeLinkOptions
  readonly #link: number
  #attempt: Attempt | null = null
  #timer: Timer | undefined

  constructor(options: NativeLinkOptions) {
    this.#options = options
    this.#link = options.peer.link
  }

  get tier(): 'direct' | null {
    return this.#attempt?.state === 'carrying' ? 'direct' : null
  }

  /** Whether it carries traffic now. */
  get isBusy(): boolean {
    return this.#attempt?.watch.isBusy === true
  }

  hear(word: PathWord): void {
    if (word.type === 'path.reveal') this.#options.reveal(word)
    else if (word.type === 'path.punch') this.#punch(word)
    else if (word.type === 'path.settled' && word.via !== 'wireguard') this.#giveUp(null)
  }

  /** The coordinator may have missed what was said, or have forgotten it. */
  introduced(): void {
    if (this.#attempt?.state === 'carrying') this.#say(this.#attempt, 'direct')
  }

  networkChanged(): void {
    this.#giveUp('network_changed')
  }

  strayed(): boolean {
    const { state, startedAtMs } = this.#attempt ?? {}
    if (state === undefined || state === 'opening') return true
    if (state === 'proving' || this.#options.clock.now() - (startedAtMs ?? 0) < LATE_MS) return false
    this.#giveUp('silent')
    return true
  }

  /** A packet that WireGuard did not send by itself: it has been led back to the link. */
  send(): void {
    this.#giveUp('silent')
  }

  /** Reads the counters while the link carries. */
  see(figures: OwnFigures | null): void {
    const { clock, socket, failed } = this.#options
    const attempt = this.#attempt
    if (attempt?.state !== 'carrying' || figures === null) return
    const { watch } = attempt
    const before = watch.keepaliveS
    this.#count(watch.see(figures, clock.now()))
    if (figures.at === null || watch.isSilent(clock.now())) this.#giveUp('silent')
    else if (watch.keepaliveS !== before)
      socket.steer(this.#link, { at: figures.at, keepaliveS: watch.keepaliveS }).catch(failed)
  }

  close(): void {
    this.#rest()
    this.#options.closed()
  }

  #punch({ attempt: number, candidates, startInMs }: WireOf<'path.punch'>): void {
    const { clock, random, socket, failed } = this.#options
    this.#rest()
    const [candidate = ''] = candidates
    const to = readEndpoint(candidate.slice(candidate.indexOf(' ') + 1))
    if (to === null) return this.#say({ number, candidate }, 'failed', 'no_candidates')
    const opener = random.bytes(32)
    const watch = new NativeWatch()
    const attempt: Attempt = { number, candidate, to, opener, watch, startedAtMs: 0, state: 'opening' }
    this.#attempt = attempt
    socket.beckon(opener, endpointText(to)).catch(failed)
    this.#timer = clock.setTimeout(() => void this.#prove(attempt), startInMs)
  }

  async #prove(attempt: Attempt): Promise<void> {
    const { clock, socket, failed } = this.#options
    attempt.state = 'proving'
    attempt.startedAtMs = clock.now()
    try {
      await this.#steer(attempt, attempt.to)
      socket.unbeckon(attempt.opener).catch(failed)
      // Counted from here: what came before may have come through the link.
      const before = await this.#figures()
      let now = before
      for (let i = 0; i < PROOFS && this.#attempt === attempt; i++) {
        await new Promise<void>(resolve => (this.#timer = clock.setTimeout(resolve, PROVE_EVERY_MS)))
        now = await this.#figures()
        if (this.#attempt !== attempt) return
        // It may have been led back by a packet that it had not read yet; else it knows better where the peer is.
        await this.#steer(attempt, now?.at ?? attempt.to)
      }
      if (this.#attempt !== attempt) return
      if (before === null || now === null || now.receivedBytes === before.receivedBytes)
        return this.#giveUp('no_answer')
      attempt.state = 'carrying'
      this.#count(attempt.watch.see(now, clock.now()))
      this.#say(attempt, 'direct')
      this.#options.carries()
    } catch (error) {
      failed(error)
      if (this.#attempt === attempt) this.#giveUp('no_socket')
    }
  }

  async #steer({ watch }: Attempt, at: Endpoint): Promise<void> {
    await this.#options.socket.steer(this.#link, { at, keepaliveS: watch.keepaliveS })
  }

  async #figures(): Promise<OwnFigures | null> {
    return (await this.#options.look()).get(this.#link) ?? null
  }

  #count({ sentBytes, receivedBytes }: { sentBytes: number; receivedBytes: number }): void {
    this.unseen.sentBytes += sentBytes
    this.unseen.receivedBytes += receivedBytes
    if (receivedBytes > 0) this.unseen.lastReceivedAtMs = this.#options.clock.now()
  }

  /** Goes back to the link; without a cause because the coordinator said so, which it need not be told. */
  #giveUp(cause: Cause | null): void {
    const attempt = this.#attempt
    if (attempt === null) return
    this.#rest()
    if (cause !== null) this.#say(attempt, attempt.state === 'carrying' ? 'lost' : 'failed', cause)
  }

  #rest(): void {
    const { clock, socket, failed } = this.#options
    const attempt = this.#attempt
    if (attempt === null) return
    this.#attempt = null
    clock.clearTimeout(this.#timer)
    if (attempt.state !== 'carrying') socket.unbeckon(attempt.opener).catch(failed)
    if (attempt.state !== 'opening') socket.steer(this.#link, null).catch(failed)
  }

  #say(
    { number, candidate }: Pick<Attempt, 'number' | 'candidate'>,
    outcome: WireOf<'path.attempt'>['outcome'],
    cause?: Cause,
  ): void {
    this.#options.host.say({
      type: 'path.attempt',
      link: this.#link,
      attempt: number,
      via: 'wireguard',
      outcome,
      ...(cause === undefined ? { remote: candidate } : { cause }),
      tried: candidate === '' ? [] : [`${candidate}: ${cause ?? 'heard'}`],
    })
  }
}
