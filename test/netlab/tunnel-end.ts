/**
 * One end of a WireGuard tunnel as a program: a `WireGuardTunnel` with one link, whose packets travel through a
 * Unix socket instead of a coordinator. Such a socket is a file, so that it reaches into another namespace.
 */
import { createServer, connect, type Socket } from 'node:net'
import { WireGuardTunnel } from '../../src/agent/wireguard/tunnel.js'
import { Ledger } from '../../src/agent/system/ledger.js'
import { run } from '../../src/agent/system/run.js'

export interface TunnelEnd {
  /** The Unix socket; the end that listens makes it. */
  readonly path: string
  readonly listen: boolean
  readonly ledger: string
  readonly interface: string
  readonly privateKey: string
  readonly peerKey: string
  readonly own4: string
  readonly own6: string
  readonly peer: readonly string[]
}

const LINK = 0x1_0000
const end = JSON.parse(process.argv[2] ?? '') as TunnelEnd // written by the test that starts this program
const { ledger, recovered } = await Ledger.open(end.ledger, run)
const log = { debug: say, info: say, warn: say, error: say }
const tunnel = new WireGuardTunnel({ privateKey: end.privateKey, interface: end.interface, ledger, log })
await tunnel.addressed({ overlay4: end.own4, overlay6: end.own6, mtu: 9_000 })
process.once('SIGTERM', () => void tunnel.stop().then(() => process.exit(0)))

const relay = await meet()
relay.on('error', () => say({ gone: true }))
let rest = Buffer.alloc(0)
relay.on('data', data => {
  rest = Buffer.concat([rest, data])
  while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
    const size = 2 + rest.readUInt16BE(0)
    tunnel.deliver(LINK, rest.subarray(2, size))
    rest = rest.subarray(size)
  }
})
await tunnel.open(
  {
    link: LINK,
    routeId: 'route',
    peerId: 'peer',
    peerKey: Buffer.from(end.peerKey, 'base64'),
    peerOverlay4: '',
    peerOverlay6: '',
    allowedIps: [...end.peer],
    keepaliveS: 1,
  },
  packet => {
    const frame = Buffer.alloc(2 + packet.length)
    frame.writeUInt16BE(packet.length)
    frame.set(packet, 2)
    relay.write(frame)
  },
)
say({ ready: true, recovered: recovered.map(each => each.kind) })
process.on('SIGUSR2', () => say({ metrics: tunnel.metrics(LINK) }))

function say(fields: object): void {
  process.stdout.write(`${JSON.stringify(fields)}\n`)
}

function meet(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (end.listen) createServer(resolve).listen(end.path)
    else {
      const socket = connect(end.path, () => resolve(socket))
      socket.once('error', reject)
    }
  })
}
