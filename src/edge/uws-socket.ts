/** A uWebSockets.js socket behind the port of the mesh. Nothing is asked of it once it is gone. */
import type { WebSocket } from 'uWebSockets.js'
import type { Connection, Socket } from '../actors/ports.js'
import { SENT, type SendResult } from '../protocol/sent.js'

/** What uWebSockets.js keeps for each socket. */
export interface SocketData {
  readonly remote: string
  socket: UwsSocket | null
  connection: Connection | null
}

export class UwsSocket implements Socket {
  readonly remote: string
  #ws: WebSocket<SocketData> | null

  constructor(ws: WebSocket<SocketData>, remote: string) {
    this.#ws = ws
    this.remote = remote
  }

  send(bytes: Uint8Array): SendResult {
    if (this.#ws === null) return SENT.dropped
    return this.#ws.send(bytes, true) as SendResult // the numbers are uWebSockets’ own
  }

  buffered(): number {
    return this.#ws?.getBufferedAmount() ?? 0
  }

  close(code: number, reason: string): void {
    const ws = this.#ws
    // Forgotten first: `end` calls the close handler before it returns.
    this.#ws = null
    ws?.end(code, short(reason))
  }

  /** The socket is gone; the object may live on. */
  forget(): void {
    this.#ws = null
  }
}

/** A close frame holds 125 bytes, two of them the code (RFC 6455 §5.5). */
const REASON_MAX = 123

function short(reason: string): string {
  if (Buffer.byteLength(reason) <= REASON_MAX) return reason
  const cut = Buffer.from(reason).subarray(0, REASON_MAX).toString()
  return cut.replace(/\uFFFD+$/, '')
}
