/**
 * Finds out what the NAT does (RFC 5780 §4.3, §4.4, and hairpinning), in two rounds of at most 2.5 s each:
 *
 *   shared socket   1 mapping: the first server          2 mapping: its other ports and addresses
 *   fresh socket    1 filtering: answers from elsewhere  2 hairpin: what the two send to each other's outside
 *
 * Filters are tested from a socket that has sent to nobody else, since whoever was written to may answer.
 */
import type { Clock } from '../../kit/clock.js'
import type { Random } from '../../kit/random.js'
import { type Endpoint, endpointText, familyOf } from '../../protocol/address.js'
import type { WireOf } from '../../protocol/messages.js'
import { CHANGE_ADDRESS, CHANGE_PORT, METHOD } from '../../turn/attributes.js'
import { MessageWriter } from '../../turn/writer.js'
import type { DirectSocket } from '../direct/direct-socket.js'
import { askBinding, type BindingAnswer } from './ask-binding.js'

/** What is asked of a socket: it may carry packets beside. */
export type StunSocket = Pick<DirectSocket, 'local' | 'send' | 'onStun'>

export interface ProbeNatOptions {
  readonly clock: Clock
  readonly random: Random
  /** The socket that packets travel on; its mapping is what is found out. */
  readonly shared: StunSocket
  /** A socket that has sent nothing yet. */
  readonly fresh: StunSocket
  /** The first one of each family first. */
  readonly servers: readonly Endpoint[]
  /** For the requests; when they are used up, random ones follow. */
  readonly transactionIds: readonly Uint8Array[]
  readonly signal: AbortSignal
}

export type ProbeTests = WireOf<'probe.report'>['tests']
type Kind = ProbeTests[number][0]

/** Hairpin packets leave so often, this far apart, ms: the first ones may only open the way. */
const HAIRPIN_TRIES = 4
const HAIRPIN_EVERY_MS = 150
const ID_BYTES = 12

export async function probeNat(options: ProbeNatOptions): Promise<ProbeTests> {
  const probe = new Probe(options)
  const firsts = probe.firsts()
  const [main] = firsts
  if (main === undefined) return []
  const [, mapped, answers] = await Promise.all([
    probe.filtering(main),
    probe.outsideOfFresh(main),
    Promise.all(firsts.map(server => probe.mapping('mapping', server))),
  ])
  const other = answers.map(answer => (answer.kind === 'answered' ? answer.other : null))
  await Promise.all([
    probe.others(firsts, other),
    answers[0]?.kind === 'answered' && mapped !== null ? probe.hairpin(answers[0].mapped, mapped) : null,
  ])
  return probe.tests
}

class Probe {
  readonly tests: ProbeTests[number][] = []
  readonly #options: ProbeNatOptions
  #used = 0

  constructor(options: ProbeNatOptions) {
    this.#options = options
  }

  /** The first server of each family that this machine has, IPv4 first: NATs are mostly there. */
  firsts(): Endpoint[] {
    const { servers, shared } = this.#options
    const local = shared.local()
    const has = (family: 4 | 6) => local.length === 0 || local.some(at => familyOf(at.address) === family)
    return ([4, 6] as const).flatMap(family =>
      has(family) ? servers.filter(({ address }) => familyOf(address) === family).slice(0, 1) : [],
    )
  }

  async mapping(kind: Kind, server: Endpoint): Promise<BindingAnswer> {
    const id = this.#nextId()
    const answer = await this.#ask(this.#options.shared, server, id)
    this.#note(kind, id, answer)
    return answer
  }

  /** Asks the other servers of each family, and those that the first one names (OTHER-ADDRESS). */
  async others(firsts: readonly Endpoint[], named: readonly (Endpoint | null)[]): Promise<void> {
    const asked = new Set(firsts.map(endpointText))
    const asks: Promise<unknown>[] = []
    for (const [i, first] of firsts.entries()) {
      const other = named[i] ?? null
      const derived =
        other === null ? [] : [other, { ...other, port: first.port }, { ...first, port: other.port }]
      for (const server of [...this.#options.servers, ...derived]) {
        if (familyOf(server.address) !== familyOf(first.address) || asked.has(endpointText(server))) continue
        asked.add(endpointText(server))
        const kind = server.address === first.address ? 'mapping_other_port' : 'mapping_other_address'
        asks.push(this.mapping(kind, server))
      }
    }
    await Promise.all(asks)
  }

  /** What the server refuses to do is not tried, and so not in the report. */
  async filtering(server: Endpoint): Promise<void> {
    const tests = [
      ['filtering_other_address', CHANGE_ADDRESS | CHANGE_PORT],
      ['filtering_other_port', CHANGE_PORT],
    ] as const
    await Promise.all(
      tests.map(async ([kind, change]) => {
        const id = this.#nextId()
        const answer = await this.#ask(this.#options.fresh, server, id, change)
        if (answer.kind !== 'refused') this.#note(kind, id, answer)
      }),
    )
  }

  async outsideOfFresh(server: Endpoint): Promise<Endpoint | null> {
    const answer = await this.#ask(this.#options.fresh, server, this.#randomId())
    return answer.kind === 'answered' ? answer.mapped : null
  }

  /** Each socket sends to the other's outside, as two hosts that punch would. */
  async hairpin(sharedOutside: Endpoint, freshOutside: Endpoint): Promise<void> {
    const { clock, shared, fresh, signal } = this.#options
    const id = this.#nextId()
    const request = new MessageWriter('request', METHOD.binding, id).addFingerprint().finish()
    let came: Endpoint | null = null
    const stopHearing = [shared, fresh].map(socket =>
      socket.onStun((message, from) => {
        if (message.class !== 'request' || !message.transactionId.equals(id)) return false
        came ??= from
        return true
      }),
    )
    for (let tries = 0; tries < HAIRPIN_TRIES && came === null && !signal.aborted; tries++) {
      shared.send(request, freshOutside)
      fresh.send(request, sharedOutside)
      await new Promise<void>(resolve => clock.setTimeout(resolve, HAIRPIN_EVERY_MS))
    }
    for (const stop of stopHearing) stop()
    this.tests.push(['hairpin', id, came && endpointText(came), null])
  }

  #ask(socket: StunSocket, server: Endpoint, id: Uint8Array, change = 0): Promise<BindingAnswer> {
    const { clock, signal } = this.#options
    return askBinding({ clock, socket, server, transactionId: id, change, signal })
  }

  #note(kind: Kind, id: Uint8Array, answer: BindingAnswer): void {
    const answered = answer.kind === 'answered'
    this.tests.push([kind, id, answered ? endpointText(answer.mapped) : null, answered ? answer.rttMs : null])
  }

  #nextId(): Uint8Array {
    return this.#options.transactionIds[this.#used++] ?? this.#randomId()
  }

  #randomId(): Uint8Array {
    return this.#options.random.bytes(ID_BYTES)
  }
}
