import t from 'tap'
import { z } from 'zod'
import type { Caller } from '../../src/http/caller.js'
import { endpoint } from '../../src/http/endpoint.js'
import { HttpError } from '../../src/http/faults.js'
import { country, whole } from '../../src/http/fields.js'
import { json } from '../../src/http/reply.js'

const STRANGER: Caller = { kind: 'stranger', bearer: null }

const things = endpoint({
  method: 'POST',
  path: '/things/{id}',
  access: 'open',
  tag: 'nodes',
  summary: 'Takes a thing',
  params: z.object({ id: z.string().max(4) }),
  query: z.object({
    limit: whole(1, 10).default(5),
    loud: z.boolean().optional(),
    tags: z.array(z.string()).optional(),
  }),
  body: z.object({ country }),
  replies: { 200: { description: 'What was understood' } },
  handle: ({ params, query, body }) => json({ params, query, body }),
})

async function ask(query: string, body: unknown, id = 'a'): Promise<unknown> {
  const reply = await things.handle({
    method: 'POST',
    path: `/things/${id}`,
    params: { id },
    query: new URLSearchParams(query),
    headers: new Map(),
    remote: '203.0.113.9',
    isLocal: false,
    caller: STRANGER,
    body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  })
  return JSON.parse(String(reply.body))
}

async function fault(run: () => Promise<unknown>): Promise<HttpError> {
  const error = await run().catch((thrown: unknown) => thrown)
  if (error instanceof HttpError) return error
  throw new Error(`wanted an HttpError, got ${String(error)}`)
}

t.test('the texts of a query become what its fields are', async t => {
  t.same(await ask('limit=7&loud=true&tags=a,b&tags=c', { country: 'DE' }), {
    params: { id: 'a' },
    query: { limit: 7, loud: true, tags: ['a', 'b', 'c'] },
    body: { country: 'DE' },
  })
  t.match(await ask('', { country: 'DE' }), { query: { limit: 5 } }, 'what is left out has its default')
})

t.test('everything that is wrong is said at once, and where', async t => {
  const { statusCode, message, issues } = await fault(() => ask('limit=eleven&speed=9', { country: 'de' }))
  t.equal(statusCode, 400)
  t.match(message, 'limit: wanted a whole number from 1 to 10')
  t.match(message, 'speed')
  t.match(message, 'country: wanted two capital letters such as DE')
  t.ok(issues.some(({ at }) => at === 'country'))
})

t.test('a body that is not JSON is refused', async t => {
  t.match(await fault(() => ask('', '{')), { statusCode: 400, message: 'the body is not JSON' })
})

t.test('a body has at most sixteen levels, and what is in a text is none', async t => {
  const levels = (count: number) => `{"country":"DE","x":${'['.repeat(count - 1)}${']'.repeat(count - 1)}}`
  t.match(await ask('', levels(16)), { body: { country: 'DE' } })
  t.match(await fault(() => ask('', levels(17))), { statusCode: 400, message: 'more than 16 levels' })
  t.match(await ask('', '{"country":"DE","x":"\\"[[[[[[[[[[[[[[[[[[[["}'), { body: { country: 'DE' } })
})

t.test('a path is checked like everything else', async t => {
  t.match(await fault(() => ask('', { country: 'DE' }, 'abcde')), { statusCode: 400, message: /id/ })
})
