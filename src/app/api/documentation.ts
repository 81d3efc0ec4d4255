/** `/openapi.json` and `/docs`: the interface, for programs and for people. The page asks nobody but us. */
import { join } from 'node:path'
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { openApi } from '../../http/openapi.js'
import { pageFiles } from '../../http/page-files.js'
import { text } from '../../http/reply.js'

export interface DocumentationParts {
  readonly version: string
  /** Every endpoint of the coordinator, these here too. */
  readonly endpoints: () => readonly Endpoint[]
}

/** Where the build puts the parts of the page. */
const file = pageFiles(join(import.meta.dirname, '../../../docs'))
const PART_NAMES = ['start.js', 'swagger-ui-bundle.js', 'page.css', 'swagger-ui.css'] as const

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
      handle: ({ headers }) => file('index.html', headers.get('accept-encoding')),
    }),
    endpoint({
      method: 'GET',
      path: '/docs/{part}',
      access: 'open',
      tag: 'documentation',
      summary: 'Gives the parts of the page',
      params: z.object({ part: z.enum(PART_NAMES) }),
      replies: { 200: { description: 'A script or a style sheet.', schema: z.string(), type: 'text/*' } },
      handle: ({ params, headers }) => file(params.part, headers.get('accept-encoding')),
    }),
  ]
}
