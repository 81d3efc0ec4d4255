/** Someone who is called by webhooks: a real HTTP server on loopback that remembers what it was sent. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { until } from './until.js'

export interface Received {
  readonly headers: IncomingHttpHeaders
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of it by asserting it
  readonly body: any
}

/** Answers the nth request, counted from 0; what it does not answer hangs. */
export type AnswerRequest = (response: ServerResponse, nth: number, received: Received) => void

export interface Receiver {
  readonly url: string
  readonly port: number
  readonly received: Received[]
  answer: AnswerRequest
  /** Resolves with the first `count` requests; rejects when they do not come in time. */
  got(count: number): Promise<readonly Received[]>
  close(): Promise<void>
}

export const accept: AnswerRequest = response => void response.writeHead(204).end()
export const reject: AnswerRequest = response => void response.writeHead(500).end('no')

export interface ReceiverOptions {
  /** Any free one when absent. */
  readonly port?: number
  /** PEM; without it, it speaks plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string }
}

/** Starts a receiver on loopback, which ends with the test. */
export async function receiver(
  t: Test,
  answer: AnswerRequest = accept,
  { port = 0, tls }: ReceiverOptions = {},
): Promise<Receiver> {
  const listener: RequestListener = (request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const text = Buffer.concat(pieces).toString()
      const one = { headers: request.headers, text, body: JSON.parse(text) as unknown }
      receiving.received.push(one)
      receiving.answer(response, receiving.received.length - 1, one)
    })
  }
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const at = (server.address() as AddressInfo).port // it listens on a port
  const receiving: Receiver = {
    url: `${tls === undefined ? 'http://127.0.0.1' : 'https://localhost'}:${at}/hook?from=boson`,
    port: at,
    received: [],
    answer,
    async got(count) {
      await until(`${count} events have arrived`, () => receiving.received.length >= count)
      return receiving.received
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  t.teardown(() => receiving.close())
  return receiving
}

/** Checks a signature as the documentation tells receivers to; returns whether one of its parts is by this secret. */
export function isSigned({ headers, text }: Received, secret: string, nowMs = Date.now()): boolean {
  const parts = String(headers['boson-signature'])
    .split(',')
    .map(part => part.split('=') as [string, string])
  const at = parts.find(([name]) => name === 't')?.[1]
  if (at === undefined || Math.abs(nowMs / 1000 - Number(at)) > 300) return false
  const wanted = createHmac('sha256', secret).update(`${at}.${text}`).digest()
  return parts.some(([name, hex]) => {
    const given = Buffer.from(hex, 'hex')
    return name === 'v1' && given.length === wanted.length && timingSafeEqual(given, wanted)
  })
}
