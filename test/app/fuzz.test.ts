/** Whatever comes over HTTP is answered, never with a fault of ours, and the coordinator lives. */
import { connect } from 'node:net'
import * as fc from 'fast-check'
import t from 'tap'
import { arbitraryOf, junk, type Schema } from '../support/arbitrary-of.js'
import { OPERATOR } from '../support/rest-server.js'
import { smallMesh } from '../support/small-mesh.js'

/** Requests to each endpoint. */
const REQUESTS = 20

interface Operation {
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: Schema }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
}

t.test('anything at all', async t => {
  const server = await smallMesh(t, { env: { BOSON_HTTP_PER_MINUTE: '1000000' } })
  const { body: document } = await server.ask('GET', '/openapi.json')
  const shapes: Readonly<Record<string, Schema>> = document.components.schemas

  for (const endpoint of server.endpoints) {
    const { method, path } = endpoint
    await t.test(`${method} ${path} takes anything`, async t => {
      const { parameters = [], requestBody }: Operation = document.paths[path][method.toLowerCase()]
      // Of those that take no JSON it is the wrong thing.
      const schema = Object.values(requestBody?.content ?? {})[0]?.schema
      const queries = parameters.filter(parameter => parameter.in === 'query')
      const requests = fc.record({
        path: fc.oneof(
          { weight: 4, arbitrary: fc.constantFrom(...server.pathsOf(endpoint)) },
          {
            weight: 1,
            arbitrary: fc
              .string({ minLength: 1, maxLength: 80, unit: 'binary' })
              .map(text => path.replaceAll(/\{\w+\}/g, encodeURIComponent(wellFormed(text)))),
          },
        ),
        query: fc.record(
          Object.fromEntries(queries.map(({ name, schema: of }) => [name, arbitraryOf(of, shapes, 4)])),
          { requiredKeys: [] },
        ),
        body: schema === undefined ? fc.constant(undefined) : bodies(schema, shapes),
        token: fc.constantFrom(OPERATOR, OPERATOR, OPERATOR, null, 'x', 'a.b.c', '\u00ff'),
      })
      await fc.assert(
        fc.asyncProperty(requests, async ({ path: at, query, body, token }) => {
          const search = new URLSearchParams(
            Object.entries(query).map(
              ([name, value]) => [name, wellFormed(textOf(value))] as [string, string],
            ),
          )
          const answer = await server.ask(method, `${at}?${search.toString()}`, {
            token,
            ...(method !== 'GET' && body !== undefined && { body }),
          })
          const said = JSON.stringify(answer.body)?.slice(0, 300)
          if (answer.status >= 500 && answer.status !== 503)
            throw new Error(`answered ${answer.status}: ${said}`)
          if (answer.status < 400) return
          const type = answer.headers.get('content-type') ?? ''
          if (!type.startsWith('application/problem+json') || answer.body.error.statusCode !== answer.status)
            throw new Error(`a fault as ${type}: ${said}`)
        }),
        { numRuns: REQUESTS, interruptAfterTimeLimit: 20_000 },
      )
      t.equal((await server.ask('GET', '/health/live')).status, 200)
    })
  }

  await t.test('a body of many levels is refused before anybody looks into it', async t => {
    const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`
    const refused = await server.ask('POST', '/api/v1/enrolment-keys', { body: `{"note":${deep}}` })
    t.match(refused, { status: 400, body: { detail: 'the body has more than 16 levels' } })
    const text = await server.ask('POST', '/api/v1/enrolment-keys', {
      body: { note: '[[[[[[[[[[[[[[[[[[[[[[[[ \\" {{{' },
    })
    t.equal(text.status, 201, 'what is in a text is no level')
  })

  await t.test('a body that is too large is refused', async t => {
    const { status } = await server.ask('POST', '/api/v1/enrolment-keys', {
      body: { note: 'x'.repeat(70_000) },
    })
    t.equal(status, 413)
  })

  await t.test(
    'what is no HTTP, or more than one thing at once, ends its connection and nothing else',
    async t => {
      const start = 'POST /api/v1/enrolment-keys HTTP/1.1\r\nHost: x\r\n'
      const table: readonly (readonly [what: string, bytes: string, answer: RegExp])[] = [
        [
          'a length and chunks',
          `${start}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
          /^HTTP\/1\.1 400 /,
        ],
        ['two lengths', `${start}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`, /^HTTP\/1\.1 400 /],
        ['a header of 64 KiB', `${start}X-Long: ${'a'.repeat(65_536)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
        ['no HTTP', 'hello there\r\n\r\n', /^HTTP\/1\.1 505 /],
      ]
      for (const [what, bytes, answer] of table) t.match(await answerTo(server.port, bytes), answer, what)
      t.equal((await server.ask('GET', '/health/live')).status, 200)
    },
  )
})

/** Half characters have no place in a URL. */
const wellFormed = (text: string): string => Buffer.from(text).toString()

const textOf = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))

/** Bodies that are nearly right, that are any JSON, and that are no JSON. */
const bodies = (schema: Schema, shapes: Readonly<Record<string, Schema>>) =>
  fc.oneof(
    { weight: 6, arbitrary: arbitraryOf(schema, shapes) },
    { weight: 2, arbitrary: arbitraryOf(schema, shapes, 1_000) },
    { weight: 1, arbitrary: junk },
    { weight: 1, arbitrary: fc.string({ maxLength: 200 }) },
  )

/** Resolves with what comes until the connection ends, or a whole answer is there. */
function answerTo(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket.on('data', piece => {
      said += piece.toString('latin1')
      if (said.includes('\r\n\r\n')) socket.end()
    })
    socket.on('error', () => resolve(said))
    socket.on('close', () => resolve(said))
    socket.setTimeout(10_000, () => {
      socket.destroy()
      reject(new Error(`no answer, and not closed: ${JSON.stringify(bytes.slice(0, 80))}`))
    })
  })
}
