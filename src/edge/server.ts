/**
 * The shell: WebSockets and HTTP on one port.
 *
 *   uWebSockets.js ─┬─ path of a channel ─→ upgrade.ts ─→ Intake ─→ Connection
 *                   └─ else              ─→ http.ts ─→ Router
 *
 * A new certificate gets an app of its own on the same port; sessions over the old one live on.
 */
import {
  App,
  type HttpRequest,
  type HttpResponse,
  SSLApp,
  type TemplatedApp,
  type us_listen_socket,
  us_listen_socket_close,
  type us_socket_context_t,
  us_socket_local_port,
} from 'uWebSockets.js'
import { CLOSE } from '../protocol/close-codes.js'
import type { Channel } from './channel.js'
import { BadCertificate, ListenFailed } from './errors.js'
import type { HttpError } from '../http/faults.js'
import { type HttpHandler, write } from './http.js'
import type { Remotes } from './remote.js'
import { faultReply } from '../http/reply.js'
import { refusal } from './upgrade.js'
import { type SocketData, UwsSocket } from './uws-socket.js'

export interface ServerOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** Paths of PEM files. */
  readonly tls: { readonly cert: string; readonly key: string } | null
  /** The kinds of WebSockets that there are. */
  readonly channels: readonly Channel[]
  readonly remotes: Remotes
  readonly http: HttpHandler
  /** Hears of every upgrade that was refused, and at which path. */
  readonly refused?: (fault: HttpError, path: string) => void
  /** Hears of what our own code threw while a socket was served; that socket is closed. */
  readonly faulted: (error: unknown, remote: string) => void
}

export interface EdgeServer {
  readonly port: number
  /** Reads the certificate again. Throws and keeps the old one when it cannot be used. */
  reload(): void
  /** Takes no more connections; those that are open live on. */
  shut(): void
  /** Ends everything at once. */
  close(): void
}

/** Returns a server that listens, or throws a ListenFailed. */
export function listen(options: ServerOptions): EdgeServer {
  const apps: TemplatedApp[] = []
  let app = createApp(options, apps)
  let port = options.port
  let socket = open(app, options.host, port)
  if (port === 0) {
    // Taken again by its number: only then can another app take it over.
    port = us_socket_local_port(socket)
    us_listen_socket_close(socket)
    socket = open(app, options.host, port)
  }
  let shut = false
  const stopListening = () => {
    if (!shut) us_listen_socket_close(socket)
    shut = true
  }
  return {
    port,
    reload() {
      if (shut) return
      app = createApp(options, apps)
      us_listen_socket_close(socket)
      socket = open(app, options.host, port)
    },
    shut: stopListening,
    close() {
      stopListening()
      for (const each of apps) each.close()
    },
  }
}

function open(app: TemplatedApp, host: string, port: number): us_listen_socket {
  let socket: us_listen_socket | false = false
  // Exclusively: a second coordinator on the same port would otherwise get every other connection.
  const listenOn = app.listen.bind(app) as unknown as (
    host: string,
    port: number,
    options: number,
    opened: (socket: us_listen_socket | false) => void,
  ) => void // this form works and is missing from the package's types
  listenOn(host, port, EXCLUSIVE_PORT, opened => {
    socket = opened
  })
  if (socket === false) throw new ListenFailed(host, port)
  return socket
}

/** LIBUS_LISTEN_EXCLUSIVE_PORT; the package declares it as a type only. */
const EXCLUSIVE_PORT = 1

function createApp(options: ServerOptions, apps: TemplatedApp[]): TemplatedApp {
  const app = options.tls === null ? App() : tlsApp(options.tls)
  for (const channel of options.channels) addChannel(app, channel, options)
  app.any('/*', options.http)
  apps.push(app)
  return app
}

function addChannel(app: TemplatedApp, channel: Channel, options: ServerOptions): void {
  const { faulted } = options
  const { intake } = channel

  /** Our own fault closes the one socket it happened on. */
  const guarded = (data: SocketData, run: () => void) => {
    try {
      run()
    } catch (error) {
      faulted(error, data.remote)
      data.socket?.close(CLOSE.faulted.code, CLOSE.faulted.doc)
    }
  }

  app.ws<SocketData>(channel.path, {
    compression: 0,
    maxPayloadLength: channel.messageMax,
    maxBackpressure: channel.waitingMax,
    closeOnBackpressureLimit: true,
    idleTimeout: channel.silenceS,
    sendPingsAutomatically: channel.silenceS > 0,
    upgrade: (res, req, context) => upgrade(options, channel, res, req, context),
    open: ws => {
      const data = ws.getUserData()
      data.socket = new UwsSocket(ws, data.remote)
      const { socket } = data
      guarded(data, () => {
        data.connection = intake.opened(socket)
      })
    },
    message: (ws, message, isBinary) => {
      const data = ws.getUserData()
      // As `guarded`, without a closure for each message.
      try {
        if (isBinary) data.connection?.received(new Uint8Array(message))
        else data.connection?.receivedText()
      } catch (error) {
        faulted(error, data.remote)
        data.socket?.close(CLOSE.faulted.code, CLOSE.faulted.doc)
      }
    },
    ping: ws => guarded(ws.getUserData(), () => ws.getUserData().connection?.pinged()),
    drain: ws => guarded(ws.getUserData(), () => ws.getUserData().connection?.drained()),
    close: (ws, code) => {
      const data = ws.getUserData()
      data.socket?.forget()
      guarded(data, () => data.connection?.closed(code))
    },
  })
}

function tlsApp(tls: { readonly cert: string; readonly key: string }): TemplatedApp {
  try {
    return SSLApp({ cert_file_name: tls.cert, key_file_name: tls.key })
  } catch (error) {
    throw new BadCertificate(tls.cert, tls.key, { cause: error })
  }
}

function upgrade(
  { remotes, refused: hear }: ServerOptions,
  channel: Channel,
  res: HttpResponse,
  req: HttpRequest,
  context: us_socket_context_t,
): void {
  const remote = remotes.of(new Uint8Array(res.getRemoteAddress()), req.getHeader('x-forwarded-for')).address
  const refused = refusal(
    {
      protocols: req.getHeader('sec-websocket-protocol'),
      version: req.getHeader('sec-websocket-version'),
      origin: req.getHeader('origin'),
      host: req.getHeader('host'),
      query: req.getQuery() ?? '',
      remote,
    },
    channel,
  )
  if (refused !== null) {
    hear?.(refused, channel.path)
    return write(res, faultReply(refused), {}, false, true)
  }
  const data: SocketData = { remote, socket: null, connection: null }
  // No extensions: compression would let a few bytes become many.
  res.upgrade(data, req.getHeader('sec-websocket-key'), channel.subprotocol, '', context)
}
