/**
 * One node that has much to say: it opens its links, and reports on one of them after the other, many times a second.
 *
 *   busy-node.js <port> <session> <reports a second>
 */
import { WebSocket } from 'ws'
import { decodeAll, encode } from '../../src/protocol/codec.js'
import { EXAMPLES } from '../../src/protocol/examples.js'
import { MESH_PATH, SUBPROTOCOL } from '../../src/protocol/timing.js'
import { ticketOf } from '../servers/population.js'

const [port, session, perSecond] = process.argv.slice(2)
const BEAT_EVERY_MS = 5_000

const links: number[] = []
const socket = new WebSocket(`ws://127.0.0.1:${port}${MESH_PATH}`, SUBPROTOCOL, { perMessageDeflate: false })
socket.on('error', error => process.stderr.write(`${error.message}\n`))
socket.on('close', () => process.exit(1))
socket.on('message', (data: Buffer) => {
  for (const event of decodeAll(data)) {
    if (event.type === 'welcome') {
      socket.send(encode({ type: 'resume', ticket: ticketOf(Number(session)) }))
    } else if (event.type === 'path.open') {
      links.push(event.link)
      socket.send(encode({ type: 'path.ready', link: event.link }))
    } else if (event.type === 'resumed') {
      begin()
    } else if (event.type === 'refused' || event.type === 'error') {
      process.stderr.write(`${event.code}: ${event.reason}\n`)
      process.exit(1)
    }
  }
})

function begin(): void {
  let said = 0
  setInterval(() => socket.send(encode(EXAMPLES.heartbeat)), BEAT_EVERY_MS)
  setInterval(() => {
    const link = links[said++ % links.length]
    if (link !== undefined) socket.send(encode({ ...EXAMPLES['path.report'], link, sentBytes: said }))
  }, 1_000 / Number(perSecond))
  process.stdout.write('"standing"\n')
}

process.stdin.on('close', () => process.exit(0)).resume()
