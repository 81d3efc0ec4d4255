/** The operators’ socket over the real port: who may open it, what it answers, what it watches, and how it ends. */
import t, { type Test } from 'tap'
import type { Plugin, PluginHost } from '../../src/app/plugin.js'
import type { Caller } from '../../src/http/caller.js'
import type { OperatorRole } from '../../src/http/roles.js'
import { inspector } from '../../src/inspector/plugin.js'
import { OPERATOR_CLOSE, OPERATOR_HELLO_MAX } from '../../src/protocol/operator.js'
import { coordinator, OPERATOR_TOKEN } from '../support/coordinator.js'
import { OperatorSocket } from '../support/operator-socket.js'

/** Knows the tokens that a test has made up: what it is given is whom they are of. */
class Accounts implements Plugin {
  readonly name = 'accounts'
  readonly callers = new Map<string, Caller>()
  host!: PluginHost

  async start(_: unknown, host: PluginHost) {
    this.host = host
    return {
      routes: [],
      recognise: (bearer: string) => this.callers.get(bearer) ?? null,
      stop: async () => undefined,
    }
  }

  add(token: string, role: OperatorRole, expiresAtMs: number | null = null, name: string = role): void {
    const account = { name, accountId: `account-of-${name}`, signInId: token, expiresAtMs }
    this.callers.set(token, { kind: 'operator', role, ...account })
  }
}

async function served(test: Test) {
  const accounts = new Accounts()
  const server = await coordinator(test, { plugins: [accounts, inspector] })
  return { ...server, accounts }
}

t.test('one coordinator, many operators', async t => {
  const { port, accounts, ask } = await served(t)
  for (const role of ['viewer', 'operator', 'admin'] as const) accounts.add(`${role}-token`, role)
  accounts.callers.set('user-token', {
    kind: 'user',
    name: 'anna',
    accountId: 'a',
    signInId: null,
    expiresAtMs: null,
  })

  t.test('a good token is answered by who it is of', async t => {
    const socket = await OperatorSocket.open(t, port)
    socket.say({ type: 'operator.hello', token: OPERATOR_TOKEN })
    t.same(await socket.next('operator.ready'), {
      type: 'operator.ready',
      name: 'operator',
      role: 'admin',
      serverId: 'test',
      version: (await socket.next('operator.ready')).version,
    })
  })

  t.test('a token that is no operator’s is told so, and the socket ends for good', async t => {
    for (const token of ['nobody', 'user-token', '']) {
      const socket = await OperatorSocket.open(t, port)
      socket.say({ type: 'operator.hello', token })
      t.match(await socket.ended(), { code: OPERATOR_CLOSE.refused.code, reason: /\S/ }, token)
    }
  })

  t.test('the first message is operator.hello', async t => {
    const first = await OperatorSocket.open(t, port)
    first.say({ type: 'operator.call', requestId: 1, method: 'GET', path: '/api/v1/nodes' })
    t.match(await first.ended(), { code: OPERATOR_CLOSE.malformed.code, reason: /operator\.hello/ })
    const large = await OperatorSocket.open(t, port)
    large.ws.send(Buffer.alloc(OPERATOR_HELLO_MAX + 1, 0xc0))
    t.match(await large.ended(), { code: OPERATOR_CLOSE.malformed.code, reason: /at most/ })
    const text = await OperatorSocket.open(t, port)
    text.ws.send('hello')
    t.match(await text.ended(), { code: OPERATOR_CLOSE.malformed.code, reason: /binary/ })
  })

  t.test('answers are those of HTTP, to the same questions', async t => {
    const socket = await OperatorSocket.signedIn(t, port, OPERATOR_TOKEN)
    for (const path of ['/api/v1/nodes?limit=5', '/api/v1/actors?kinds=server', '/api/v1/statecharts'])
      t.match(await socket.call('GET', path), await ask('GET', path), path)
    for (const path of ['/api/v1/nodes?limit=x', '/api/v1/nowhere', '/api/v1/nodes/fra-1', '/%ff'])
      t.match(await socket.call('GET', path), await ask('GET', path), path)
    for (const path of ['', '?', 'api', '//', 'http://x/api/v1/nodes'])
      t.match(await socket.call('GET', path), { status: 404 }, encodeURI(path))
    const metrics = await socket.call('GET', '/metrics')
    t.match(metrics, { status: 200, body: /^# HELP/ }, 'text is a string')
  })
})
