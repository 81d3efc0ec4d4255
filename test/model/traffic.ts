/**
 * The ledger of every packet in a story. A packet carries its number; whoever gets it looks up here whether
 * it was meant for him. What was neither delivered nor lost with a socket must be in someone's drop counters.
 */
import { numbered } from '../lab/hosts.js'

interface Sent {
  readonly client: string
  readonly node: string
  readonly link: number
  arrived: boolean
  echoed: boolean
  /** It was on its way when a socket, a process or the coordinator ended. */
  excused: boolean
}

export class Traffic {
  /** What should never have happened. */
  readonly wrongs: string[] = []
  readonly #sent: Sent[] = []

  /** Returns the packet that `client` is about to send. */
  packet(client: string, node: string, link: number): Buffer {
    this.#sent.push({ client, node, link, arrived: false, echoed: false, excused: false })
    return numbered(this.#sent.length - 1)
  }

  /** A host got a packet; returns whose it was. */
  got(host: string, link: number, packet: Uint8Array): Pick<Sent, 'client' | 'node'> | null {
    const n = Buffer.from(packet).readUInt32LE(8)
    const sent = this.#sent[n]
    if (sent === undefined) {
      this.wrongs.push(`${host} got a packet that no friend sent`)
      return null
    }
    const wrong = (what: string) => this.wrongs.push(`packet ${n} of ${sent.client} to ${sent.node} ${what}`)
    if (sent.link !== link) wrong(`left on link ${sent.link} and came out of link ${link} at ${host}`)
    if (host === sent.node) {
      if (sent.arrived) wrong('arrived twice')
      sent.arrived = true
    } else if (host === sent.client) {
      if (!sent.arrived) wrong('was echoed before it arrived')
      if (sent.echoed) wrong('was echoed twice')
      sent.echoed = true
    } else wrong(`was delivered to ${host}`)
    return sent
  }

  /** Something ended that packets of this host may have been in; null: the coordinator. */
  excuse(host: string | null): void {
    for (const sent of this.#sent) {
      if (!sent.echoed && (host === null || sent.client === host || sent.node === host)) sent.excused = true
    }
  }

  /** Packets that did not come back although nothing ended that they were in. */
  get missing(): number {
    return this.#sent.filter(({ echoed, excused }) => !echoed && !excused).length
  }

  get size(): number {
    return this.#sent.length
  }
}
