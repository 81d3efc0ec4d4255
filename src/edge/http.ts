/**
 * HTTP on the port of the mesh. Each request passes the same doors, cheapest first:
 *
 *   route ─→ token ─→ allowance of the identity, or of the address ─→ body (bounded) ─→ handler ─→ reply
 */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js'
import type { Caller, Recognise } from '../http/caller.js'
import type { Clock } from '../kit/clock.js'
import type { Allowances } from './allowances.js'
import { readBody } from './body.js'
import { badRequest, HttpError, notFound } from '../http/faults.js'
import type { Remote, Remotes } from './remote.js'
import { asHttpError, empty, faultReply, PHRASES, type Reply } from '../http/reply.js'
import { mayUse } from '../http/roles.js'
import type { Match, Route, Router } from '../http/router.js'

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
  readonly recognise: Recognise
  /** How often an address may ask without being known, and how often an identity. */
  readonly allowances: { readonly address: Allowances; readonly identity: Allowances }
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
    let lengths = 0
    const headers = new Map<string, string>()
    req.forEach((name, value) => {
      if (name === 'content-length') lengths++
      headers.set(name, value)
    })
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
      const { code } = asHttpError(error)
      if (code === 'internal') options.faulted(error, `${method} ${path}`)
      // A body that was not read would be taken for the next request.
      finish(faultReply(error), code, WITH_BODY.has(method))
    }
    /** Answers at once when the handler does: most do, and a promise would cost as much as they. */
    const answer = (route: Route, caller: Caller, body: Uint8Array) => {
      try {
        const reply = route.handle({
          method,
          path,
          params: match.route === null ? {} : match.params,
          query: query === '' ? NO_QUERY : new URLSearchParams(query),
          headers,
          remote: remote.address,
          isLocal: remote.local,
          caller,
          body,
        })
        if (reply instanceof Promise) reply.then(late => finish(late, null)).catch(fail)
        else finish(reply, null)
      } catch (error) {
        fail(error)
      }
    }

    try {
      // A proxy before us may heed the other one: then the rest of the body is somebody's request.
      if (lengths > 1) throw badRequest('the request has several lengths')
      if (method === 'OPTIONS') return finish(preflight(match), null)
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
          .then(async known => answer(admitted(options, match, remote, known), known, await body))
          .catch(fail)
        return
      }
      const route = admitted(options, match, remote, caller)
      read(body => answer(route, caller, body), fail)
    } catch (error) {
      fail(error)
    }
  }
}

const NO_BODY = new Uint8Array(0)
const NO_QUERY = new URLSearchParams()

/** Returns the route when the caller may use it, or throws what is in the way. */
function admitted({ allowances }: HttpOptions, match: Match, remote: Remote, caller: Caller): Route {
  const waitS =
    caller.kind === 'operator'
      ? 0
      : caller.kind === 'stranger'
        ? allowances.address.take(remote.address)
        : allowances.identity.take(caller.kind === 'agent' ? caller.id : `account:${caller.accountId}`)
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
  mayUse(match.route, caller, remote.local)
  return match.route
}

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
  res.writeStatus(`${reply.status} ${PHRASES[reply.status] ?? ''}`)
  for (const [name, value] of ALWAYS) if (!(name in reply.headers)) res.writeHeader(name, value)
  for (const name in reply.headers) res.writeHeader(name, reply.headers[name] ?? '')
  for (const name in more) res.writeHeader(name, more[name] ?? '')
  if (headOnly) res.endWithoutBody(Buffer.byteLength(reply.body), closeConnection)
  else if (reply.status === 204) res.endWithoutBody(undefined, closeConnection)
  else res.end(reply.body, closeConnection)
}
