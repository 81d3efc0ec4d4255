/** An operator’s socket over the real port, as a page or a command line would hold it. */
import { WebSocket } from 'ws'
import type { Test } from 'tap'
import {
  OPERATOR_PATH,
  OPERATOR_SUBPROTOCOL,
  operatorCodec,
  type OperatorWire,
  type OperatorWireOf,
} from '../../src/protocol/operator.js'
import { until } from './until.js'

export class OperatorSocket {
  /** Everything that was heard, in order. */
  readonly heard: OperatorWire[] = []
  /** null: it is open. */
  closed: { readonly code: number; readonly reason: string } | null = null
  readonly ws: WebSocket
  #number = 0

  private constructor(ws: WebSocket) {
    this.ws = ws
    ws.on('message', (data: Buffer) => this.heard.push(...operatorCodec.decodeAll(data)))
    ws.on('close', (code, reason) => (this.closed = { code, reason: String(reason) }))
  }

  /** Resolves with an open socket that has not said anything yet; it is cut off when the test ends. */
  static async open(t: Test, port: number, headers: Readonly<Record<string, string>> = {}) {
    const ws = new WebSocket(`ws://127.0.0.1:${port}${OPERATOR_PATH}`, OPERATOR_SUBPROTOCOL, { headers })
    t.teardown(() => ws.terminate())
    const socket = new OperatorSocket(ws)
    await new Promise((resolve, reject) => {
      ws.once('open', resolve)
      ws.once('error', reject)
    })
    return socket
  }

  /** Resolves with a socket whose token was taken. */
  static async signedIn(t: Test, port: number, token: string) {
    const socket = await OperatorSocket.open(t, port)
    socket.say({ type: 'operator.hello', token })
    await socket.next('operator.ready')
    return socket
  }

  say(...events: readonly OperatorWire[]): void {
    this.ws.send(Buffer.concat(events.map(event => operatorCodec.encode(event))))
  }

  /** Resolves with the first message of this type that was heard at place `from` or later, and that `fits`. */
  async next<N extends OperatorWire['type']>(
    type: N,
    fits: (event: OperatorWireOf<N>) => boolean = () => true,
    from = 0,
  ): Promise<OperatorWireOf<N>> {
    return until(`${type} is heard`, () => this.all(type, from).find(fits))
  }

  all<N extends OperatorWire['type']>(type: N, from = 0): readonly OperatorWireOf<N>[] {
    return this.heard.slice(from).filter((event): event is OperatorWireOf<N> => event.type === type)
  }

  /** Resolves with the answer to a call. */
  async call(
    method: OperatorWireOf<'operator.call'>['method'],
    path: string,
    body?: OperatorWireOf<'operator.call'>['body'],
  ): Promise<OperatorWireOf<'operator.answer'>> {
    const requestId = ++this.#number
    this.say({ type: 'operator.call', requestId, method, path, ...(body !== undefined && { body }) })
    return this.next('operator.answer', answer => answer.requestId === requestId)
  }

  /** Resolves with how the other end closed it. */
  async ended(): Promise<{ readonly code: number; readonly reason: string }> {
    return until('the socket is closed', () => this.closed)
  }
}
