/** An agent whose socket is a mailbox, in a real coordinator: it says what a test tells it to. */
import type { Connection, Hello, Socket, Vouch } from '../../src/actors/ports.js'
import type { Mesh } from '../../src/app/mesh.js'
import { decodeAll, encode } from '../../src/protocol/codec.js'
import type { Wire, WireOf } from '../../src/protocol/messages.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { SENT } from '../../src/protocol/sent.js'
import { until } from './until.js'

export class MailboxAgent implements Socket {
  readonly remote = '203.0.113.9'
  readonly heard: Wire[] = []
  readonly #hello: Hello
  #connection: Connection | null = null

  constructor(role: Hello['role'], id: string) {
    this.#hello = { role, id, publicKey: newKeyPair().publicKey, agent: 'test', maxSessions: 10 }
  }

  /** Resolves when it has a session: with an enrolment key at first, with none when it is known. */
  async enter(mesh: Mesh, credential?: string): Promise<this> {
    this.knock(mesh, credential)
    await until(`${this.#hello.id} is in`, () => this.heard.some(({ type }) => type === 'registered'))
    return this
  }

  /** The same, for who may be refused. */
  knock(mesh: Mesh, credential?: string): void {
    this.heard.length = 0
    const hello = credential === undefined ? this.#hello : { ...this.#hello, credential }
    const vouch: Vouch = credential === undefined ? { by: 'token' } : { by: 'credential' }
    this.#connection = mesh.enter(this, hello, vouch)
  }

  say(event: Wire): void {
    this.#connection?.received(encode(event))
  }

  leave(): void {
    this.say({ type: 'goodbye', reason: 'test' })
  }

  last<N extends Wire['type']>(type: N): WireOf<N> | undefined {
    return this.heard.findLast(event => event.type === type) as WireOf<N> | undefined // found by its type
  }

  send(bytes: Uint8Array) {
    this.heard.push(...decodeAll(bytes.slice()))
    return SENT.ok
  }
  buffered(): number {
    return 0
  }
  close(code: number): void {
    this.#connection?.closed(code)
    this.#connection = null
  }
}
