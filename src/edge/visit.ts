/**
 * One request, whichever way it came. Each passes the same doors, cheapest first:
 *
 *   route ─→ allowance of the identity, or of the address ─→ role ─→ body (bounded) ─→ handler ─→ reply, counted
 */
import type { Caller } from '../http/caller.js'
import { HttpError, notFound } from '../http/faults.js'
import { asHttpError, faultReply, type Reply } from '../http/reply.js'
import { mayUse } from '../http/roles.js'
import type { Match, Route, Router } from '../http/router.js'
import type { Clock } from '../kit/clock.js'
import type { Allowances } from './allowances.js'
import type { Remote } from './remote.js'

export interface Served {
  readonly method: string
  /** The route's pattern, never the path: callers choose paths. */
  readonly endpoint: string
  readonly status: number
  /** Why it was refused or failed; null when it went well. */
  readonly fault: string | null
  readonly durationMs: number
}

/** What every visit needs. */
export interface House {
  readonly clock: Clock
  readonly router: Router
  /** How often an address may ask without being known, and how often an identity. */
  readonly allowances: { readonly address: Allowances; readonly identity: Allowances }
  /** Hears of every request that was answered. */
  readonly served: (request: Served) => void
  /** Hears of faults that are ours, with what the caller was not told. */
  readonly faulted: (error: unknown, route: string) => void
}

export interface Knock {
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** Without the question mark; empty when there is none. */
  readonly query: string
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly remote: Remote
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const NO_QUERY = new URLSearchParams()

export class Visit {
  readonly match: Match
  readonly #house: House
  readonly #knock: Knock
  readonly #told: (reply: Reply, isFault: boolean) => void
  readonly #startedMs: number

  /** `told` is called once, with the answer. */
  constructor(house: House, knock: Knock, told: (reply: Reply, isFault: boolean) => void) {
    this.#house = house
    this.#knock = knock
    this.#told = told
    this.#startedMs = house.clock.now()
    this.match = house.router.match(knock.method, knock.path)
  }

  /** Returns the route when the caller may use it, or throws what is in the way. */
  admit(caller: Caller): Route {
    const { remote } = this.#knock
    const { address, identity } = this.#house.allowances
    const waitS =
      caller.kind === 'operator'
        ? 0
        : caller.kind === 'stranger'
          ? address.take(remote.address)
          : identity.take(caller.kind === 'agent' ? caller.id : `account:${caller.accountId}`)
    if (waitS > 0)
      throw new HttpError(429, 'too_many_requests', `too many requests: come back in ${waitS} s`, {
        'Retry-After': String(waitS),
      })
    const { match } = this
    if (match.route === null) {
      if (match.allowed.length === 0) throw notFound('no such page')
      throw new HttpError(405, 'method_not_allowed', `this page knows ${match.allowed.join(', ')}`, {
        Allow: match.allowed.join(', '),
      })
    }
    mayUse(match.route, caller, remote.local)
    return match.route
  }

  /** Answers at once when the handler does: most do, and a promise would cost as much as they. */
  answer(route: Route, caller: Caller, body: Uint8Array): void {
    const { method, path, query, headers, remote } = this.#knock
    try {
      const reply = route.handle({
        method,
        path,
        params: this.match.route === null ? {} : this.match.params,
        query: query === '' ? NO_QUERY : new URLSearchParams(query),
        headers,
        remote: remote.address,
        isLocal: remote.local,
        caller,
        body,
      })
      if (reply instanceof Promise) reply.then(late => this.finish(late)).catch(error => this.fail(error))
      else this.finish(reply)
    } catch (error) {
      this.fail(error)
    }
  }

  fail(error: unknown): void {
    const { method, path } = this.#knock
    const { code } = asHttpError(error)
    if (code === 'internal') this.#house.faulted(error, `${method} ${path}`)
    this.finish(faultReply(error), code)
  }

  finish(reply: Reply, fault: string | null = null): void {
    const { method } = this.#knock
    this.#house.served({
      method: METHODS.has(method) ? method : 'OTHER',
      endpoint: this.match.route?.path ?? 'unmatched',
      status: reply.status,
      fault,
      durationMs: this.#house.clock.now() - this.#startedMs,
    })
    this.#told(reply, fault !== null)
  }
}
