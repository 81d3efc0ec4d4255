/**
 * The STUN side: tells a client how it is seen, and, where this host has a second address or port, answers from
 * there when asked to, which shows how the client's NAT maps and filters (RFC 5780).
 */
import type { Endpoint } from '../protocol/address.js'
import type { Sighting } from '../actors/ports.js'
import { ATTRIBUTE, CHANGE_ADDRESS, CHANGE_PORT, METHOD } from './attributes.js'
import { notUnderstood, readUint32, type StunMessage, valueOf } from './codec.js'
import type { Effect } from './effects.js'
import { type Flow, udpFlow } from './flow.js'
import { BAD_REQUEST, type Refused } from './refused.js'
import { MessageWriter } from './writer.js'

export interface Listener {
  readonly transport: Flow['transport']
  /** As clients see it. */
  readonly endpoint: Endpoint
}

export interface BindingAnswer {
  readonly writer: MessageWriter
  /** Index of the listener to answer from. */
  readonly listener: number
}

/** Attributes that a Binding request may carry; credentials are not asked for, so they are let pass. */
const UNDERSTOOD = new Set<number>([
  ATTRIBUTE.changeRequest,
  ATTRIBUTE.username,
  ATTRIBUTE.realm,
  ATTRIBUTE.nonce,
  ATTRIBUTE.messageIntegrity,
  ATTRIBUTE.messageIntegritySha256,
  ATTRIBUTE.passwordAlgorithm,
])
const CHANGE_REFUSED: Refused = { code: 420, refusal: 'not_understood', types: [ATTRIBUTE.changeRequest] }

export class Binding {
  readonly #listeners: readonly Listener[]

  constructor(listeners: readonly Listener[]) {
    this.#listeners = listeners
  }

  /** `fits` says whether an answer of so many bytes may be sent: what only helps is left out when it is too long. */
  answer(request: StunMessage, flow: Flow, fits: (bytes: number) => boolean): BindingAnswer | Refused {
    const types = notUnderstood(request, UNDERSTOOD)
    if (types.length > 0) return { code: 420, refusal: 'not_understood', types }
    const flags = readFlags(request)
    if (flags === null) return BAD_REQUEST
    const listener = this.#beside(flow, (flags & CHANGE_ADDRESS) !== 0, (flags & CHANGE_PORT) !== 0)
    if (listener < 0) return CHANGE_REFUSED
    const writer = new MessageWriter('success', METHOD.binding, request.transactionId)
    writer.addXorAddress(ATTRIBUTE.xorMappedAddress, flow)
    const bytes = flow.address.includes(':') ? V6_ATTRIBUTE_BYTES : V4_ATTRIBUTE_BYTES
    const other = this.#listeners[this.#beside(flow, true, true)]
    if (other !== undefined && fits(writer.length + bytes))
      writer.addAddress(ATTRIBUTE.otherAddress, other.endpoint)
    const origin = this.#listeners[listener]
    if (origin !== undefined && this.#hasChoice(flow) && fits(writer.length + bytes))
      writer.addAddress(ATTRIBUTE.responseOrigin, origin.endpoint)
    return { writer, listener }
  }

  /** Whether answers can come from elsewhere at all. */
  #hasChoice(flow: Flow): boolean {
    return this.#beside(flow, false, true) >= 0 || this.#beside(flow, true, false) >= 0
  }

  /** Returns the UDP listener with another address, or port, or both, than the one that was written to; -1: none. */
  #beside(flow: Flow, address: boolean, port: boolean): number {
    if (!address && !port) return flow.listener
    const here = this.#listeners[flow.listener]
    if (here === undefined || flow.transport !== 'udp') return -1
    return this.#listeners.findIndex(
      ({ transport, endpoint }) =>
        transport === 'udp' &&
        endpoint.address.includes(':') === here.endpoint.address.includes(':') &&
        (endpoint.address !== here.endpoint.address) === address &&
        (endpoint.port !== here.endpoint.port) === port,
    )
  }
}

/** Returns what sends an indication to where a request came from: it arrives while the mapping there lives. */
export function reminder({ transactionId, address, port, listener }: Sighting): Effect {
  const writer = new MessageWriter('indication', METHOD.binding, Buffer.from(transactionId, 'hex'))
  const data = writer.addFingerprint().finish()
  return { type: 'reply', to: udpFlow(listener, address, port), listener, data, relayed: false }
}

/** Bytes of an address attribute. */
const V4_ATTRIBUTE_BYTES = 12
const V6_ATTRIBUTE_BYTES = 24

function readFlags(request: StunMessage): number | null {
  const value = valueOf(request, ATTRIBUTE.changeRequest)
  return value === undefined ? 0 : readUint32(value)
}
