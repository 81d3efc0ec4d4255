/** HTTP on the port of the mesh: reads what is asked and by whom, and writes what the visit comes to. */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js'
import type { Recognise } from '../http/caller.js'
import { badRequest, type HttpError } from '../http/faults.js'
import { empty, PHRASES, type Reply } from '../http/reply.js'
import type { Match } from '../http/router.js'
import { readBody } from './body.js'
import type { Remotes } from './remote.js'
import { type House, Visit } from './visit.js'

export interface HttpOptions extends House {
  readonly remotes: Remotes
  readonly recognise: Recognise
  /** Web pages that may call from a browser. */
  readonly corsOrigins: ReadonlySet<string>
}

export type HttpHandler = (res: HttpResponse, req: HttpRequest) => void

const WITH_BODY = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** Returns the handler for everything that is not a WebSocket. */
export function httpHandler(options: HttpOptions): HttpHandler {
  const { remotes } = options
  return (res, req) => {
    let aborted = false
    res.onAborted(() => {
      aborted = true
    })
    const method = req.getCaseSensitiveMethod()
    let lengths = 0
    const headers = new Map<string, string>()
    req.forEach((name, value) => {
      if (name === 'content-length') lengths++
      headers.set(name, value)
    })
    const remote = remotes.of(new Uint8Array(res.getRemoteAddress()), headers.get('x-forwarded-for') ?? '')
    const knock = { method, path: req.getUrl(), query: req.getQuery() ?? '', headers, remote }
    const visit = new Visit(options, knock, (reply, isFault) => {
      if (aborted) return
      const cors = corsHeaders(options.corsOrigins, headers.get('origin'))
      // A body that was not read would be taken for the next request.
      res.cork(() => write(res, reply, cors, method === 'HEAD', isFault && WITH_BODY.has(method)))
    })
    const { match } = visit

    try {
      // A proxy before us may heed the other one: then the rest of the body is somebody's request.
      if (lengths > 1) throw badRequest('the request has several lengths')
      if (method === 'OPTIONS') return visit.finish(preflight(match))
      const read = (taken: (body: Uint8Array) => void, failed: (error: HttpError) => void) => {
        if (!WITH_BODY.has(method)) return taken(NO_BODY)
        readBody(res, headers.get('content-length'), match.route?.bodyMax, taken, failed)
      }
      const caller = options.recognise(headers.get('authorization'))
      if (caller instanceof Promise) {
        // What is not read before an await is gone.
        const body = new Promise<Uint8Array>(read)
        body.catch(() => undefined)
        caller
          .then(async known => visit.answer(visit.admit(known), known, await body))
          .catch(error => visit.fail(error))
        return
      }
      const route = visit.admit(caller)
      read(
        body => visit.answer(route, caller, body),
        error => visit.fail(error),
      )
    } catch (error) {
      visit.fail(error)
    }
  }
}

const NO_BODY = new Uint8Array(0)

function preflight(match: Match): Reply {
  const allowed = match.route === null ? match.allowed : [match.route.method]
  return empty(204, {
    Allow: ['OPTIONS', ...allowed].join(', '),
    'Access-Control-Allow-Methods': allowed.join(', '),
    'Access-Control-Allow-Headers': 'Authorization, Content-Type, Idempotency-Key',
    'Access-Control-Max-Age': '600',
  })
}

function corsHeaders(origins: ReadonlySet<string>, origin: string | undefined): Record<string, string> {
  if (origins.size === 0) return {}
  const vary = { Vary: 'Origin' }
  return origin !== undefined && origins.has(origin)
    ? { ...vary, 'Access-Control-Allow-Origin': origin }
    : vary
}

/** Headers that every answer has. */
const ALWAYS = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Cache-Control', 'no-store'],
] as const

/** Writes an answer; the caller has corked. */
export function write(
  res: HttpResponse,
  reply: Reply,
  more: Readonly<Record<string, string>>,
  headOnly: boolean,
  closeConnection: boolean,
): void {
  const { status, headers, body } = reply // may fail: before anything is written
  res.writeStatus(`${status} ${PHRASES[status] ?? ''}`)
  for (const [name, value] of ALWAYS) if (!(name in headers)) res.writeHeader(name, value)
  for (const name in headers) res.writeHeader(name, headers[name] ?? '')
  for (const name in more) res.writeHeader(name, more[name] ?? '')
  if (headOnly) res.endWithoutBody(Buffer.byteLength(body), closeConnection)
  // Without an argument it writes no length, which such an answer must not have (RFC 9110 §8.6); it is never a fault.
  else if (status === 204) res.endWithoutBody()
  else res.end(body, closeConnection)
}
