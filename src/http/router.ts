/** Finds the route of a request. Paths are literal but for whole segments in braces: `/api/v1/nodes/{id}`. */
import type { Caller } from './caller.js'
import type { Reply } from './reply.js'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface Request {
  readonly method: string
  readonly path: string
  /** What the braces of the route's path stand for. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  /** The caller's address; see edge/remote.ts. */
  readonly remote: string
  readonly caller: Caller
  readonly body: Uint8Array
}

/** Who may ask: everyone; this machine and operators; operators; operators and agents with a token of ours. */
export type Access = 'open' | 'local' | 'operator' | 'agent'

export interface Route {
  readonly method: Method
  readonly path: string
  readonly access: Access
  /** The largest body, bytes; 64 KiB when absent. */
  readonly bodyMax?: number
  handle(request: Request): Reply | Promise<Reply>
}

export type Match =
  | { readonly route: Route; readonly params: Readonly<Record<string, string>> }
  /** Methods that the path has; none when there is no such path. */
  | { readonly route: null; readonly allowed: readonly string[] }

export class Router {
  readonly #routes: (readonly [readonly string[], Route])[] = []

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.add(route)
  }

  add(route: Route): void {
    this.#routes.push([route.path.split('/'), route])
  }

  /** Returns the route of a request; HEAD is answered by the route of GET. */
  match(method: string, path: string): Match {
    const segments = path.split('/')
    const wanted = method === 'HEAD' ? 'GET' : method
    const allowed: string[] = []
    for (const [pattern, route] of this.#routes) {
      const params = paramsOf(pattern, segments)
      if (params === null) continue
      if (route.method === wanted) return { route, params }
      allowed.push(...(route.method === 'GET' ? ['GET', 'HEAD'] : [route.method]))
    }
    return { route: null, allowed }
  }
}

function paramsOf(pattern: readonly string[], segments: readonly string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) return null
  const params: Record<string, string> = {}
  for (const [i, part] of pattern.entries()) {
    const segment = segments[i] as string // as long as the pattern
    if (!part.startsWith('{')) {
      if (part !== segment) return null
      continue
    }
    const value = decoded(segment)
    if (value === null || value === '') return null
    params[part.slice(1, -1)] = value
  }
  return params
}

function decoded(segment: string): string | null {
  try {
    return decodeURIComponent(segment)
  } catch {
    return null
  }
}
