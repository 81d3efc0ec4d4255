/** Agents that report over a session, each message as the test says it. */
import type { Connection, MeshApi, Socket } from '../../src/actors/ports.js'
import { decodeAll, encode } from '../../src/protocol/codec.js'
import type { Wire, WireOf } from '../../src/protocol/messages.js'
import { makeProof, newKeyPair, privateKeyOf } from '../../src/protocol/proof.js'
import { SENT } from '../../src/protocol/sent.js'
import type { RestServer } from '../support/rest-server.js'
import { until } from '../support/until.js'

export type Batch = Omit<WireOf<'report.batch'>, 'type'>
export type Ack = WireOf<'report.ack'>

export class Reporter implements Socket {
  readonly remote = '203.0.113.9'
  readonly heard: Wire[] = []
  readonly #role: 'node' | 'client'
  readonly #keys = newKeyPair()
  #connection: Connection | null = null

  constructor(role: 'node' | 'client' = 'node') {
    this.#role = role
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
  }

  /** Resolves when it has a session: with an enrolment key the first time, by the proof of its key later. */
  async enter(mesh: MeshApi, id: string, credential?: string): Promise<void> {
    const { privateKey, publicKey } = this.#keys
    const role = this.#role
    const hello = { role, id, publicKey, agent: 'raw' } as const
    const { serverId, publicKey: challenge, nonce } = mesh.challenge()
    const proof = makeProof(privateKeyOf(privateKey), challenge, { nonce, role, id, serverId })
    this.heard.length = 0
    this.#connection =
      credential === undefined
        ? mesh.enter(this, hello, { by: 'proof', nonce, proof })
        : mesh.enter(this, { ...hello, credential }, { by: 'credential' })
    await until(`${id} is registered`, () => this.heard.some(({ type }) => type === 'registered'))
  }

  /** Says a batch and does not wait. */
  say(batch: Batch): void {
    this.tell({ type: 'report.batch', ...batch })
  }

  tell(event: Wire): void {
    this.#connection?.received(encode(event))
  }

  /** Resolves with the answer to a batch. */
  async report(batch: Batch): Promise<Ack> {
    const before = this.heard.length
    this.say(batch)
    return until(`batch ${batch.seq} is answered`, () =>
      this.heard
        .slice(before)
        .find((event): event is Ack => event.type === 'report.ack' && event.seq === batch.seq),
    )
  }
}

/** Resolves with a reporter who has just enrolled. */
export async function enrolled(server: RestServer, id: string): Promise<Reporter> {
  const reporter = new Reporter()
  await reporter.enter(server.mesh, id, await server.enrolmentKey())
  return reporter
}

export const batch = (seq: number, changes: Partial<Batch> = {}): Batch => ({
  stream: 'spool-1',
  seq,
  clients: [],
  traffic: [],
  logs: [],
  dropped: 0,
  ...changes,
})
