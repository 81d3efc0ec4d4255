import { EventEmitter, once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import t, { type Test } from 'tap'
import { WebSocketServer } from 'ws'
import { dialWs } from '../../src/agent/dial-ws.js'
import type { AgentSocket } from '../../src/agent/ports.js'

t.test('messages travel both ways as they are', async t => {
  const { url } = await echoServer(t)
  const call = dial(t, url)
  await call.opened
  const message = new Uint8Array(65_536).fill(7)
  call.socket.send(message)
  message.fill(0)
  t.same(await call.message, new Uint8Array(65_536).fill(7), 'the bytes were copied before they were reused')
})

t.test('the subprotocol is asked for, and no compression', async t => {
  const { url, headers } = await echoServer(t)
  await dial(t, url).opened
  t.equal(headers()['sec-websocket-protocol'], 'boson.v1')
  t.equal(headers()['sec-websocket-extensions'], undefined)
  t.equal(headers()['origin'], undefined)
})

t.test('on this machine the mask is zero, and costs nothing', async t => {
  const { url, raw } = await echoServer(t)
  const call = dial(t, url)
  await call.opened
  const frame = once(raw(), 'data')
  call.socket.send(Uint8Array.of(0x91, 0x07))
  const [bytes] = (await frame) as [Buffer]
  t.same(bytes, Buffer.from([0x82, 0x82, 0, 0, 0, 0, 0x91, 0x07]))
})

t.test('a close says why, from either side', async t => {
  const { url, server } = await echoServer(t)
  const call = dial(t, url)
  await call.opened
  for (const client of server.clients) client.close(4509, 'a newer session')
  t.same(await call.closed, { code: 4509, reason: 'a newer session', retryAfterMs: undefined })

  const other = dial(t, url)
  await other.opened
  other.socket.close(1000, 'goodbye')
  t.match(await other.closed, { code: 1000 })
})

t.test('nobody there arrives as a close', async t => {
  const { url, stop } = await echoServer(t)
  await stop()
  t.match(await dial(t, url).closed, { code: 1006, reason: /ECONNREFUSED/ })
})

t.test('an HTTP refusal says which, and when to come back', async t => {
  const server = createServer((_, response) => response.writeHead(503, { 'retry-after': '7' }).end())
  const { url } = await listening(t, server)
  t.match(await dial(t, url).closed, {
    code: 1006,
    reason: 'HTTP 503 Service Unavailable',
    retryAfterMs: 7_000,
  })
})

t.test('a server that speaks something else is left', async t => {
  const http = createServer()
  const server = new WebSocketServer({ server: http, handleProtocols: () => false })
  t.teardown(() => server.close())
  const { url } = await listening(t, http)
  t.match(await dial(t, url).closed, { code: 1006, reason: /subprotocol/ })
})

t.test('a message above the bound closes the socket', async t => {
  const { url, server } = await echoServer(t)
  const call = dial(t, url)
  await call.opened
  for (const client of server.clients) client.send(new Uint8Array(65_537))
  t.match(await call.closed, { code: 1006, reason: /payload/i })
})

t.test('text is not of this protocol', async t => {
  const { url, server } = await echoServer(t)
  const call = dial(t, url)
  await call.opened
  for (const client of server.clients) client.send('hello')
  t.match(await call.closed, { code: 1003 })
})

interface Closed {
  readonly code: number
  readonly reason: string
  readonly retryAfterMs: number | undefined
}

function dial(t: Test, url: string) {
  const heard = new EventEmitter()
  const opened = once(heard, 'opened')
  const message = once(heard, 'message')
  const closed = once(heard, 'closed')
  const socket: AgentSocket = dialWs()(url, {
    opened: () => heard.emit('opened'),
    received: bytes => heard.emit('message', Uint8Array.from(bytes)),
    closed: (code, reason, retryAfterMs) => heard.emit('closed', { code, reason, retryAfterMs }),
  })
  t.teardown(() => socket.close(1000, ''))
  return {
    socket,
    opened,
    message: message.then(([bytes]) => bytes as Uint8Array), // emitted above
    closed: closed.then(([end]) => end as Closed), // emitted above
  }
}

async function echoServer(t: Test) {
  const http = createServer()
  const server = new WebSocketServer({ server: http, perMessageDeflate: true })
  const { url, stop } = await listening(t, http)
  let headers: Record<string, unknown> = {}
  let raw: Socket | undefined
  server.on('connection', (client, request) => {
    headers = request.headers
    raw = request.socket
    client.on('message', data => client.send(data as Buffer))
  })
  t.teardown(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  return { url, server, stop, headers: () => headers, raw: () => raw as Socket } // set by the connection
}

async function listening(t: Test, server: Server) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = () => new Promise<void>(resolve => server.close(() => resolve()))
  t.teardown(() => server.closeAllConnections())
  t.teardown(stop)
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/mesh`, stop }
}
