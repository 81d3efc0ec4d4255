/** What the documentation says of the interface is so: asked of a small mesh that lives. */
import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import { apiPage } from '../../src/http/docs.js'
import type { Endpoint } from '../../src/http/endpoint.js'
import { smallMesh } from '../support/small-mesh.js'

/** What is asked where nothing is not enough. */
const QUERIES: Readonly<Record<string, string>> = {
  '/api/v1/turn/ice': '?for=fra-1',
  '/api/v1/turn/servers': '?for=fra-1',
  '/tasks': '?server_id=server-001',
  '/api/v1/why': '?a=alice&b=fra-1',
  '/api/v1/routes/{id}/explanation': '?now=true',
}
/** Endpoints that answer something else than 200 here, and what. */
const STATUSES: Readonly<Record<string, number>> = {
  '/mesh': 426,
  '/inspector/live': 426,
  // Of an account; SECRET_TOKEN has none.
  '/auth/me': 409,
  '/pgmon/users/me': 409,
  // Nobody has said how its machine is reached.
  '/pgmon/servers/{name}/disk': 409,
  '/entitlements/mine': 409,
  '/vpn_peers/self': 409,
  '/vpn_peers/self/config': 409,
  // They are an agent’s own: test/rest asks for them as one.
  '/api/v1/packets': 403,
  // Of a node that speaks HTTP; here all have WebSockets.
  '/api/v1/nodes/{nodeId}/peers': 409,
  // Nothing is called: whoever is called is in test/rest/webhooks.test.ts.
  '/api/v1/webhooks/{id}/deliveries/{delivery}': 404,
}

t.test('the interface is as it is documented', async t => {
  const server = await smallMesh(t)
  const { body: document } = await server.ask('GET', '/openapi.json', { token: null })

  await t.test('the document is OpenAPI 3.1, as another reader of it finds', async t => {
    const { valid, errors } = await new Validator().validate({ ...document })
    t.ok(valid, JSON.stringify(errors))
  })

  await t.test('docs/API.md is the page that it makes (npm run docs)', async t => {
    t.equal(readFileSync('docs/API.md', 'utf8'), apiPage(JSON.stringify(document)))
  })

  await t.test('every endpoint is in it, under a name of its own', async t => {
    const described = Object.entries<Record<string, { operationId: string }>>(document.paths).flatMap(
      ([path, methods]) =>
        Object.entries(methods).map(([method, { operationId }]) => ({
          name: `${method.toUpperCase()} ${path}`,
          operationId,
        })),
    )
    const served = server.endpoints.map(({ method, path }) => `${method} ${path}`)
    t.same(new Set(described.map(({ name }) => name)), new Set(served))
    t.equal(new Set(served).size, served.length, 'each is served once')
    t.equal(new Set(described.map(({ operationId }) => operationId)).size, described.length)
  })

  for (const endpoint of server.endpoints.filter(({ method }) => method === 'GET')) {
    await t.test(`GET ${endpoint.path} answers what is documented`, async t => {
      const query = QUERIES[endpoint.path] ?? ''
      const answers = await Promise.all(
        server.pathsOf(endpoint).map(path => server.ask('GET', `${path}${query}`)),
      )
      for (const { status, body } of answers) t.same(undocumented(endpoint, status, body), [], String(status))
      const wanted = STATUSES[endpoint.path] ?? 200
      t.ok(
        answers.some(({ status }) => status === wanted),
        `one of them is answered ${wanted}: ${JSON.stringify(answers.map(({ body }) => body)).slice(0, 400)}`,
      )
    })
  }

  await t.test('a query parameter that an endpoint does not know is refused', async t => {
    for (const endpoint of server.endpoints.filter(({ method }) => method === 'GET')) {
      const [path = ''] = server.pathsOf(endpoint)
      const { status, body } = await server.ask('GET', `${path}?no_such_parameter=1`)
      t.equal(status, 400, endpoint.path)
      t.match(body.detail, 'no_such_parameter', endpoint.path)
    }
  })
})

/** Returns what of an answer the documentation does not say. */
function undocumented({ doc }: Endpoint, status: number, body: unknown): readonly string[] {
  const reply = doc.replies[status]
  if (reply === undefined) return status < 400 ? [`status ${status}`] : []
  if (reply.schema === undefined) return body === null ? [] : ['a body']
  const parsed = reply.schema.safeParse(body)
  if (!parsed.success) return parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  return differences(parsed.data, body, '')
}

/** Returns the fields of an answer that its schema leaves out. */
function differences(documented: unknown, answered: unknown, at: string): readonly string[] {
  if (typeof answered !== 'object' || answered === null) return []
  if (typeof documented !== 'object' || documented === null) return [at]
  return Object.entries(answered).flatMap(([name, value]) =>
    name in documented
      ? differences((documented as Record<string, unknown>)[name], value, `${at}.${name}`) // has it
      : [`${at}.${name}`],
  )
}
