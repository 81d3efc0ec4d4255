import type { OwnFigures, OwnSocket } from '../../../src/agent/ports.js'
import type { Clock } from '../../../src/kit/clock.js'
import { endpointText } from '../../../src/protocol/address.js'

/** A socket that writes down what it is told; a test sets what it hears. */
export class NotebookSocket implements OwnSocket {
  readonly did: string[] = []
  figure: OwnFigures = { at: { address: '198.51.100.12', port: 40_002 }, sentBytes: 0, receivedBytes: 0 }
  looks = 0
  deaf = false
  broken = false
  /** How long a look takes, ms. */
  lookMs = 0
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async steer(_: number, to: Parameters<OwnSocket['steer']>[1]): Promise<void> {
    this.#mayBreak()
    this.did.push(to === null ? 'steer back' : `steer ${endpointText(to.at)} ${to.keepaliveS}`)
  }

  async beckon(publicKey: Uint8Array, at: string): Promise<void> {
    this.#mayBreak()
    this.did.push(`beckon ${Buffer.from(publicKey).toString('base64')} ${at}`)
  }

  async unbeckon(publicKey: Uint8Array): Promise<void> {
    this.did.push(`unbeckon ${Buffer.from(publicKey).toString('base64')}`)
  }

  async figures(): Promise<ReadonlyMap<number, OwnFigures>> {
    this.looks++
    if (this.lookMs > 0) await new Promise<void>(resolve => this.#clock.setTimeout(resolve, this.lookMs))
    return new Map([0, 1, 2, 3].map(each => [0x1_0000 + each, this.figure]))
  }

  hears(bytes: number): void {
    const { receivedBytes } = this.figure
    this.figure = { ...this.figure, receivedBytes: receivedBytes + bytes }
  }

  /** A packet each way every 20 ms from now on. */
  traffic(): void {
    const { sentBytes, receivedBytes } = this.figure
    this.figure = {
      ...this.figure,
      sentBytes: sentBytes + 128,
      receivedBytes: receivedBytes + (this.deaf ? 0 : 128),
    }
    this.#clock.setTimeout(() => this.traffic(), 20)
  }

  #mayBreak(): void {
    if (this.broken) throw new Error('no such device')
  }
}
