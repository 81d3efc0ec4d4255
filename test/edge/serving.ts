/** The edge over real sockets, in front of an intake that writes down what it hears. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, type Socket as NetSocket } from 'node:net'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import { z } from 'zod'
import type { Connection, Intake, Socket } from '../../src/actors/ports.js'
import { Allowances } from '../../src/edge/allowances.js'
import { bearers, recogniser } from '../../src/edge/bearer.js'
import { type HttpOptions, httpHandler } from '../../src/edge/http.js'
import { meshChannel } from '../../src/edge/mesh-channel.js'
import type { Served } from '../../src/edge/visit.js'
import { Remotes } from '../../src/edge/remote.js'
import { endpoint } from '../../src/http/endpoint.js'
import { json, text } from '../../src/http/reply.js'
import { type Route, Router } from '../../src/http/router.js'
import { type EdgeServer, listen, type ServerOptions } from '../../src/edge/server.js'
import { systemClock } from '../../src/kit/clock.js'

export const TOKEN = 'a-token-that-is-known-to-this-test-only'

/** Requests to /slow that wait for an answer. */
export const slow: (() => void)[] = []

const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/hello', access: 'open', handle: () => text('grüße') },
  { method: 'GET', path: '/secret', access: 'operator', handle: () => text('secret') },
  { method: 'GET', path: '/local', access: 'local', handle: () => text('local') },
  { method: 'GET', path: '/who', access: 'open', handle: ({ remote }) => text(remote) },
  { method: 'GET', path: '/things/{id}', access: 'open', handle: ({ params }) => text(params.id ?? '') },
  {
    method: 'GET',
    path: '/broken',
    access: 'open',
    handle: () => {
      throw new Error('the password is hunter2')
    },
  },
  {
    method: 'GET',
    path: '/slow',
    access: 'open',
    handle: async () => {
      await new Promise<void>(resolve => slow.push(resolve))
      return text('late')
    },
  },
  endpoint({
    method: 'POST',
    path: '/sum',
    access: 'open',
    tag: 'nodes',
    summary: 'Adds numbers up',
    body: z.object({ numbers: z.array(z.number()) }),
    replies: { 200: { description: 'The sum.', schema: z.object({ sum: z.number() }) } },
    handle: ({ body: { numbers } }) => json({ sum: numbers.reduce((sum, number) => sum + number, 0) }),
  }),
]

interface Seen {
  readonly socket: Socket
  readonly messages: string[]
  readonly told: string[]
  throws: boolean
}

/** An intake that writes down what it hears. */
class Notebook implements Intake {
  readonly sockets: Seen[] = []
  retryAfterS: number | null = null

  admit(): ReturnType<Intake['admit']> {
    return this.retryAfterS === null ? { ok: true } : { ok: false, retryAfterS: this.retryAfterS }
  }

  opened(socket: Socket): Connection {
    const seen: Seen = { socket, messages: [], told: [], throws: false }
    this.sockets.push(seen)
    return {
      received: message => {
        if (seen.throws) throw new Error('our own fault')
        seen.messages.push(Buffer.from(message).toString('hex'))
      },
      receivedText: () => seen.told.push('text'),
      pinged: () => seen.told.push('ping'),
      drained: () => undefined,
      closed: code => seen.told.push(`closed ${code}`),
    }
  }
}

interface HttpWishes {
  readonly trustedProxies?: readonly string[]
  readonly perMinute?: number
  readonly cors?: readonly string[]
}

export function serve(
  t: Test,
  { origins = [], ...wishes }: Partial<ServerOptions> & { readonly origins?: readonly string[] } = {},
  http: HttpWishes = {},
) {
  const intake = new Notebook()
  const faults: unknown[] = []
  const requests: Served[] = []
  const refusals: string[] = []
  const remotes = new Remotes(http.trustedProxies ?? [])
  const httpOptions: HttpOptions = {
    clock: systemClock,
    router: new Router(ROUTES),
    remotes,
    recognise: recogniser(bearers(TOKEN)),
    allowances: {
      address: new Allowances(systemClock, http.perMinute ?? 6_000),
      identity: new Allowances(systemClock, http.perMinute ?? 6_000),
    },
    corsOrigins: new Set(http.cors ?? []),
    served: request => requests.push(request),
    faulted: error => faults.push(error),
  }
  const options: ServerOptions = {
    host: '127.0.0.1',
    port: 0,
    tls: null,
    channels: [meshChannel(intake, origins)],
    remotes,
    http: httpHandler(httpOptions),
    refused: fault => refusals.push(fault.code),
    faulted: error => faults.push(error),
    ...wishes,
  }
  const server: EdgeServer = listen(options)
  t.teardown(() => server.close())
  const url = `ws://127.0.0.1:${server.port}`
  const get = (path: string, ask: Ask = {}) => fetchPage(server.port, path, ask)
  return { server, port: server.port, url, options, intake, faults, requests, refusals, get }
}

interface Ask {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

/** Plain node:http: `fetch` would hide headers and refuse methods. */
export function fetchPage(port: number, path: string, { method = 'GET', headers = {}, body }: Ask) {
  return new Promise<{ status: number; headers: IncomingMessage['headers']; body: string }>(
    (resolve, reject) => {
      const request = httpRequest(
        { port, path, method, headers, host: '127.0.0.1', agent: false },
        response => {
          const pieces: Buffer[] = []
          response.on('data', (piece: Buffer) => pieces.push(piece))
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(pieces).toString(),
            }),
          )
        },
      )
      request.on('error', reject)
      request.end(body)
    },
  )
}

export async function dial(t: Test, url: string): Promise<WebSocket> {
  const ws = new WebSocket(`${url}/mesh`, 'boson.v1', { rejectUnauthorized: false })
  t.teardown(() => ws.terminate())
  await new Promise((resolve, reject) => {
    ws.once('open', resolve)
    ws.once('error', reject)
  })
  return ws
}

/** Asks for an upgrade by hand, with any headers. */
export function knock(url: string, path: string, headers: Record<string, string>) {
  return new Promise<{ status: number; headers: IncomingMessage['headers']; body: string }>(
    (resolve, reject) => {
      const request = httpRequest({
        port: new URL(url).port,
        host: '127.0.0.1',
        path,
        agent: false,
        headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': KEY, ...headers },
      })
      request.on('response', response => {
        let body = ''
        response.on('data', piece => (body += String(piece)))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        )
      })
      request.on('upgrade', (response, socket) => {
        socket.destroy()
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: '' })
      })
      request.on('error', reject)
      request.end()
    },
  )
}

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

export async function rawSocket(t: Test, url: string): Promise<NetSocket> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true })
  t.teardown(() => socket.destroy())
  socket.write(
    `GET /mesh HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${KEY}\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: boson.v1\r\n\r\n',
  )
  await new Promise(resolve => socket.once('data', resolve))
  return socket
}
