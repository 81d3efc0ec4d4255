/** A forwarder as one writes it with the `ws` package: each message is sent on when it comes. For comparison. */
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import { attend } from './control.js'

const peers: (WebSocket | undefined)[] = []
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, backlog: 4_096 })

server.on('connection', (socket, request) => {
  const id = Number(new URL(request.url ?? '/', 'http://localhost').searchParams.get('id'))
  peers[id] = socket
  socket.on('message', data => peers[id ^ 1]?.send(data, { binary: true }))
  socket.on('close', () => (peers[id] = undefined))
})
server.on('listening', () => attend((server.address() as AddressInfo).port)) // a TCP server has one
