/**
 * An endpoint, defined once: from the definition come the check of what is sent, its types, and its place in
 * `/openapi.json` and `API.md`.
 */
import { z } from 'zod'
import type { Caller } from './caller.js'
import type { Chapter } from './chapters.js'
import { DEPTH_MAX, depthOf } from './depth.js'
import { badRequest, type Issue } from './faults.js'
import { formOf, isForm } from './form.js'
import type { Reply } from './reply.js'
import type { OperatorRole } from './roles.js'
import type { Access, Method, Request, Route } from './router.js'

type Fields = z.ZodObject

export interface EndpointSpec<P extends Fields, Q extends Fields, B extends z.ZodType> {
  readonly method: Method
  /** Braces stand for a whole segment: `/api/v1/nodes/{id}`. */
  readonly path: string
  readonly access: Access
  /** With access `agent`, the role that people need; absent: viewer to see, operator to act. */
  readonly people?: OperatorRole
  /** The chapter of the documentation it belongs to. */
  readonly tag: Chapter
  /** One line: what it does. */
  readonly summary: string
  /** What else a caller should know. */
  readonly description?: string
  /** What the braces stand for; absent: any text. */
  readonly params?: P
  /** Texts of the query become numbers, booleans and lists (by commas) where the field is one. Unknown ones are refused. */
  readonly query?: Q
  /** Absent: a body is not looked at. */
  readonly body?: B
  /** Whether the body may be an HTML form as well. */
  readonly form?: true
  /** Instead of `body`, where the handler reads the bytes itself: what they hold, for the documentation. */
  readonly rawBody?: z.ZodType
  /** What the bytes are; `application/json` when absent. */
  readonly rawType?: string
  /** The largest body, bytes; 64 KiB when absent. */
  readonly bodyMax?: number
  readonly replies: Readonly<Record<number, ReplyDoc>>
  /** Statuses of faults beside those that every endpoint has. */
  readonly faults?: readonly number[]
  readonly handle: (request: EndpointRequest<z.output<P>, z.output<Q>, z.output<B>>) => Reply | Promise<Reply>
}

export interface ReplyDoc {
  readonly description: string
  /** Absent: it has no body. */
  readonly schema?: z.ZodType
  /** `application/json` when absent. */
  readonly type?: string
}

export interface EndpointRequest<P = unknown, Q = unknown, B = unknown> {
  readonly params: P
  readonly query: Q
  readonly body: B
  /** The body as it came, for who checks a signature over it. */
  readonly rawBody: Uint8Array
  readonly caller: Caller
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  /** The caller's address. */
  readonly remote: string
  /** Whether the caller runs on this machine, as far as can be told. */
  readonly isLocal: boolean
}

/** What documentation needs to know. */
export type EndpointDoc = Pick<
  EndpointSpec<Fields, Fields, z.ZodType>,
  | 'tag'
  | 'summary'
  | 'description'
  | 'params'
  | 'query'
  | 'body'
  | 'form'
  | 'rawBody'
  | 'rawType'
  | 'replies'
  | 'faults'
>

export interface Endpoint extends Route {
  readonly doc: EndpointDoc
}

/** Returns the endpoint that a definition describes. */
export function endpoint<
  P extends Fields = z.ZodObject<Record<never, never>, z.core.$loose>,
  Q extends Fields = z.ZodObject<Record<never, never>>,
  B extends z.ZodType = z.ZodUndefined,
>(spec: EndpointSpec<P, Q, B>): Endpoint {
  const { method, path, access, people, bodyMax, handle, ...doc } = spec
  const params = doc.params ?? z.looseObject({})
  const query = strict(doc.query ?? z.object({}))
  const body = doc.body ?? z.undefined()
  const readers = queryReaders(query)
  const isAsked = Object.keys(query.shape).length > 0
  return {
    method,
    path,
    access,
    ...(people !== undefined && { people }),
    ...(bodyMax !== undefined && { bodyMax }),
    doc,
    handle(request) {
      const issues: Issue[] = []
      const { caller, headers, remote, isLocal } = request
      const checked = {
        params: doc.params === undefined ? request.params : read(params, request.params, issues),
        query: isAsked || request.query.size > 0 ? read(query, queryOf(request.query, readers), issues) : {},
        body:
          doc.body === undefined
            ? undefined
            : read(
                body,
                doc.form === true && isForm(headers) ? formOf(request.body) : jsonOf(request),
                issues,
              ),
        rawBody: request.body,
        caller,
        headers,
        remote,
        isLocal,
      }
      if (issues.length > 0)
        throw badRequest(issues.map(({ at, message }) => `${at || 'body'}: ${message}`).join('; '), issues)
      return handle(checked as EndpointRequest<z.output<P>, z.output<Q>, z.output<B>>) // just checked
    },
  }
}

/** Returns what a schema makes of a value; what is wrong with it is added to `issues`. */
function read(schema: z.ZodType, value: unknown, issues: Issue[]): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  for (const { path, message } of parsed.error.issues)
    issues.push({ at: path.map(String).join('.'), message })
  return undefined
}

/** Returns the body's value; an empty body is `{}`. */
function jsonOf({ body }: Request): unknown {
  if (depthOf(body) > DEPTH_MAX) throw badRequest(`the body has more than ${DEPTH_MAX} levels`)
  try {
    return body.length === 0
      ? {}
      : JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString())
  } catch {
    throw badRequest('the body is not JSON')
  }
}

const strict = (fields: Fields): Fields => (fields._zod.def.catchall === undefined ? fields.strict() : fields)

type Read = (text: string) => unknown

const READ: Readonly<Record<string, Read>> = {
  number: text => (/^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text),
  boolean: text => (text === 'true' ? true : text === 'false' ? false : text),
  array: text => (text === '' ? [] : text.split(',')),
}

/** Returns how the texts of a query become what its fields are. */
function queryReaders(query: Fields): ReadonlyMap<string, Read> {
  return new Map(
    Object.entries(query.shape).flatMap(([name, field]) => {
      const read = READ[typeOf(field as z.ZodType)]
      return read === undefined ? [] : [[name, read] as const]
    }),
  )
}

function typeOf(schema: z.ZodType): string {
  const def = schema._zod.def as { readonly type: string; readonly innerType?: z.ZodType }
  return def.innerType === undefined ? def.type : typeOf(def.innerType)
}

function queryOf(query: URLSearchParams, readers: ReadonlyMap<string, Read>): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const [name, text] of query) {
    const value = readers.get(name)?.(text) ?? text
    // Named twice: a list where it is one, the last word otherwise.
    values[name] =
      Array.isArray(value) && Array.isArray(values[name]) ? [...(values[name] as unknown[]), ...value] : value
  }
  return values
}
