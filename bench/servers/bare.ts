/**
 * The limits: bare uWebSockets servers that do one thing with no check at all. They share no code with the
 * product, so that they stay the same when it changes.
 *
 *   echo    every message goes back
 *   bundle  messages for one destination are gathered during the turn and leave as one message
 *   each    every message is sent on at once, from inside the sender's handler
 *   all     every message is sent on at once to everybody else
 *   storm   messages between 0 and 1 are sent on at once, all others go back
 *
 * Connections come with `?id=N`; 2n and 2n+1 are each other's destination.
 */
import { App, us_socket_local_port, type WebSocket } from 'uWebSockets.js'
import { attend } from './control.js'

interface End {
  readonly id: number
  gathered: Uint8Array | null
  size: number
}
type Peer = WebSocket<End>

/** The largest message that one turn gathers, bytes. */
const BUNDLE_MAX = 65_536
/** What the socket may hold back, bytes: enough that no bench message is ever refused. */
const BACKPRESSURE_MAX = 16 * 1024 * 1024

const peers: (Peer | undefined)[] = []
const other = (ws: Peer): Peer | undefined => peers[ws.getUserData().id ^ 1]

const spare: Uint8Array[] = []
let gathering: Peer[] = []

function leave(to: Peer): void {
  const end = to.getUserData()
  if (end.gathered === null) return
  if (peers[end.id] === to) to.send(end.gathered.subarray(0, end.size), true)
  spare.push(end.gathered)
  end.gathered = null
  end.size = 0
}
function leaveAll(): void {
  const leaving = gathering
  gathering = []
  for (const to of leaving) leave(to)
}
function gather(to: Peer, message: Uint8Array): void {
  const end = to.getUserData()
  if (end.gathered !== null && end.size + message.length > BUNDLE_MAX) leave(to)
  if (end.gathered === null) {
    end.gathered = spare.pop() ?? new Uint8Array(BUNDLE_MAX)
    if (gathering.length === 0) setImmediate(leaveAll)
    gathering.push(to)
  }
  end.gathered.set(message, end.size)
  end.size += message.length
}

const sendOn = (ws: Peer, message: ArrayBuffer) => void other(ws)?.send(message, true)
const sendBack = (ws: Peer, message: ArrayBuffer) => void ws.send(message, true)

const MODES: Readonly<Record<string, (ws: Peer, message: ArrayBuffer) => void>> = {
  echo: sendBack,
  bundle: (ws, message) => {
    const to = other(ws)
    if (to !== undefined) gather(to, new Uint8Array(message))
  },
  each: sendOn,
  all: (ws, message) => {
    for (const peer of peers) if (peer !== ws) peer?.send(message, true)
  },
  storm: (ws, message) => (ws.getUserData().id < 2 ? sendOn : sendBack)(ws, message),
}

const message = MODES[process.argv[2] ?? '']
if (message === undefined) throw new Error(`wanted one of ${Object.keys(MODES).join(', ')}`)

App()
  .ws<End>('/*', {
    compression: 0,
    maxPayloadLength: BUNDLE_MAX,
    maxBackpressure: BACKPRESSURE_MAX,
    idleTimeout: 120,
    upgrade: (res, req, context) =>
      res.upgrade<End>(
        { id: Number(req.getQuery('id')), gathered: null, size: 0 },
        req.getHeader('sec-websocket-key'),
        req.getHeader('sec-websocket-protocol'),
        req.getHeader('sec-websocket-extensions'),
        context,
      ),
    open: ws => void (peers[ws.getUserData().id] = ws),
    message,
    close: ws => {
      const { id } = ws.getUserData()
      if (peers[id] === ws) peers[id] = undefined
    },
  })
  .listen('127.0.0.1', 0, socket => {
    if (socket === false) throw new Error('no port to listen on')
    attend(us_socket_local_port(socket))
  })
