/** `/openapi.json`: the interface, for programs. */
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { openApi } from '../../http/openapi.js'
import { text } from '../../http/reply.js'

export interface DocumentationParts {
  readonly version: string
  /** Every endpoint of the coordinator, these here too. */
  readonly endpoints: () => readonly Endpoint[]
}

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
  ]
}
