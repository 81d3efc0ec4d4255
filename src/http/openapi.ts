/**
 * The definitions of all endpoints as one OpenAPI 3.1 document, for `/openapi.json`, `/docs` and `API.md`.
 */
import { z } from 'zod'
import {
  createDocument,
  type oas31,
  type ZodOpenApiOperationObject,
  type ZodOpenApiOverride,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi'
import { CHAPTERS } from './chapters.js'
import type { Endpoint, ReplyDoc } from './endpoint.js'
import { PHRASES } from './reply.js'
import { roleFor } from './roles.js'
import type { Access, Route } from './router.js'

export interface DocumentOptions {
  readonly version: string
  readonly endpoints: readonly Endpoint[]
}

export type OpenApi = oas31.OpenAPIObject

const ABOUT = `The HTTP side of a coordinator of a WireGuard mesh.

People send \`Authorization: Bearer <token>\`, which signing in gives, or SECRET_TOKEN; nodes and clients the token that
registering gave them. An account has a role, which may do what those before it may: \`user\` sees what is its own,
\`viewer\` sees the mesh, \`operator\` acts on it, \`admin\` keeps accounts and enrolment keys. SECRET_TOKEN is an admin’s.
Faults are \`application/problem+json\` (RFC 9457), with the form \`{error: {message, statusCode}}\` in the same object.
Every list takes \`limit\`, \`after\` and \`sort\`, and answers with \`count\`, \`total\` and \`next\`. Query parameters that
an endpoint does not know are refused. Fields may be added to answers in a minor version: take what you know.`

/** Returns the document of these endpoints. */
export function openApi({ version, endpoints }: DocumentOptions): OpenApi {
  const used = new Set(endpoints.map(({ doc }) => doc.tag))
  const document = createDocument(
    {
      openapi: '3.1.0',
      info: {
        title: 'BosonServer',
        version,
        description: ABOUT,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      // Relative: whoever read the document talks to the same coordinator.
      servers: [{ url: '/' }],
      tags: Object.entries(CHAPTERS)
        .filter(([name]) => used.has(name as keyof typeof CHAPTERS)) // its own key
        .map(([name, description]) => ({ name, description })),
      paths: pathsOf(endpoints),
      components: {
        securitySchemes: {
          person: {
            type: 'http',
            scheme: 'bearer',
            description:
              'The `token` that signing in gave, of an account with at least the role that is named; or SECRET_TOKEN, which is an admin’s.',
          },
          agent: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'The `sessionToken` that registering gave to a node or a client.',
          },
        },
      },
    },
    { override: plainer },
  )
  withoutFilledIn(document)
  return document
}

/** Takes the examples of optional parameters away: pages that try an endpoint would send them. */
function withoutFilledIn({ paths = {} }: OpenApi): void {
  for (const path of Object.values(paths))
    for (const method of ['get', 'post', 'put', 'patch', 'delete'] as const)
      for (const parameter of path[method]?.parameters ?? [])
        if ('schema' in parameter && parameter.required !== true && 'example' in (parameter.schema ?? {}))
          delete (parameter.schema as { example?: unknown }).example
}

/** Leaves out of a schema what says nothing to its readers, or more than is promised. */
const plainer: ZodOpenApiOverride = ({ jsonSchema, io }) => {
  // Answers may get more fields in a later version.
  if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
}

function pathsOf(endpoints: readonly Endpoint[]): ZodOpenApiPathsObject {
  const paths: ZodOpenApiPathsObject = {}
  for (const endpoint of endpoints) {
    const { path, method } = endpoint
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationOf(endpoint) }
  }
  return paths
}

function operationOf(endpoint: Endpoint): ZodOpenApiOperationObject {
  const { method, path, access, bodyMax, doc } = endpoint
  const { tag, summary, description, query, body = doc.rawBody, rawType = 'application/json' } = doc
  const params = doc.params ?? anyTexts(namesIn(path))
  return {
    operationId: operationId(method, path),
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    security: securityOf(endpoint),
    requestParams: {
      ...(namesIn(path).length > 0 && { path: params }),
      ...(query !== undefined && { query }),
    },
    ...(body !== undefined && {
      requestBody: {
        required: !body.safeParse({}).success,
        content: {
          [rawType]: { schema: body },
          ...(doc.form === true && { 'application/x-www-form-urlencoded': { schema: body } }),
        },
        ...(bodyMax !== undefined && { description: `At most ${bodyMax} bytes.` }),
      },
    }),
    responses: { ...faultsOf(access, path, doc.faults ?? [], body !== undefined), ...repliesOf(doc.replies) },
  }
}

/** Returns the names of what the braces of a path stand for. */
const namesIn = (path: string): readonly string[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)

const anyTexts = (names: readonly string[]) =>
  z.object(Object.fromEntries(names.map(name => [name, z.string()])))

/** Returns the name that generated clients call it by: `getNodesById`. */
function operationId(method: string, path: string): string {
  const words = path
    .replace(/^\/api\/v1(?=\/)/, '')
    .replace(/(?<=.)\/$/, '/index')
    .replaceAll('{', 'by-')
    .split(/[^A-Za-z0-9]+/)
    .filter(word => word !== '')
  return [method.toLowerCase(), ...words.map(word => word.charAt(0).toUpperCase() + word.slice(1))].join('')
}

/** Returns which tokens an endpoint takes, with the role that people need; `{}` is none at all. */
function securityOf(route: Route): Record<string, string[]>[] {
  const role = roleFor(route)
  if (role === null) return []
  const person = { person: [role] }
  if (route.access === 'local') return [{}, person]
  return route.access === 'agent' ? [{ agent: [] }, person] : [person]
}

const repliesOf = (replies: Readonly<Record<number, ReplyDoc>>): ZodOpenApiResponsesObject =>
  Object.fromEntries(
    Object.entries(replies).map(([status, { description, schema, type = 'application/json' }]) => [
      status,
      { description, ...(schema !== undefined && { content: { [type]: { schema } } }) },
    ]),
  )

// ── faults ───────────────────────────────────────────────────────────────────────────────────────

const Problem = z
  .object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'What was wrong, and what was wanted.' }),
    code: z.string().meta({ description: 'For programs.', example: 'bad_request' }),
    issues: z
      .array(z.object({ at: z.string(), message: z.string() }))
      .optional()
      .meta({ description: 'Everything that was wrong, and where.' }),
    error: z
      .object({ message: z.string(), statusCode: z.int() })
      .meta({ description: 'The form that the first BosonServer had.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' })

/** What each fault means, wherever it happens. */
const MEANS: Readonly<Record<number, string>> = {
  400: 'What was sent cannot be used; `issues` says why.',
  401: 'There is no token, or it is not good (any more).',
  403: 'The token is good, but not for this.',
  404: 'There is no such thing.',
  409: 'It contradicts what is there.',
  410: 'This is not offered any more; `detail` says what is instead.',
  413: 'The body is too large.',
  415: 'The body is of another type than was wanted.',
  422: 'What was sent is well formed and cannot be met; `detail` says why.',
  426: 'This is a WebSocket.',
  429: 'Too many requests; `Retry-After` says when to come back.',
  500: 'Our own fault; it is logged.',
  503: 'The coordinator, or what it needs for this, is away for a moment; `Retry-After` says when to come back.',
}

function faultsOf(
  access: Access,
  path: string,
  own: readonly number[],
  hasBody: boolean,
): ZodOpenApiResponsesObject {
  const statuses = [
    400,
    ...(access === 'open' ? [] : [401, 403]),
    ...(path.includes('{') ? [404] : []),
    ...(hasBody ? [413] : []),
    429,
    500,
    503,
    ...own,
  ]
  return Object.fromEntries(statuses.map(status => [status, faultOf(status)]))
}

const faults = new Map<number, ZodOpenApiResponseObject>()

/** Returns the fault as a part of the document that every endpoint refers to. */
function faultOf(status: number): ZodOpenApiResponseObject {
  let fault = faults.get(status)
  if (fault === undefined) {
    const title = PHRASES[status] ?? `Status${status}`
    fault = {
      id: title.replaceAll(' ', ''),
      description: MEANS[status] ?? title,
      content: { 'application/problem+json': { schema: Problem } },
    }
    faults.set(status, fault)
  }
  return fault
}
