/**
 * An operator with the page open, in a process of its own: says on the socket what the page says, and reads what comes.
 *
 *   operator.js <port> <token>
 *
 * On stdin `open <JSON of Attached>` attaches, `close` lets go; each is answered with the counts so far. Its priority is the
 * lowest: in the field it runs elsewhere, and must not take the core from those who wait for the answer to a heartbeat.
 */
import { constants, setPriority } from 'node:os'
import { createInterface } from 'node:readline'
import { WebSocket } from 'ws'
import {
  OPERATOR_PATH,
  OPERATOR_SUBPROTOCOL,
  operatorCodec,
  type OperatorWire,
} from '../../src/protocol/operator.js'

/** What a page has open. */
export interface Attached {
  readonly watches: readonly { readonly path: string; readonly everyMs: number }[]
  /** Actors whose steps are heard. */
  readonly follows: readonly string[]
}

/** What has come so far. */
export interface Seen {
  views: number
  events: number
  dropped: number
  bytes: number
}

const [port, token = ''] = process.argv.slice(2)
setPriority(constants.priority.PRIORITY_LOW)

const seen: Seen = { views: 0, events: 0, dropped: 0, bytes: 0 }
let socket: WebSocket | undefined
let failed: (reason: string) => void = () => {}

function open(attached: Attached): Promise<void> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}${OPERATOR_PATH}`, OPERATOR_SUBPROTOCOL, {
    perMessageDeflate: false,
  })
  socket = ws
  const say = (...events: readonly OperatorWire[]) =>
    ws.send(Buffer.concat(events.map(event => operatorCodec.encode(event))))
  return new Promise((resolve, reject) => {
    failed = reason => reject(new Error(reason))
    ws.on('error', reject)
    ws.on('open', () => say({ type: 'operator.hello', token }))
    ws.on('close', (code, reason) => failed(`the socket was closed: ${code} ${String(reason)}`))
    ws.on('message', (data: Buffer) => {
      seen.bytes += data.length
      for (const message of operatorCodec.decodeAll(data)) {
        if (message.type === 'operator.ready') {
          say(...asked(attached))
          resolve()
        }
        hear(message)
      }
    })
  })
}

function hear(message: OperatorWire): void {
  switch (message.type) {
    case 'operator.view':
      if (message.status !== 200) throw new Error(`a view of status ${message.status}`)
      seen.views++
      return
    case 'operator.events':
      seen.events += message.events.length
      seen.dropped += message.dropped
      return
    case 'operator.ended':
      throw new Error(`a watch ended: ${message.reason}`)
    default:
  }
}

const asked = ({ watches, follows }: Attached): OperatorWire[] => [
  ...watches.map((watch, i) => ({ type: 'operator.watch' as const, watchId: 1 + i, ...watch })),
  ...follows.map((of, i) => ({
    type: 'operator.follow' as const,
    watchId: 1 + watches.length + i,
    topic: 'actor' as const,
    of,
  })),
]

async function close(): Promise<void> {
  const ws = socket
  if (ws === undefined) return
  failed = () => {}
  await new Promise(resolve => {
    ws.on('close', resolve)
    ws.close(1000)
  })
}

async function answer(line: string): Promise<void> {
  if (line.startsWith('open ')) await open(JSON.parse(line.slice(5)) as Attached) // as the bench writes it
  if (line === 'close') await close()
  process.stdout.write(`${JSON.stringify(seen)}\n`)
}

createInterface({ input: process.stdin })
  .on('line', line => void answer(line))
  .on('close', () => process.exit(0))
