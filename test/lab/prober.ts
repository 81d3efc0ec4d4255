/** Asks STUN servers from a host of the lab how its NAT maps and filters (RFC 5780 §4.3 to §4.6), one question at a time. */
import type { Datagrams } from '../../src/agent/ports.js'
import { type Endpoint, endpointText } from '../../src/protocol/address.js'
import { ATTRIBUTE, CHANGE_ADDRESS, CHANGE_PORT, METHOD, readAddress } from '../../src/turn/attributes.js'
import { readMessage, valueOf } from '../../src/turn/codec.js'
import { MessageWriter } from '../../src/turn/writer.js'
import type { Dependence } from './nat.js'

/** Longer than any round trip of the lab, ms. */
const PATIENCE_MS = 100
/** Index of the first of four listeners: an address with two ports, then another with the same two. */
export const V4 = 0
export const V6 = 4

interface Arrived {
  readonly mapped: Endpoint | null
}

export class Prober {
  datagrams: Datagrams | undefined
  /** What came that is not STUN. */
  readonly heard: string[] = []
  readonly wait: (ms: number) => Promise<void>
  readonly #servers: readonly Endpoint[]
  #arrived: Arrived | null = null

  constructor(servers: readonly Endpoint[], wait: (ms: number) => Promise<void>) {
    this.#servers = servers
    this.wait = wait
  }

  local(): Endpoint {
    return this.datagrams?.local()[0] as Endpoint // every host has an address
  }

  say(text: string, to: Endpoint): void {
    this.datagrams?.send(Buffer.from(`\xff${text}`, 'latin1'), to)
  }

  take(datagram: Uint8Array, from: Endpoint): void {
    const message = readMessage(Buffer.from(datagram))
    if (message === null)
      this.heard.push(`${Buffer.from(datagram.subarray(1)).toString()} from ${endpointText(from)}`)
    else
      this.#arrived = {
        mapped: readAddress(valueOf(message, ATTRIBUTE.xorMappedAddress), message.transactionId),
      }
  }

  /** Asks one of the servers; null when nothing comes back. */
  async binding(server = 0, flags = 0): Promise<Endpoint | null> {
    const answer = await this.#ask(this.#servers[server] as Endpoint, flags)
    return answer?.mapped ?? null // there are eight
  }

  /** How endpoints change with whom is written to. */
  async mapping(first = V4): Promise<Dependence> {
    const one = await this.binding(first)
    const elsewhere = await this.binding(first + 2)
    if (same(one, elsewhere)) return 'endpoint_independent'
    return same(elsewhere, await this.binding(first + 3)) ? 'address_dependent' : 'address_and_port_dependent'
  }

  /** Who may answer; to be asked by a socket that has written to nobody. */
  async filtering(first = V4): Promise<Dependence> {
    if ((await this.binding(first, CHANGE_ADDRESS | CHANGE_PORT)) !== null) return 'endpoint_independent'
    return (await this.binding(first, CHANGE_PORT)) === null
      ? 'address_and_port_dependent'
      : 'address_dependent'
  }

  /** Whether what is sent to its own outside comes back. */
  async hairpin(outside: Endpoint): Promise<boolean> {
    return (await this.#ask(outside, 0)) !== null
  }

  async #ask(to: Endpoint, flags: number): Promise<Arrived | null> {
    const request = new MessageWriter('request', METHOD.binding, Buffer.alloc(12, ++asked))
    if (flags !== 0) request.addUint32(ATTRIBUTE.changeRequest, flags)
    this.#arrived = null
    this.datagrams?.send(request.finish(), to)
    await this.wait(PATIENCE_MS)
    return this.#arrived
  }
}

let asked = 0

const same = (one: Endpoint | null, other: Endpoint | null): boolean =>
  one !== null && other !== null && endpointText(one) === endpointText(other)
