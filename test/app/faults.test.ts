/** What callers are told when something is wrong, B-120. */
import t from 'tap'
import { serve } from '../edge/serving.js'
import { httpNode } from '../rest/agents.js'
import { type Answer, restServer } from '../support/rest-server.js'

t.test(
  'B-120: every fault is a problem of RFC 9457, with the form of the first BosonServer in it',
  async t => {
    const server = await restServer(t, { env: { BOSON_HTTP_PER_MINUTE: '1', BOSON_HTTP_BURST: '6' } })
    const { ask } = server
    const { token } = await httpNode(server, 'fra-1')
    const status = '/api/v1/status'
    const table: readonly (readonly [wanted: number, answer: Answer, says: RegExp])[] = [
      [400, await ask('GET', '/api/v1/nodes?limit=none'), /limit: wanted a whole number/],
      [401, await ask('GET', status, { token: null }), /Authorization: Bearer/],
      [403, await ask('GET', status, { token }), /role viewer/],
      [404, await ask('GET', '/no/such/page'), /no such page/],
      [405, await ask('DELETE', '/health'), /knows GET, HEAD/],
      [409, await ask('POST', '/api/v1/nodes/register', CONFLICT), /key/],
      [413, await ask('POST', '/api/v1/enrolment-keys', { body: 'x'.repeat(70_000) }), /at most 65536 bytes/],
      [426, await ask('GET', '/mesh'), /WebSocket/],
    ]
    for (const [wanted, { status: given, headers, body }, says] of table) {
      t.equal(given, wanted, JSON.stringify(body))
      t.match(headers.get('content-type'), /^application\/problem\+json/)
      t.match(body, { type: 'about:blank', title: String, status: wanted, detail: says, code: String })
      t.same(body.error, { message: body.detail, statusCode: wanted })
    }
  },
)

const CONFLICT = {
  body: {
    nodeId: 'fra-1',
    publicKey: Buffer.alloc(32, 9).toString('base64'),
    networkInfo: { ipv4: '192.168.1.1', natType: 'FullCone', localPort: 51_820 },
    capabilities: { maxConnections: 100, bandwidth: { up: 100, down: 100 } },
  },
}

t.test(
  'B-120: of a fault that is ours the caller learns nothing but that, and the log everything',
  async t => {
    const { get, faults } = serve(t)
    const { status, headers, body } = await get('/broken')
    t.equal(status, 500)
    t.match(headers['content-type'], /^application\/problem\+json/)
    t.match(JSON.parse(body), { code: 'internal', error: { message: 'internal error', statusCode: 500 } })
    t.match(faults, [{ message: 'the password is hunter2' }])
  },
)
