/**
 * A TURN server without sockets, and callers that say exactly what a test tells them to. Relay sockets open at
 * once, unless the test holds them back; what goes out is kept.
 */
import { systemRandom } from '../../src/kit/random.js'
import type { Endpoint, Family } from '../../src/protocol/address.js'
import { ATTRIBUTE, METHOD, readAddress } from '../../src/turn/attributes.js'
import {
  readChannelData,
  readErrorCode,
  readMessage,
  readUint32,
  type StunMessage,
  valueOf,
} from '../../src/turn/codec.js'
import { issueCredentials, passwordOf } from '../../src/turn/credentials.js'
import type { Effect } from '../../src/turn/effects.js'
import { type Flow, udpFlow } from '../../src/turn/flow.js'
import { longTermKey, type Signature } from '../../src/turn/integrity.js'
import { PeerPolicy, type PeerPolicyOptions } from '../../src/turn/peer-policy.js'
import { type TurnLimits, TurnServer, type TurnServerOptions } from '../../src/turn/server.js'
import { MessageWriter } from '../../src/turn/writer.js'
import { SimulatedClock } from '../support/simulated-clock.js'

export const SECRET = 'a secret of at least thirty-two bytes'
export const REALM = 'bosonserver'
/** The server's own addresses. */
export const SERVER: Endpoint = { address: '20.0.0.1', port: 3478 }
export const SERVER_V6 = '2600::1'
export const PEER: Endpoint = { address: '30.0.0.1', port: 5000 }
export const PEER_V6: Endpoint = { address: '2600:1::1', port: 5000 }

export interface RigOptions extends Partial<Omit<TurnServerOptions, 'policy' | 'limits'>> {
  readonly peers?: Omit<PeerPolicyOptions, 'own'>
  readonly limits?: Partial<TurnLimits>
  /** Whether a relay's socket opens; absent: each does. */
  readonly opens?: (port: number) => boolean
  /** Hears what goes out to clients. */
  readonly replied?: (data: Buffer) => void
}

export class Rig {
  readonly clock = new SimulatedClock()
  readonly server: TurnServer
  /** What went to peers. */
  readonly sent: Extract<Effect, { type: 'send' }>[] = []
  /** What went to clients. */
  readonly replies: Extract<Effect, { type: 'reply' }>[] = []
  /** Ports of the open relay sockets, by id. */
  readonly relays = new Map<number, number>()
  readonly #opens: (port: number) => boolean
  readonly #replied: (data: Buffer) => void

  constructor({ peers, limits, opens = () => true, replied = () => {}, ...options }: RigOptions = {}) {
    this.#opens = opens
    this.#replied = replied
    this.server = new TurnServer({
      clock: this.clock,
      random: systemRandom,
      realm: REALM,
      secrets: [SECRET],
      allowed: () => true,
      listeners: [{ transport: 'udp', endpoint: SERVER }],
      relayAddresses: new Map<Family, string>([
        [4, SERVER.address],
        [6, SERVER_V6],
      ]),
      ports: { first: 50_000, last: 50_999 },
      policy: new PeerPolicy({ own: [SERVER.address, SERVER_V6], ...peers }),
      limits: {
        perUser: 4,
        perAddress: 16,
        total: 800,
        bindingsPerSecond: 1_000,
        rejectionsPerSecond: 1_000,
        straysPerSecond: 10,
        ...limits,
      },
      ...options,
    })
  }

  /** Hands bytes to the server; returns what came back to the sender as messages. */
  say(bytes: Buffer, from: Flow): Buffer[] {
    const before = this.replies.length
    this.perform(this.server.handle(bytes, from))
    return this.replies.slice(before).map(({ data }) => data)
  }

  /** Lets time pass as a shell would: with a sweep each second. */
  wait(ms: number): void {
    for (let left = ms; left > 0; left -= 1_000) {
      this.clock.advance(Math.min(1_000, left))
      this.perform(this.server.sweep())
    }
  }

  perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'send') this.sent.push(effect)
      else if (effect.type === 'reply') {
        this.replies.push(effect)
        this.#replied(effect.data)
      } else if (effect.type === 'close') this.relays.delete(effect.relay)
      else {
        const opens = this.#opens(effect.port)
        if (opens) this.relays.set(effect.relay, effect.port)
        this.perform(this.server.opened(effect.relay, opens))
      }
    }
  }

  /** Returns the id of the relay socket at a relayed address. */
  relayAt({ port }: Endpoint): number {
    for (const [id, at] of this.relays) if (at === port) return id
    throw new Error(`no relay has port ${port}`)
  }

  caller(options: CallerOptions = {}): Caller {
    return new Caller(this, options)
  }
}

export interface CallerOptions {
  readonly id?: string
  readonly flow?: Flow
  readonly username?: string
  readonly password?: string
  readonly algorithm?: 'sha1' | 'sha256'
}

export interface Answer {
  /** 0 is success. */
  readonly code: number
  readonly message: StunMessage
}

type Fill = (request: MessageWriter) => MessageWriter

let callers = 0

/** One client: knows its credentials, and the nonce once it was challenged. */
export class Caller {
  readonly flow: Flow
  readonly #rig: Rig
  readonly username: string
  readonly password: string
  readonly #algorithm: 'sha1' | 'sha256'
  nonce: Buffer | undefined

  constructor(rig: Rig, { id = 'node-1', flow, username, password, algorithm = 'sha1' }: CallerOptions) {
    this.#rig = rig
    this.flow = flow ?? udpFlow(0, '40.0.0.1', 1_024 + callers++)
    this.username = username ?? issueCredentials(SECRET, id, 600, rig.clock.wallMs()).username
    this.password = password ?? passwordOf(SECRET, this.username)
    this.#algorithm = algorithm
  }

  get signature(): Signature {
    const hash = this.#algorithm === 'sha256' ? 'sha256' : 'md5'
    return { algorithm: this.#algorithm, key: longTermKey(hash, this.username, REALM, this.password) }
  }

  /** Sends a signed request, after asking for a nonce when there is none. */
  ask(method: number, fill: Fill = same): Answer {
    if (this.nonce === undefined) this.challenge()
    return this.exchange(this.signed(method, fill))
  }

  /** Fetches a nonce as a client does: by asking without one. */
  challenge(): Answer {
    const request = new MessageWriter('request', METHOD.allocate, systemRandom.bytes(12))
    const answer = this.exchange(request.add(ATTRIBUTE.software, Buffer.alloc(40)).finish())
    this.nonce = valueOf(answer.message, ATTRIBUTE.nonce)
    return answer
  }

  /** Returns a signed request. */
  signed(method: number, fill: Fill = same, signature = this.signature): Buffer {
    const request = fill(new MessageWriter('request', method, systemRandom.bytes(12)))
      .addText(ATTRIBUTE.username, this.username)
      .addText(ATTRIBUTE.realm, REALM)
      .add(ATTRIBUTE.nonce, this.nonce ?? Buffer.alloc(0))
    if (this.#algorithm === 'sha256')
      request
        .add(ATTRIBUTE.passwordAlgorithms, Buffer.from('0002000000010000', 'hex'))
        .add(ATTRIBUTE.passwordAlgorithm, Buffer.from('00020000', 'hex'))
    return request.sign(signature).finish()
  }

  /** Sends bytes; returns the one answer. */
  exchange(bytes: Buffer): Answer {
    const answers = this.#rig.say(bytes, this.flow)
    const message = answers.length === 1 ? readMessage(answers[0] as Buffer) : null // one, as just checked
    if (message === null) throw new Error(`${answers.length} answers`)
    return {
      code: message.class === 'success' ? 0 : (readErrorCode(valueOf(message, ATTRIBUTE.errorCode)) ?? -1),
      message,
    }
  }

  allocate(fill: Fill = same): Answer {
    return this.ask(METHOD.allocate, request => fill(request.add(ATTRIBUTE.requestedTransport, UDP)))
  }

  /** Opens an allocation and returns its relayed address. */
  opens(fill: Fill = same): Endpoint {
    const { code, message } = this.allocate(fill)
    const relayed = readAddress(valueOf(message, ATTRIBUTE.xorRelayedAddress), message.transactionId)
    if (relayed === null) throw new Error(`refused with ${code}`)
    return relayed
  }

  permit(...peers: readonly Endpoint[]): Answer {
    return this.ask(METHOD.createPermission, request => {
      for (const peer of peers) request.addXorAddress(ATTRIBUTE.xorPeerAddress, peer)
      return request
    })
  }

  bind(channel: number, peer: Endpoint): Answer {
    return this.ask(METHOD.channelBind, request =>
      request
        .add(ATTRIBUTE.channelNumber, Buffer.from([channel >> 8, channel & 0xff, 0, 0]))
        .addXorAddress(ATTRIBUTE.xorPeerAddress, peer),
    )
  }

  refresh(lifetimeS: number, fill: Fill = same): Answer {
    return this.ask(METHOD.refresh, request => fill(request.addUint32(ATTRIBUTE.lifetime, lifetimeS)))
  }

  send(peer: Endpoint, data: string): void {
    this.#rig.say(
      new MessageWriter('indication', METHOD.send, systemRandom.bytes(12))
        .addXorAddress(ATTRIBUTE.xorPeerAddress, peer)
        .addText(ATTRIBUTE.data, data)
        .finish(),
      this.flow,
    )
  }

  /** Returns what came to this caller from its peers, as `channel or peer: data`. */
  heard(): string[] {
    const own = this.#rig.replies.filter(({ to, relayed }) => relayed && to.key === this.flow.key)
    return own.map(({ data }) => {
      const channel = readChannelData(data)
      if (channel !== null) return `0x${channel.channel.toString(16)}: ${channel.data.toString()}`
      const message = readMessage(data)
      const peer = message && readAddress(valueOf(message, ATTRIBUTE.xorPeerAddress), message.transactionId)
      return `${peer?.address}: ${message && valueOf(message, ATTRIBUTE.data)?.toString()}`
    })
  }
}

export const UDP = Buffer.from([17, 0, 0, 0])
export const lifetimeOf = ({ message }: Answer): number | null => {
  const value = valueOf(message, ATTRIBUTE.lifetime)
  return value === undefined ? null : readUint32(value)
}
const same: Fill = request => request
