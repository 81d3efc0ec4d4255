import type { LinkWay, PathWord, Peer, Unseen, Way, WayHost } from '../../../src/agent/ports.js'

/** A way that writes down what it is asked; a test sets what it carries. */
export class NotebookWay implements Way {
  readonly via: Way['via']
  readonly did: string[] = []
  /** Of the link opened last. */
  host: WayHost | null = null
  tier: LinkWay['tier'] = null
  /** Whether it lets packets be delivered that came another way. */
  lenient = true
  rttMs: number | null = null
  lossPct: number | null = null
  unseen: Unseen = { sentBytes: 0, receivedBytes: 0, lastReceivedAtMs: null }

  constructor(via: Way['via'] = 'udp') {
    this.via = via
  }

  open({ link }: Peer, host: WayHost): LinkWay {
    this.did.push(`open ${link}`)
    this.host = host
    return new NotebookLinkWay(this, link)
  }

  networkChanged(): void {
    this.did.push('networkChanged')
  }

  async stop(): Promise<void> {
    this.did.push('stop')
  }
}

class NotebookLinkWay implements LinkWay {
  readonly #way: NotebookWay
  readonly #link: number

  constructor(way: NotebookWay, link: number) {
    this.#way = way
    this.#link = link
  }

  get tier() {
    return this.#way.tier
  }
  get rttMs() {
    return this.#way.rttMs
  }
  get lossPct() {
    return this.#way.lossPct
  }
  get unseen() {
    return this.#way.unseen
  }
  hear(word: PathWord): void {
    this.#way.did.push(`hear ${word.type}`)
  }
  introduced(): void {
    this.#way.did.push(`introduced ${this.#link}`)
  }
  strayed(): boolean {
    return this.#way.lenient
  }
  send(packet: Uint8Array): void {
    this.#way.did.push(`send ${packet.length}`)
  }
  close(): void {
    this.#way.did.push(`close ${this.#link}`)
  }
}
