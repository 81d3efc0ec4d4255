/** `/openapi.json` and `/docs`: the interface, for programs and for people. The page asks nobody but us. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { openApi } from '../../http/openapi.js'
import { type Reply, text } from '../../http/reply.js'

export interface DocumentationParts {
  readonly version: string
  /** Every endpoint of the coordinator, these here too. */
  readonly endpoints: () => readonly Endpoint[]
}

/** Where the build puts the parts of the page, each also under gzip. */
const PARTS = join(import.meta.dirname, '../../../docs')

/** What browsers may take for the page: our own files, and pictures that are in the style sheet. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** uWebSockets adds no charset, and without one browsers do not read the bundle as it is meant. */
const TYPES = {
  'start.js': 'text/javascript; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'swagger-ui.css': 'text/css; charset=utf-8',
} as const

const PART_NAMES = Object.keys(TYPES) as (keyof typeof TYPES)[] // its own keys

export function documentationRoutes({ version, endpoints }: DocumentationParts): readonly Endpoint[] {
  let written: string | undefined
  return [
    endpoint({
      method: 'GET',
      path: '/openapi.json',
      access: 'open',
      tag: 'documentation',
      summary: 'Describes every endpoint, as OpenAPI 3.1',
      replies: { 200: { description: 'The document.', schema: z.looseObject({ openapi: z.string() }) } },
      handle: () => {
        written ??= JSON.stringify(openApi({ version, endpoints: endpoints() }))
        return text(written, 'application/json; charset=utf-8')
      },
    }),
    endpoint({
      method: 'GET',
      path: '/docs',
      access: 'open',
      tag: 'documentation',
      summary: 'Shows every endpoint to people, who may try it',
      replies: { 200: { description: 'The page.', schema: z.string(), type: 'text/html' } },
      handle: ({ headers }) => part('index.html', 'text/html; charset=utf-8', headers.get('accept-encoding')),
    }),
    endpoint({
      method: 'GET',
      path: '/docs/{part}',
      access: 'open',
      tag: 'documentation',
      summary: 'Gives the parts of the page',
      params: z.object({ part: z.enum(PART_NAMES) }),
      replies: { 200: { description: 'A script or a style sheet.', schema: z.string(), type: 'text/*' } },
      handle: ({ params, headers }) => part(params.part, TYPES[params.part], headers.get('accept-encoding')),
    }),
  ]
}

const read = new Map<string, Uint8Array>()

function part(name: string, type: string, encodings = ''): Reply {
  const isZipped = /\bgzip\b/.test(encodings)
  const file = isZipped ? `${name}.gz` : name
  let body = read.get(file)
  if (body === undefined) read.set(file, (body = readFileSync(join(PARTS, file))))
  return {
    status: 200,
    headers: {
      'Content-Type': type,
      ...(isZipped && { 'Content-Encoding': 'gzip' }),
      Vary: 'Accept-Encoding',
      'Content-Security-Policy': POLICY,
      'Referrer-Policy': 'no-referrer',
    },
    body,
  }
}
