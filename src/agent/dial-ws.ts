/** Dials the coordinator with the package `ws`, which turns Nagle's delay off by itself. */
import type { LookupFunction } from 'node:net'
import { WebSocket, type ClientOptions } from 'ws'
import { MESSAGE_MAX, SUBPROTOCOL } from '../protocol/timing.js'
import { isLoopback } from './address.js'
import type { AgentSocket, Dial, SocketEvents } from './ports.js'
import { AGENT_TIMING } from './timing.js'

export interface DialWsOptions {
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca?: string | Uint8Array | undefined
  /** Takes any certificate: for a first try, never for a mesh. */
  readonly insecure?: boolean | undefined
  /** Resolves the coordinator's name instead of the system's resolver. */
  readonly lookup?: LookupFunction | undefined
}

/** Once closed from this side, the socket gets this long for the close frame of the other, ms. */
const CLOSE_PATIENCE_MS = 2_000

export function dialWs({ ca, insecure = false, lookup }: DialWsOptions = {}): Dial {
  return (url, events) => {
    const { protocol, hostname } = new URL(url)
    const options: ClientOptions & { closeTimeout: number } = {
      handshakeTimeout: AGENT_TIMING.dialMs,
      closeTimeout: CLOSE_PATIENCE_MS,
      maxPayload: MESSAGE_MAX,
      // Packets are encrypted: they do not shrink, and a deflate context per socket is memory for nothing.
      perMessageDeflate: false,
      // Text is not of this protocol, so nothing needs to be checked for UTF-8.
      skipUTF8Validation: true,
      // Several messages of one read are handed over in one turn, so that answers bundle.
      allowSynchronousEvents: true,
      rejectUnauthorized: !insecure,
      ...(ca === undefined ? {} : { ca: Buffer.from(ca) }),
      ...(lookup === undefined ? {} : { lookup }),
      ...(protocol === 'wss:' || isLoopback(hostname) ? { generateMask: noMask } : {}),
    }
    return attach(new WebSocket(url, SUBPROTOCOL, options), events)
  }
}

/**
 * The zero mask leaves the payload as it is and saves a pass over every byte. Masking keeps what a web page
 * sends from looking like HTTP to an old proxy (RFC 6455 §10.3): nothing reads within TLS or this machine,
 * and plain connections elsewhere keep their random masks.
 */
const noMask = (mask: Buffer): void => void mask.fill(0)

function attach(ws: WebSocket, events: SocketEvents): AgentSocket {
  let failure = ''
  let retryAfterMs: number | undefined
  ws.binaryType = 'nodebuffer'
  ws.on('open', () => events.opened())
  ws.on('message', (data, isBinary) => {
    if (isBinary)
      events.received(data as Buffer) // binaryType above
    else ws.close(1003, 'binary messages only')
  })
  ws.on('unexpected-response', (_, response) => {
    failure = `HTTP ${response.statusCode} ${response.statusMessage ?? ''}`.trim()
    const seconds = Number(response.headers['retry-after'])
    if (seconds >= 0) retryAfterMs = seconds * 1_000
    response.destroy()
    ws.terminate()
  })
  ws.on('error', error => {
    failure ||= error.message
  })
  ws.on('close', (code, reason) => events.closed(code, reason.toString() || failure, retryAfterMs))
  return {
    send: bytes => {
      // Copied, as `ws` may keep the bytes until the kernel takes them. `ws` sends nothing once it closes.
      if (ws.readyState === WebSocket.OPEN) ws.send(Buffer.from(bytes), { binary: true }, ignored)
    },
    buffered: () => ws.bufferedAmount,
    close: (code, reason) => ws.close(code, reason),
  }
}

/** A send that fails is followed by `close`. */
const ignored = (): void => {}
