/** Clients that send numbered datagrams all the while and note which come back, many in one process. */
import { MeshClient, type SwitchCause } from '../../src/agent/index.js'
import { systemClock } from '../../src/kit/clock.js'
import { newKeyPair } from '../../src/protocol/proof.js'
import { answering, groundOf } from './fleet.js'

export interface ClientSpec {
  readonly id: string
  readonly country: string
}

/** Where a client is now. */
export interface Standing extends ClientSpec {
  /** null: it has no route that carries. */
  readonly node: string | null
  readonly nodeCountry: string | null
}

/** All times are of the machine's clock, ms. */
export interface Move {
  readonly cause: SwitchCause
  readonly from: string | null
  readonly to: string
  readonly atMs: number
}

/** What became of a client. */
export interface Report extends Standing {
  readonly moves: readonly Move[]
  /** Datagrams sent, and when each was sent that has not come back. */
  readonly sent: number
  readonly lostAtMs: readonly number[]
}

/** Each client sends twenty datagrams a second. */
const SEND_EVERY_MS = 50

const ground = groundOf()
const clients: Sender[] = []
let timer: NodeJS.Timeout | undefined

class Sender {
  readonly #spec: ClientSpec
  readonly #client: MeshClient
  readonly #moves: Move[] = []
  /** By number: when it was sent; null when it came back. */
  readonly #sentAtMs: (number | null)[] = []

  constructor(spec: ClientSpec) {
    this.#spec = spec
    this.#client = new MeshClient({ ...ground, id: spec.id, privateKey: newKeyPair().privateKey })
    this.#client.on('packet', ({ packet }) => {
      this.#sentAtMs[Buffer.from(packet).readUInt32BE()] = null
    })
    this.#client.on('switched', ({ from, to, cause }) =>
      this.#moves.push({ cause, from: from?.nodeId ?? null, to: to.nodeId, atMs: systemClock.wallMs() }),
    )
  }

  async start(): Promise<void> {
    await this.#client.start()
    await this.#client.route({ country: this.#spec.country }, { patient: true })
  }

  /** What cannot be sent for want of a route is lost, too: an application has tried. */
  send(): void {
    const datagram = Buffer.alloc(100)
    datagram.writeUInt32BE(this.#sentAtMs.length)
    this.#sentAtMs.push(systemClock.wallMs())
    this.#client.send(datagram)
  }

  get standing(): Standing {
    const { nodeId = null, country = null } = this.#client.current ?? {}
    return { ...this.#spec, node: nodeId, nodeCountry: country }
  }

  get report(): Report {
    const lostAtMs = this.#sentAtMs.filter(each => each !== null)
    return { ...this.standing, moves: this.#moves, sent: this.#sentAtMs.length, lostAtMs }
  }
}

const clientCalls = {
  /** Resolves when all of them have a route; from then on they send. */
  start: async (specs: readonly ClientSpec[]) => {
    const made = specs.map(spec => new Sender(spec))
    clients.push(...made)
    await Promise.all(made.map(each => each.start()))
    timer = setInterval(() => {
      for (const each of clients) each.send()
    }, SEND_EVERY_MS)
    return null
  },
  standing: (_: null) => clients.map(each => each.standing),
  /** They send no more. */
  rest: (_: null) => {
    clearInterval(timer)
    return null
  },
  report: (_: null) => clients.map(each => each.report),
}
export type ClientCalls = typeof clientCalls
answering(clientCalls)
