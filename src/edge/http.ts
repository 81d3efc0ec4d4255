/**
 * HTTP on the port of the mesh. Each request passes the same doors, cheapest first:
 *
 *   route ─→ token ─→ allowance of the address ─→ body (bounded) ─→ handler ─→ reply
 */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js'
import type { Clock } from '../kit/clock.js'
import type { Allowances } from './allowances.js'
import type { Authorise } from './bearer.js'
import { readBody } from './body.js'
import { HttpError, notFound, unauthorised } from './http-error.js'
import type { Remote, Remotes } from './remote.js'
import { empty, faultReply, type Reply } from './reply.js'
import type { Match, Request, Route, Router } from './router.js'

export interface Served {
  readonly method: string
  /** The route's pattern, never the path: callers choose paths. */
  readonly endpoint: string
  readonly status: number
  /** Why it was refused or failed; null when it went well. */
  readonly fault: string | null
  readonly durationMs: number
}

export interface HttpOptions {
  readonly clock: Clock
  readonly router: Router
  readonly remotes: Remotes
  readonly authorise: Authorise
  readonly allowances: Allowances
  /** Web pages that may call from a browser. */
  readonly corsOrigins: ReadonlySet<string>
  /** Hears of every request that was answered. */
  readonly served: (request: Served) => void
  /** Hears of faults that are ours, with what the caller was not told. */
  readonly faulted: (error: unknown, route: string) => void
}

export type HttpHandler = (res: HttpResponse, req: HttpRequest) => void

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** Returns the handler for everything that is not a WebSocket. */
export function httpHandler(options: HttpOptions): HttpHandler {
  const { clock, router, remotes } = options
  return (res, req) => {
    const startedMs = clock.now()
    let aborted = false
    res.onAborted(() => {
      aborted = true
    })
    const method = req.getCaseSensitiveMethod()
    const path = req.getUrl()
    const headers = new Map<string, string>()
    req.forEach((name, value) => headers.set(name, value))
    const remote = remotes.of(new Uint8Array(res.getRemoteAddress()), headers.get('x-forwarded-for') ?? '')
    const match = router.match(method, path)
    const query = req.getQuery() ?? ''

    const finish = (reply: Reply, fault: string | null, closeConnection = false) => {
      options.served({
        method: METHODS.has(method) ? method : 'OTHER',
        endpoint: match.route?.path ?? 'unmatched',
        status: reply.status,
        fault,
        durationMs: clock.now() - startedMs,
      })
      if (aborted) return
      const cors = corsHeaders(options.corsOrigins, headers.get('origin'))
      res.cork(() => write(res, reply, cors, method === 'HEAD', closeConnection))
    }
    const fail = (error: unknown) => {
      const code = error instanceof HttpError ? error.code : 'internal'
      if (!(error instanceof HttpError)) options.faulted(error, `${method} ${path}`)
      // A body that was not read would be taken for the next request.
      finish(faultReply(error), code, WITH_BODY.has(method))
    }
    const answer = async (route: Route, body: Uint8Array) => {
      const request: Request = {
        method,
        path,
        params: match.route === null ? {} : match.params,
        query: new URLSearchParams(query),
        headers,
        remote: remote.address,
        body,
      }
      finish(await route.handle(request), null)
    }

    try {
      if (method === 'OPTIONS') return finish(preflight(match), null)
      const route = admitted(options, match, remote, headers)
      const body = WITH_BODY.has(method) ? readBody(res, headers.get('content-length')) : NO_BODY
      body.then(bytes => answer(route, bytes)).catch(fail)
    } catch (error) {
      fail(error)
    }
  }
}

const NO_BODY: Promise<Uint8Array> = Promise.resolve(new Uint8Array(0))

/** Returns the route when the caller may use it, or throws what is in the way. */
function admitted(
  { authorise, allowances }: HttpOptions,
  match: Match,
  remote: Remote,
  headers: ReadonlyMap<string, string>,
): Route {
  const known = authorise(headers.get('authorization'))
  const waitS = known ? 0 : allowances.take(remote.address)
  if (waitS > 0)
    throw new HttpError(429, 'too_many_requests', `too many requests: come back in ${waitS} s`, {
      'Retry-After': String(waitS),
    })
  if (match.route === null) {
    if (match.allowed.length === 0) throw notFound('no such page')
    throw new HttpError(405, 'method_not_allowed', `this page knows ${match.allowed.join(', ')}`, {
      Allow: match.allowed.join(', '),
    })
  }
  const { access } = match.route
  if (access === 'open' || known || (access === 'local' && remote.local)) return match.route
  throw unauthorised()
}

function preflight(match: Match): Reply {
  const allowed = match.route === null ? match.allowed : [match.route.method]
  return empty(204, {
    Allow: ['OPTIONS', ...allowed].join(', '),
    'Access-Control-Allow-Methods': allowed.join(', '),
    'Access-Control-Allow-Headers': 'Authorization, Content-Type',
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
const ALWAYS = { 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' }

/** Writes an answer; the caller has corked. */
export function write(
  res: HttpResponse,
  reply: Reply,
  more: Readonly<Record<string, string>>,
  headOnly: boolean,
  closeConnection: boolean,
): void {
  res.writeStatus(`${reply.status} ${PHRASES[reply.status] ?? ''}`)
  for (const [name, value] of Object.entries({ ...ALWAYS, ...reply.headers, ...more }))
    res.writeHeader(name, value)
  if (headOnly) res.endWithoutBody(Buffer.byteLength(reply.body), closeConnection)
  else if (reply.status === 204) res.endWithoutBody(undefined, closeConnection)
  else res.end(reply.body, closeConnection)
}

const PHRASES: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  204: 'No Content',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  426: 'Upgrade Required',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}
