/** What the documentation says of the interface is so: asked of a small mesh that lives. */
import { Validator } from '@seriousme/openapi-schema-validator'
import t from 'tap'
import type { MeshClient } from '../../src/agent/index.js'
import type { Endpoint } from '../../src/http/endpoint.js'
import { online } from '../support/coordinator.js'
import { restServer } from '../support/rest-server.js'
import { until } from '../support/until.js'

/** What the braces of a path may stand for here, by name; each is tried until one is known. */
type Known = Readonly<Record<string, readonly string[]>>

t.test('the interface is as it is documented', async t => {
  const server = await restServer(t)
  const key = await server.enrolmentKey()
  const url = `ws://127.0.0.1:${server.port}`
  for (const id of ['fra-1', 'ams-1']) await online(t, url, id, key)
  const client = (await online(t, url, 'alice', key, 'client')) as MeshClient // asked for as one
  await client.route({ exclude: ['ams-1'] })
  await until('the path stands', () => server.mesh.paths().paths.some(({ tier }) => tier === 'relayed'))
  await server.ask('POST', '/api/v1/nodes/ams-1/drain', { body: {} })
  await server.ask('POST', '/api/v1/metrics', { body: SAMPLE })
  const [path] = server.mesh.paths().paths
  const known: Known = {
    id: ['alice', 'fra-1'],
    nodeId: ['fra-1'],
    part: ['page.css'],
    clientId: ['alice'],
    link: [String(path?.link)],
  }
  const { body: document } = await server.ask('GET', '/openapi.json', { token: null })

  await t.test('the document is OpenAPI 3.1, as another reader of it finds', async t => {
    const { valid, errors } = await new Validator().validate({ ...document })
    t.ok(valid, JSON.stringify(errors))
  })

  await t.test('every endpoint is in it, under a name of its own', async t => {
    const described = Object.entries<Record<string, { operationId: string }>>(document.paths).flatMap(
      ([path, methods]) =>
        Object.entries(methods).map(([method, { operationId }]) => [
          `${method.toUpperCase()} ${path}`,
          operationId,
        ]),
    )
    const served = server.endpoints.map(({ method, path }) => `${method} ${path}`)
    t.same(new Set(described.map(([name]) => name)), new Set(served))
    t.equal(served.length, new Set(served).size, 'each is served once')
    t.equal(new Set(described.map(([, id]) => id)).size, described.length)
  })

  for (const endpoint of server.endpoints.filter(({ method }) => method === 'GET')) {
    await t.test(`GET ${endpoint.path} answers what is documented`, async t => {
      const answers = await Promise.all(
        pathsOf(endpoint, known).map(path => server.ask('GET', `${path}${QUERIES[endpoint.path] ?? ''}`)),
      )
      for (const { status, body } of answers) t.same(undocumented(endpoint, status, body), [], String(status))
      const wanted = endpoint.path === '/mesh' ? 426 : 200
      t.ok(
        answers.some(({ status }) => status === wanted),
        `one of them is answered ${wanted}: ${JSON.stringify(answers.map(({ body }) => body)).slice(0, 400)}`,
      )
    })
  }
})

const SAMPLE = {
  nodeId: 'fra-1',
  metrics: {
    network: { latency: 12, jitter: 1, packetLoss: 0, bandwidth: { up: 40, down: 90 } },
    system: { cpuUsage: 20, memoryUsage: 30, diskUsage: 40, loadAverage: [0.5, 0.4, 0.3] },
    wireguard: { packets: { sent: 1, received: 2, errors: 0 }, bytes: { sent: 10, received: 20 } },
    connections: { active: 1, total: 2, failed: 0 },
  },
}

/** Questions without which an endpoint has no answer. */
const QUERIES: Readonly<Record<string, string>> = {
  '/api/v1/why': '?a=alice&b=fra-1',
  '/api/v1/routes/{id}/explanation': '?now=true',
}

function pathsOf({ path }: Endpoint, known: Known): readonly string[] {
  const [, name] = /\{(\w+)\}/.exec(path) ?? []
  if (name === undefined) return [path]
  return (known[name] ?? ['unknown']).map(value => path.replace(/\{\w+\}/, value))
}

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
