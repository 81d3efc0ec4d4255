/** One end of a plain hole punch: calls everywhere that the other may be, answers calls, and calls back where they came from. */
import { type Endpoint, endpointText } from '../../src/protocol/address.js'
import type { Internet } from './internet.js'
import { Prober, V6 } from './prober.js'

export class Caller {
  /** An answer has come, from where the call went: else it proves no pair (RFC 8445 §7.2.5.2.1). */
  answered = false
  readonly #prober: Prober
  readonly #targets = new Map<string, Endpoint>()

  constructor(listeners: readonly Endpoint[], wait: (ms: number) => Promise<void>) {
    this.#prober = new Prober(listeners, wait)
  }

  async open(internet: Internet, name: string): Promise<void> {
    this.#prober.datagrams = await internet.datagramsFrom(name)((datagram, from) => {
      const text = Buffer.from(datagram.subarray(1)).toString()
      const [word, to = ''] = text.split(' ')
      if (word === 'call') this.#called(from, to)
      else if (word !== 'answer') this.#prober.take(datagram, from)
      else if (to === endpointText(from)) this.answered = true
    })
  }

  /** How the world sees it. */
  async outside(): Promise<Endpoint[]> {
    const seen = [await this.#prober.binding(), await this.#prober.binding(V6)]
    return seen.flatMap(endpoint => endpoint ?? [])
  }

  call(endpoints: readonly Endpoint[]): void {
    for (const endpoint of endpoints) this.#targets.set(endpointText(endpoint), endpoint)
  }

  again(): void {
    for (const endpoint of this.#targets.values())
      this.#prober.say(`call ${endpointText(endpoint)}`, endpoint)
  }

  #called(from: Endpoint, to: string): void {
    this.#prober.say(`answer ${to}`, from)
    this.call([from])
  }
}
