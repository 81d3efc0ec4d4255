/** Finds the route of a request. Paths are literal but for whole segments in braces: `/api/v1/nodes/{id}`. */
import type { Caller } from './caller.js'
import type { Reply } from './reply.js'
import type { AccountRole, OperatorRole } from './roles.js'

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
  /** Whether the caller runs on this machine, as far as can be told. */
  readonly isLocal: boolean
  readonly caller: Caller
  readonly body: Uint8Array
}

/** Who may ask: everyone; this machine, and viewers; agents with a token of ours, and people; people with at least this role. */
export type Access = 'open' | 'local' | 'agent' | AccountRole

export interface Route {
  readonly method: Method
  readonly path: string
  readonly access: Access
  /** With access `agent`, the role that people need; absent: viewer to see, operator to act. */
  readonly people?: OperatorRole
  /** The largest body, bytes; 64 KiB when absent. */
  readonly bodyMax?: number
  handle(request: Request): Reply | Promise<Reply>
}

export type Match =
  | { readonly route: Route; readonly params: Readonly<Record<string, string>> }
  /** Methods that the path has; none when there is no such path. */
  | { readonly route: null; readonly allowed: readonly string[] }

/** A segment of paths, and what may follow it. */
interface Step {
  readonly literal: Map<string, Step>
  /** What follows anything at all: the braces of a path. */
  any: Step | null
  /** Routes that end here, with the names of their braces. */
  readonly routes: { readonly route: Route; readonly names: readonly string[] }[]
}

const newStep = (): Step => ({ literal: new Map(), any: null, routes: [] })

/** A tree of segments. A literal segment goes before braces; of routes with the same path and method the first counts. */
export class Router {
  readonly #root = newStep()

  constructor(routes: readonly Route[]) {
    for (const route of routes) this.add(route)
  }

  add(route: Route): void {
    const names: string[] = []
    let step = this.#root
    for (const segment of route.path.split('/')) {
      if (segment.startsWith('{')) {
        names.push(segment.slice(1, -1))
        step = step.any ??= newStep()
        continue
      }
      let next = step.literal.get(segment)
      if (next === undefined) step.literal.set(segment, (next = newStep()))
      step = next
    }
    step.routes.push({ route, names })
  }

  /** Returns the route of a request; HEAD is answered by the route of GET. */
  match(method: string, path: string): Match {
    const wanted = method === 'HEAD' ? 'GET' : method
    const allowed = new Set<string>()
    return (
      found(this.#root, path.split('/'), 0, [], wanted, allowed) ?? { route: null, allowed: [...allowed] }
    )
  }
}

/** Returns the route at the end of the segments from `at` on; methods of other routes there go into `allowed`. */
function found(
  step: Step,
  segments: readonly string[],
  at: number,
  values: readonly string[],
  method: string,
  allowed: Set<string>,
): Match | null {
  const segment = segments[at]
  if (segment === undefined) {
    for (const { route, names } of step.routes) {
      if (route.method === method) return { route, params: paramsOf(names, values) }
      allowed.add(route.method)
      if (route.method === 'GET') allowed.add('HEAD')
    }
    return null
  }
  const literal = step.literal.get(segment)
  const match = literal && found(literal, segments, at + 1, values, method, allowed)
  if (match || step.any === null) return match ?? null
  const value = decoded(segment)
  if (value === null || value === '') return null
  return found(step.any, segments, at + 1, [...values, value], method, allowed)
}

const paramsOf = (names: readonly string[], values: readonly string[]): Record<string, string> => {
  const params: Record<string, string> = {}
  for (const [i, name] of names.entries()) params[name] = values[i] ?? ''
  return params
}

function decoded(segment: string): string | null {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return null
  }
}
