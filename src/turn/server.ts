/**
 * A STUN and TURN server without sockets: bytes and where they came from go in, what to do comes out.
 *
 *   handle(datagram, flow) ─┬─ Binding ───────→ binding.ts
 *                           ├─ TURN request ─→ auth.ts ─→ requests.ts ─→ allocations
 *                           └─ Send, ChannelData ─→ traffic.ts ─→ peer
 *   fromPeer(relay, data)  ─→ traffic.ts ─→ client
 *
 * Nothing is kept of a client before it has proved who it is. What it may draw before that is bounded twice:
 * by the size of the request, and by an allowance of its network. Beyond either the server is silent.
 * What is neither STUN nor TURN is for whoever wants it (the handshakes of WireGuard come to the same port, by
 * the same mapping of the sender's NAT), and has an allowance of its own.
 */
import type { Sighting } from '../actors/ports.js'
import type { Clock } from '../kit/clock.js'
import type { Random } from '../kit/random.js'
import type { Endpoint, Family } from '../protocol/address.js'
import { Allocations } from './allocations.js'
import { ATTRIBUTE, METHOD } from './attributes.js'
import { type AuthOptions, Authenticator, PASSWORD_ALGORITHMS } from './auth.js'
import { Binding, type Listener } from './binding.js'
import { isStun, notUnderstood, readChannelData, readMessage, type StunMessage } from './codec.js'
import { Counters } from './counters.js'
import type { Effect } from './effects.js'
import type { Flow } from './flow.js'
import type { PeerPolicy } from './peer-policy.js'
import type { PortRange } from './ports.js'
import type { QuotaLimits } from './quotas.js'
import type { Refused } from './refused.js'
import { Requests } from './requests.js'
import { SourceBuckets } from './source-buckets.js'
import { Traffic } from './traffic.js'
import { MessageWriter } from './writer.js'

export interface TurnServerOptions extends AuthOptions {
  readonly clock: Clock
  readonly random: Random
  /** Flows name them by index. */
  readonly listeners: readonly Listener[]
  /** Relayed addresses as peers see them; a family without one is not served. */
  readonly relayAddresses: ReadonlyMap<Family, string>
  readonly ports: PortRange
  readonly policy: PeerPolicy
  readonly limits: TurnLimits
  /** Hears of every Binding request over UDP: what a client says it was told can be checked. */
  readonly sighted?: (sighting: Sighting) => void
  /** Hears of every datagram that is neither STUN nor TURN, within an allowance of its network. */
  readonly strayed?: (datagram: Buffer, from: Endpoint) => void
}

export interface TurnLimits extends QuotaLimits {
  /** Answers a network draws, 1/s: to Binding requests, and to requests that are not proved. */
  readonly bindingsPerSecond: number
  readonly rejectionsPerSecond: number
  /** Datagrams of a network that are neither STUN nor TURN and are still looked at, 1/s. */
  readonly straysPerSecond: number
}

/** What an unproved answer may be at most, as a multiple of what drew it, IP and UDP headers included. */
const MOST_AMPLIFICATION = 1.6
/** Bytes of IP and UDP headers. */
const HEADERS = { 4: 28, 6: 48 } as const

/** Attributes that TURN requests may carry. DONT-FRAGMENT is not among them: Node cannot set the flag. */
const UNDERSTOOD = new Set<number>([
  ATTRIBUTE.username,
  ATTRIBUTE.realm,
  ATTRIBUTE.nonce,
  ATTRIBUTE.messageIntegrity,
  ATTRIBUTE.messageIntegritySha256,
  ATTRIBUTE.passwordAlgorithm,
  ATTRIBUTE.channelNumber,
  ATTRIBUTE.lifetime,
  ATTRIBUTE.xorPeerAddress,
  ATTRIBUTE.data,
  ATTRIBUTE.requestedAddressFamily,
  ATTRIBUTE.evenPort,
  ATTRIBUTE.requestedTransport,
  ATTRIBUTE.reservationToken,
])
const TURN_METHODS = new Set<number>([
  METHOD.allocate,
  METHOD.refresh,
  METHOD.createPermission,
  METHOD.channelBind,
])

export class TurnServer {
  readonly counters = new Counters()
  readonly #options: TurnServerOptions
  readonly #auth: Authenticator
  readonly #binding: Binding
  readonly #bindings: SourceBuckets
  readonly #rejections: SourceBuckets
  readonly #strays: SourceBuckets
  readonly #allocations: Allocations
  readonly #requests: Requests
  readonly #traffic: Traffic
  #effects: Effect[] = []

  constructor(options: TurnServerOptions) {
    this.#options = options
    const { clock, random, limits, listeners } = options
    const nowMs = clock.now()
    this.#auth = new Authenticator(options)
    this.#binding = new Binding(listeners)
    this.#bindings = new SourceBuckets(limits.bindingsPerSecond, random, nowMs)
    this.#rejections = new SourceBuckets(limits.rejectionsPerSecond, random, nowMs)
    this.#strays = new SourceBuckets(limits.straysPerSecond, random, nowMs)
    const ask = (effect: Effect) => void this.#effects.push(effect)
    this.#allocations = new Allocations(socket => this.#requests.closed(socket))
    this.#requests = new Requests({
      ...options,
      allocations: this.#allocations,
      counters: this.counters,
      ask,
    })
    this.#traffic = new Traffic({ ...options, allocations: this.#allocations, counters: this.counters, ask })
  }

  /** How many allocations are open. */
  get allocations(): number {
    return this.#allocations.size
  }

  /** Whether this flow has opened something. */
  serves(flow: Flow): boolean {
    return this.#allocations.ofFlow(flow.key) !== undefined
  }

  /** Takes one datagram, or one frame of a stream. */
  handle(data: Buffer, from: Flow): Effect[] {
    const first = data[0] ?? 0xff
    if (first >= 0x40 && first <= 0x7f) this.#channelData(data, from)
    else if (isStun(data)) this.#message(data, from)
    else this.#stray(data, from)
    return this.#asked()
  }

  /** Takes what a peer sent to a relay's socket. */
  fromPeer(relay: number, data: Buffer, address: string, port: number): Effect[] {
    this.#traffic.fromPeer(relay, data, { address, port })
    return this.#asked()
  }

  /** Hears what became of a socket that was to be opened. */
  opened(relay: number, isOpen: boolean): Effect[] {
    this.#requests.opened(relay, isOpen)
    return this.#asked()
  }

  /** A stream ended, and with it what its client had opened. */
  closed(flow: Flow): Effect[] {
    this.#requests.forget(flow)
    return this.#asked()
  }

  /** Ends what has lapsed. To be called about once a second. */
  sweep(): Effect[] {
    this.#requests.sweep()
    return this.#asked()
  }

  /** Asks again who may be here and which peers each may reach; to be called when routes ended, or at once after a session did. */
  review(): Effect[] {
    this.#requests.review()
    return this.#asked()
  }

  /** Opens nothing any more; what is open ends at scattered times within `withinMs`. */
  drain(withinMs: number): Effect[] {
    this.#requests.drain(withinMs)
    return this.#asked()
  }

  #asked(): Effect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  #channelData(data: Buffer, from: Flow): void {
    const read = readChannelData(data)
    if (read === null) this.counters.refused.malformed++
    else this.#traffic.fromChannel(read, from)
  }

  #stray(data: Buffer, from: Flow): void {
    const { strayed } = this.#options
    if (strayed === undefined || from.transport !== 'udp' || data.length === 0)
      this.counters.refused.malformed++
    else if (this.#draws(this.#strays, from)) {
      this.counters.strays++
      strayed(data, { address: from.address, port: from.port })
    }
  }

  #message(data: Buffer, from: Flow): void {
    const message = readMessage(data)
    if (message === null) this.counters.refused.malformed++
    else if (message.class === 'indication' && message.method === METHOD.send)
      this.#traffic.fromSend(message, from)
    else if (message.class === 'indication' && message.method === METHOD.binding)
      return // keeps a NAT's mapping alive
    else if (message.class === 'request' && message.method === METHOD.binding)
      this.#answerBinding(message, from)
    else if (message.class === 'request' && TURN_METHODS.has(message.method)) this.#answerTurn(message, from)
    else this.counters.refused.unknown_method++
  }

  #answerBinding(request: StunMessage, from: Flow): void {
    if (!this.#draws(this.#bindings, from)) return
    if (from.transport === 'udp') this.#options.sighted?.(sighting(request, from))
    const fits = (bytes: number) => this.#fits(bytes + fingerprintBytes(request), request, from)
    const answer = this.#binding.answer(request, from, fits)
    if ('code' in answer) return this.#reject(request, from, answer)
    this.counters.bindings++
    this.#send(request, from, answer.writer, answer.listener)
  }

  #answerTurn(request: StunMessage, from: Flow): void {
    const verdict = this.#auth.verdict(request, from)
    if ('code' in verdict) {
      if (this.#draws(this.#rejections, from)) this.#reject(request, from, verdict)
      return
    }
    const types = notUnderstood(request, UNDERSTOOD)
    if (types.length > 0)
      this.#requests.refuse(
        { message: request, flow: from, ...verdict },
        { code: 420, refusal: 'not_understood', types },
      )
    else this.#requests.answer({ message: request, flow: from, ...verdict })
  }

  /** Turns down what is not proved: unsigned, as short as it takes, or not at all. */
  #reject(request: StunMessage, from: Flow, { code, refusal, types = [] }: Refused): void {
    this.counters.refused[refusal]++
    const write = () => new MessageWriter('error', request.method, request.transactionId).addError(code, '')
    const bare = write()
    if (types.length > 0) bare.addUint16s(ATTRIBUTE.unknownAttributes, types)
    if (code !== 401 && code !== 438) return this.#sendIfFits(request, from, [bare])
    const challenge = (offer: boolean) => {
      const { realm, nonce } = this.#auth.challenge(from, offer)
      const writer = write().addText(ATTRIBUTE.realm, realm).addText(ATTRIBUTE.nonce, nonce)
      return offer ? writer.add(ATTRIBUTE.passwordAlgorithms, PASSWORD_ALGORITHMS) : writer
    }
    this.#sendIfFits(request, from, [challenge(true), challenge(false)])
  }

  /** Sends the first that is not too long for what drew it. */
  #sendIfFits(request: StunMessage, from: Flow, choices: readonly MessageWriter[]): void {
    const writer = choices.find(({ length }) => this.#fits(length + fingerprintBytes(request), request, from))
    if (writer === undefined) this.counters.refused.too_big_an_answer++
    else this.#send(request, from, writer, from.listener)
  }

  #send(request: StunMessage, to: Flow, writer: MessageWriter, listener: number): void {
    if (hasFingerprint(request)) writer.addFingerprint()
    this.#effects.push({ type: 'reply', to, listener, data: writer.finish(), relayed: false })
  }

  /** A stream's other end is there, as its handshake has shown; a datagram's may be anyone. */
  #fits(bytes: number, request: StunMessage, { transport, address }: Flow): boolean {
    const headers = HEADERS[address.includes(':') ? 6 : 4]
    return transport !== 'udp' || bytes + headers <= MOST_AMPLIFICATION * (request.bytes.length + headers)
  }

  #draws(buckets: SourceBuckets, from: Flow): boolean {
    if (buckets.take(from.address, this.#options.clock.now())) return true
    this.counters.refused.over_rate++
    return false
  }
}

const hasFingerprint = (request: StunMessage): boolean =>
  request.attributes.at(-1)?.type === ATTRIBUTE.fingerprint
const fingerprintBytes = (request: StunMessage): number => (hasFingerprint(request) ? 8 : 0)

const sighting = (request: StunMessage, { address, port, listener }: Flow): Sighting => ({
  transactionId: request.transactionId.toString('hex'),
  address,
  port,
  listener,
})
