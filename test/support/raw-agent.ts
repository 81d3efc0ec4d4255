/**
 * An agent that says exactly what a test tells it to, and remembers what it hears: for stories about the
 * coordinator alone, and for everything a well-behaved agent would never say.
 */
import type { AgentSocket, Dial } from '../../src/agent/ports.js'
import { decodeAll, encode, FrameError } from '../../src/protocol/codec.js'
import type { Wire, WireOf } from '../../src/protocol/messages.js'
import { makeProof, newKeyPair, privateKeyOf } from '../../src/protocol/proof.js'

export interface RawAgentOptions {
  readonly dial: Dial
  readonly url?: string
  readonly role: 'node' | 'client'
  readonly id: string
  readonly keys?: { readonly privateKey: Uint8Array; readonly publicKey: Uint8Array }
}

export class RawAgent {
  readonly heard: Wire[] = []
  readonly keys: { readonly privateKey: Uint8Array; readonly publicKey: Uint8Array }
  /** Code of the close that came; null while the socket is open. */
  closedWith: number | null = null
  #socket: AgentSocket | null = null
  readonly #options: RawAgentOptions

  constructor(options: RawAgentOptions) {
    this.#options = options
    this.keys = options.keys ?? newKeyPair()
  }

  connect(): this {
    this.closedWith = null
    this.#socket = this.#options.dial(this.#options.url ?? 'wss://mesh.test/mesh', {
      opened: () => {},
      received: message => this.heard.push(...decodeAll(message.slice())),
      closed: code => {
        this.closedWith = code
      },
    })
    return this
  }

  say(...events: Wire[]): void {
    this.sayBytes(Buffer.concat(events.map(event => encode(event))))
  }

  sayBytes(bytes: Uint8Array): void {
    if (this.#socket === null) throw new FrameError('malformed', 'connect first')
    this.#socket.send(bytes)
  }

  hangUp(code = 1_000): void {
    this.#socket?.close(code, '')
  }

  /** Returns the registration that answers the last `welcome`, changed as the test likes. */
  hello(changes: Partial<WireOf<'register'>> = {}): WireOf<'register'> {
    const { role, id } = { ...this.#options, ...changes }
    const { challenge, nonce, serverId } = this.last('welcome')
    return {
      type: 'register',
      role,
      id,
      publicKey: this.keys.publicKey,
      proof: makeProof(privateKeyOf(this.keys.privateKey), challenge, { nonce, role, id, serverId }),
      agent: 'raw',
      ...changes,
    }
  }

  /** Returns the newest message of this name; throws when none came. */
  last<N extends Wire['type']>(type: N): WireOf<N> {
    const found = this.heard.findLast(event => event.type === type)
    if (found === undefined)
      throw new Error(`${this.#options.id} has heard no ${type}, but ${this.names().join(', ')}`)
    return found as WireOf<N> // found by its type
  }

  /** Returns the names of what was heard, in order, and forgets it. */
  names(): string[] {
    return this.heard.map(event => event.type)
  }

  forget(): void {
    this.heard.length = 0
  }

  beat(seq = 1): WireOf<'heartbeat'> {
    return { type: 'heartbeat', seq, serverId: this.#options.id, generatedAt: 0, readyAt: 0 }
  }
}
