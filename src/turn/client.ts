/**
 * The client's side of STUN and TURN, without a socket: bytes go out by `send` and come in by `received`.
 *
 *   binding()  ─→ how the server sees us
 *   allocate() ─→ relayed address ─→ permit(addresses), bind(peer) ─→ send(peer, data) … `data` hears the peers
 *
 * What is open is kept open: the allocation, its permissions and its channels are refreshed until `close`.
 */
import type { Clock } from '../kit/clock.js'
import type { Random } from '../kit/random.js'
import { type Endpoint, endpointText, type Family } from '../protocol/address.js'
import { ATTRIBUTE, FAMILY_BYTE, METHOD, PROTOCOL_UDP, readAddress } from './attributes.js'
import {
  FIRST_CHANNEL,
  LAST_CHANNEL,
  readChannelData,
  readErrorCode,
  readMessage,
  readUint32,
  type StunMessage,
  valueOf,
  writeChannelData,
} from './codec.js'
import { TurnError } from './errors.js'
import { hasSignature, longTermKey, PASSWORD_ALGORITHM, type Signature } from './integrity.js'
import { Transactions } from './transactions.js'
import { MessageWriter } from './writer.js'

export interface TurnClientOptions {
  readonly clock: Clock
  readonly random: Random
  readonly send: (bytes: Buffer) => void
  /** Over TCP or TLS: nothing is repeated, ChannelData is padded. */
  readonly reliable?: boolean
  readonly username?: string
  readonly password?: string
  /** Hears what peers send. */
  readonly data?: (peer: Endpoint, data: Buffer) => void
  /** Hears that the allocation is gone and could not be kept. */
  readonly lost?: (error: unknown) => void
}

export interface Allocated {
  /** Where peers send to. */
  readonly relayed: Endpoint
  /** How the server sees us. */
  readonly mapped: Endpoint
  readonly lifetimeS: number
}

/** Permissions last 300 s and channels 600 s; both are refreshed well before, ms. */
const REFRESH_PEERS_MS = 240_000
/** A request is tried again with a new nonce so many times. */
const CHALLENGES = 3

interface Challenge {
  readonly realm: string
  readonly nonce: Buffer
  readonly algorithms: Buffer | undefined
  readonly signature: Signature
}

export class TurnClient {
  readonly #options: TurnClientOptions
  readonly #transactions: Transactions
  readonly #channels = new Map<string, number>()
  readonly #peers = new Map<number, Endpoint>()
  readonly #permitted = new Set<string>()
  readonly #timers = new Set<() => void>()
  #challenge: Challenge | null = null

  constructor(options: TurnClientOptions) {
    this.#options = options
    this.#transactions = new Transactions(options)
  }

  /** Takes one datagram, or one frame of a stream; returns whether it was ours. The bytes are only lent. */
  received(bytes: Buffer): boolean {
    const channel = readChannelData(bytes)
    if (channel !== null) return this.#deliver(this.#peers.get(channel.channel), channel.data)
    const message = readMessage(bytes)
    if (message === null) return false
    if (message.class !== 'indication') return this.#answered(bytes)
    if (message.method !== METHOD.data) return false
    const peer = readAddress(valueOf(message, ATTRIBUTE.xorPeerAddress), message.transactionId)
    return this.#deliver(peer ?? undefined, valueOf(message, ATTRIBUTE.data))
  }

  /** Resolves to how the server sees us. */
  async binding(): Promise<Endpoint> {
    const answer = await this.#transactions.ask(this.#request(METHOD.binding).addFingerprint().finish())
    return mappedAddress(succeeded(answer))
  }

  /** Opens a relayed address and keeps it open. */
  async allocate(family: Family = 4): Promise<Allocated> {
    const answer = await this.#signed(METHOD.allocate, request =>
      request
        .add(ATTRIBUTE.requestedTransport, Buffer.from([PROTOCOL_UDP, 0, 0, 0]))
        .add(ATTRIBUTE.requestedAddressFamily, Buffer.from([FAMILY_BYTE[family], 0, 0, 0])),
    )
    const relayed = readAddress(valueOf(answer, ATTRIBUTE.xorRelayedAddress), answer.transactionId)
    if (relayed === null) throw new TurnError('refused', 'allocate: wanted a relayed address in the answer')
    const lifetimeS = readLifetime(answer)
    this.#keepOpen(lifetimeS)
    return { relayed, mapped: mappedAddress(answer), lifetimeS }
  }

  /** Lets these addresses send to us. */
  async permit(addresses: readonly string[]): Promise<void> {
    await this.#signed(METHOD.createPermission, request => {
      for (const address of addresses) request.addXorAddress(ATTRIBUTE.xorPeerAddress, { address, port: 0 })
      return request
    })
    for (const address of addresses) this.#permitted.add(address)
  }

  /** Binds a channel to a peer, so that packets to and from it carry 4 bytes more instead of 36. */
  async bind(peer: Endpoint): Promise<number> {
    const number = this.#channels.get(endpointText(peer)) ?? FIRST_CHANNEL + this.#channels.size
    if (number > LAST_CHANNEL) throw new TurnError('refused', 'bind: all channels are in use')
    this.#channels.set(endpointText(peer), number)
    // The server may use the channel before its answer to the request arrives.
    this.#peers.set(number, peer)
    await this.#signed(METHOD.channelBind, request =>
      request
        .add(ATTRIBUTE.channelNumber, Buffer.from([number >> 8, number & 0xff, 0, 0]))
        .addXorAddress(ATTRIBUTE.xorPeerAddress, peer),
    )
    return number
  }

  /** Sends to a peer that was permitted or has a channel. */
  send(peer: Endpoint, data: Uint8Array): void {
    const channel = this.#channels.get(endpointText(peer))
    this.#options.send(
      channel === undefined
        ? this.#request(METHOD.send, 'indication')
            .addXorAddress(ATTRIBUTE.xorPeerAddress, peer)
            .add(ATTRIBUTE.data, data)
            .finish()
        : writeChannelData(channel, data, this.#options.reliable === true),
    )
  }

  /** Asks for another `lifetimeS` seconds; 0 ends the allocation. Resolves to what was granted, s. */
  async refresh(lifetimeS: number): Promise<number> {
    const answer = await this.#signed(METHOD.refresh, request =>
      request.addUint32(ATTRIBUTE.lifetime, lifetimeS),
    )
    return readLifetime(answer)
  }

  /**
   * Ends everything that is under way, and asks the server to end the allocation without waiting for its answer:
   * when the nonce has aged meanwhile, the allocation ends with its lifetime. `refresh(0)` waits.
   */
  close(): void {
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
    if (this.#challenge !== null)
      this.#options.send(
        this.#sign(this.#request(METHOD.refresh).addUint32(ATTRIBUTE.lifetime, 0), this.#challenge),
      )
    this.#transactions.stop()
  }

  /** Who asked reads the answer when the bytes are somebody else's again. */
  #answered(bytes: Buffer): boolean {
    const kept = readMessage(Buffer.from(bytes))
    return kept !== null && this.#transactions.take(kept)
  }

  #deliver(peer: Endpoint | undefined, data: Buffer | undefined): boolean {
    if (peer === undefined || data === undefined) return false
    this.#options.data?.(peer, data)
    return true
  }

  #keepOpen(lifetimeS: number): void {
    this.#again((lifetimeS * 1_000) / 2, () => this.refresh(lifetimeS))
    this.#again(REFRESH_PEERS_MS, async () => {
      if (this.#permitted.size > 0) await this.permit([...this.#permitted])
      for (const peer of this.#peers.values()) await this.bind(peer)
    })
  }

  /** Does something every `everyMs` until it fails or the client is closed. */
  #again(everyMs: number, work: () => Promise<unknown>): void {
    const { clock, lost } = this.#options
    const timer = clock.setTimeout(() => {
      this.#timers.delete(cancel)
      work().then(
        () => this.#again(everyMs, work),
        (error: unknown) => lost?.(error),
      )
    }, everyMs)
    const cancel = () => clock.clearTimeout(timer)
    this.#timers.add(cancel)
  }

  /** Sends a request signed; answers a challenge, or a nonce that has aged, by signing anew. */
  async #signed(method: number, fill: (request: MessageWriter) => MessageWriter): Promise<StunMessage> {
    let code = 0
    for (let tries = 0; tries < CHALLENGES; tries++) {
      const challenge = this.#challenge
      const request = fill(this.#request(method))
      const answer = await this.#transactions.ask(
        challenge === null ? greeting(request) : this.#sign(request, challenge),
      )
      code = errorOf(answer)
      if (code === 0 && challenge !== null) {
        if (hasSignature(answer, challenge.signature)) return answer
        throw new TurnError('refused', 'the answer is not signed by who knows the password')
      }
      // The first 401 asks who we are; another one says that it did not believe us.
      if (code !== 438 && !(code === 401 && challenge === null)) break
      this.#challenge = this.#read(answer)
    }
    throw new TurnError('refused', `the server refused with ${code}`)
  }

  #read(answer: StunMessage): Challenge {
    const { username = '', password = '' } = this.#options
    const realm = valueOf(answer, ATTRIBUTE.realm)?.toString()
    const nonce = valueOf(answer, ATTRIBUTE.nonce)
    if (realm === undefined || nonce === undefined)
      throw new TurnError('refused', 'challenge: wanted realm and nonce')
    const list = valueOf(answer, ATTRIBUTE.passwordAlgorithms)
    const algorithms = list !== undefined && list.length >= 4 ? list : undefined
    const strong = algorithms?.readUInt32BE(0) === PASSWORD_ALGORITHM.sha256 << 16
    const key = longTermKey(strong ? 'sha256' : 'md5', username, realm, password)
    return {
      realm,
      nonce,
      algorithms: strong ? algorithms : undefined,
      signature: { algorithm: strong ? 'sha256' : 'sha1', key },
    }
  }

  #sign(request: MessageWriter, { realm, nonce, algorithms, signature }: Challenge): Buffer {
    request
      .addText(ATTRIBUTE.username, this.#options.username ?? '')
      .addText(ATTRIBUTE.realm, realm)
      .add(ATTRIBUTE.nonce, nonce)
    if (algorithms !== undefined)
      request
        .add(ATTRIBUTE.passwordAlgorithms, algorithms)
        .add(ATTRIBUTE.passwordAlgorithm, algorithms.subarray(0, 4))
    return request.sign(signature).addFingerprint().finish()
  }

  #request(method: number, messageClass: 'request' | 'indication' = 'request'): MessageWriter {
    return new MessageWriter(messageClass, method, this.#options.random.bytes(12))
  }
}

/** Long enough that a server which answers with little more than it is sent can offer SHA-256. */
const PADDING = Buffer.alloc(16, ' ')
const greeting = (request: MessageWriter): Buffer =>
  request.add(ATTRIBUTE.software, PADDING).addFingerprint().finish()

const errorOf = (answer: StunMessage): number =>
  answer.class === 'success' ? 0 : (readErrorCode(valueOf(answer, ATTRIBUTE.errorCode)) ?? 500)

function succeeded(answer: StunMessage): StunMessage {
  const code = errorOf(answer)
  if (code !== 0) throw new TurnError('refused', `the server refused with ${code}`)
  return answer
}

function mappedAddress(answer: StunMessage): Endpoint {
  const mapped = readAddress(valueOf(answer, ATTRIBUTE.xorMappedAddress), answer.transactionId)
  if (mapped === null) throw new TurnError('refused', 'answer: wanted XOR-MAPPED-ADDRESS')
  return mapped
}

function readLifetime(answer: StunMessage): number {
  const value = valueOf(answer, ATTRIBUTE.lifetime)
  return (value && readUint32(value)) ?? 0
}
