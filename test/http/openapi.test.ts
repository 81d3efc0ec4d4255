/** The document that is made of the definitions. */
import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import { z } from 'zod'
import { endpoint } from '../../src/http/endpoint.js'
import { id, instant, whole } from '../../src/http/fields.js'
import { openApi } from '../../src/http/openapi.js'
import { json } from '../../src/http/reply.js'

const open = endpoint({
  method: 'GET',
  path: '/health/live',
  access: 'open',
  tag: 'health',
  summary: 'Says that it lives',
  replies: { 200: { description: 'It does.', schema: z.object({ uptime: z.number() }) } },
  handle: () => json({ uptime: 1 }),
})

const one = endpoint({
  method: 'PATCH',
  path: '/api/v1/nodes/{id}/things/{thing}',
  access: 'agent',
  tag: 'nodes',
  summary: 'Changes a thing',
  query: z.object({ since: instant.optional(), limit: whole(1, 10).default(5) }),
  body: z.object({ name: id }),
  faults: [409],
  replies: { 204: { description: 'It is changed.' } },
  handle: () => json({}),
})

const document = openApi({ version: '1.2.3', endpoints: [open, one] })
const found = document.paths?.['/api/v1/nodes/{id}/things/{thing}']?.patch

t.test('the document is OpenAPI 3.1, as another reader of it finds', async t => {
  const { valid, errors } = await new Validator().validate({ ...document })
  t.ok(valid, JSON.stringify(errors))
  t.match(document, { openapi: '3.1.0', info: { version: '1.2.3' } })
})

t.test('an endpoint has its name, its chapter and who may use it', async t => {
  t.match(found, {
    operationId: 'patchNodesByIdThingsByThing',
    tags: ['nodes'],
    security: [{ agent: [] }, { person: ['operator'] }],
  })
  t.same(document.paths?.['/health/live']?.get?.security, [])
  t.same(
    document.tags?.map(({ name }) => name),
    ['health', 'nodes'],
    'chapters in which nothing is are left out',
  )
})

t.test('what the braces stand for is there though nobody described it', async t => {
  t.match(
    found?.parameters?.map(parameter => ('name' in parameter ? [parameter.in, parameter.name] : [])),
    [
      ['path', 'id'],
      ['path', 'thing'],
      ['query', 'since'],
      ['query', 'limit'],
    ],
  )
})

t.test('every endpoint has the faults that may befall it, and its own', async t => {
  const statuses = Object.keys(found?.responses ?? {})
  t.same(statuses, ['204', '400', '401', '403', '404', '409', '413', '429', '500', '503'])
  t.same(Object.keys(document.paths?.['/health/live']?.get?.responses ?? {}), [
    '200',
    '400',
    '429',
    '500',
    '503',
  ])
  t.same(found?.responses?.['404'], { $ref: '#/components/responses/NotFound' })
})

t.test('answers may have more fields in a later version', async t => {
  const live = document.paths?.['/health/live']?.get?.responses?.['200']
  t.notMatch(live, { content: { 'application/json': { schema: { additionalProperties: false } } } })
  t.match(live, { content: { 'application/json': { schema: { required: ['uptime'] } } } })
})

t.test('a body without which a request makes no sense is required', async t => {
  t.match(found?.requestBody, { required: true, content: { 'application/json': {} } })
})
