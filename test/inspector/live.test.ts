/** The operators’ socket over the real port: who may open it, what it answers, what it watches, and how it ends. */
import t, { type Test } from 'tap'
import { z } from 'zod'
import type { Plugin, PluginHost } from '../../src/app/plugin.js'
import type { Caller } from '../../src/http/caller.js'
import { endpoint } from '../../src/http/endpoint.js'
import { json } from '../../src/http/reply.js'
import type { OperatorRole } from '../../src/http/roles.js'
import { inspector } from '../../src/inspector/plugin.js'
import { OPERATOR_BOUNDS, OPERATOR_CLOSE, OPERATOR_HELLO_MAX } from '../../src/protocol/operator.js'
import { pick, seededRandom } from '../../src/kit/random.js'
import { LogTail } from '../../src/telemetry/log-tail.js'
import { knock } from '../edge/serving.js'
import { bytesOf } from '../protocol/bytes.js'
import { OPERATOR_GOLDEN } from '../protocol/operator-golden.js'
import { coordinator, online, OPERATOR_TOKEN } from '../support/coordinator.js'
import { OperatorSocket } from '../support/operator-socket.js'
import { until } from '../support/until.js'

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

/** Lists as long as a test wants them: other rows at each question. */
class Lists implements Plugin {
  readonly name = 'lists'
  asked = 0
  /** Answers of /slow that wait. */
  readonly waiting: (() => void)[] = []

  async start() {
    const rows = (count: number) => {
      this.asked++
      return Array.from({ length: count }, (_, n) => ({ id: `node-${n}`, load: this.asked, country: 'DE' }))
    }
    const params = z.object({ rows: z.coerce.number() })
    const definition = {
      method: 'GET',
      access: 'viewer',
      tag: 'nodes',
      summary: 'Lists',
      params,
      replies: {},
    } as const
    return {
      routes: [
        endpoint({
          ...definition,
          path: '/rows/{rows}',
          handle: ({ params: wish }) => json(rows(wish.rows)),
        }),
        endpoint({
          ...definition,
          path: '/slow/{rows}',
          handle: async ({ params: wish }) => {
            await new Promise<void>(resolve => this.waiting.push(resolve))
            return json(rows(wish.rows))
          },
        }),
        endpoint({ ...definition, params: z.object({}), path: '/file', handle: () => FILE }),
      ],
      stop: async () => undefined,
    }
  }
}

const FILE = { status: 200, headers: { 'Content-Type': 'application/gzip' }, body: new Uint8Array(8) }

async function served(test: Test) {
  const [accounts, lists, tail] = [new Accounts(), new Lists(), new LogTail()]
  const server = await coordinator(test, {
    plugins: [accounts, lists, inspector],
    tail,
    env: { BOSON_INSPECTOR_ORIGINS: 'https://panel.example' },
  })
  return { ...server, accounts, lists, tail }
}

t.test('one coordinator, many operators', async t => {
  const { port, url, accounts, lists, tail, mesh, ask, secretOf } = await served(t)
  for (const role of ['viewer', 'operator', 'admin'] as const) accounts.add(`${role}-token`, role)
  accounts.callers.set('user-token', {
    kind: 'user',
    name: 'anna',
    accountId: 'a',
    signInId: null,
    expiresAtMs: null,
  })

  // Says nothing while all the rest is tried.
  const silent = await OperatorSocket.open(t, port)

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
    t.match(await socket.call('GET', '/file'), { status: 406, body: { code: 'not_acceptable' } })
    t.match(
      await socket.call('GET', '/rows/70000'),
      { status: 200, body: /^\[\{"id"/ },
      'too long for a list',
    )
    t.match(await socket.call('GET', '/rows/200000'), { status: 413 })
  })

  t.test('a role may do over the socket what it may do over HTTP, and no more', async t => {
    const key = { role: 'node', note: 'by socket' }
    const outcomes: readonly (readonly [OperatorRole, number, number])[] = [
      ['viewer', 403, 403],
      ['operator', 404, 403],
      ['admin', 404, 201],
    ]
    for (const [role, drain, enrol] of outcomes) {
      const socket = await OperatorSocket.signedIn(t, port, `${role}-token`)
      t.match(await socket.call('GET', '/api/v1/nodes'), { status: 200 })
      t.match(await socket.call('POST', '/api/v1/nodes/nobody/drain', {}), { status: drain }, role)
      t.match(await socket.call('POST', '/api/v1/enrolment-keys', key), { status: enrol }, role)
    }
    const audited = await until('the store has it', async () => {
      const { body } = await ask('GET', '/api/v1/audit?actor=admin')
      return (body as { readonly audit: readonly unknown[] }).audit[0]
    })
    t.match(audited, { kind: 'enrolment_key.created', actor: 'admin' }, 'in the name of who asked')
  })

  t.test('a bad body is told as over HTTP', async t => {
    const socket = await OperatorSocket.signedIn(t, port, OPERATOR_TOKEN)
    for (const body of [{ role: 'king' }, [1, 2], 'text', 7])
      t.match(
        await socket.call('POST', '/api/v1/enrolment-keys', body),
        await ask('POST', '/api/v1/enrolment-keys', body),
      )
    const large = { note: 'x'.repeat(66_000) }
    t.match(await socket.call('POST', '/api/v1/enrolment-keys', large), { status: 413 })
  })

  t.test('a watch shows the answer at once, again whenever it differs, and only then', async t => {
    const socket = await OperatorSocket.signedIn(t, port, 'viewer-token')
    socket.say(
      { type: 'operator.watch', watchId: 1, path: '/rows/2', everyMs: 100 },
      { type: 'operator.watch', watchId: 2, path: '/api/v1/statecharts', everyMs: 100 },
      { type: 'operator.watch', watchId: 3, path: '/api/v1/nodes/nobody', everyMs: 100 },
    )
    const ofFirst = () => socket.all('operator.view').filter(({ watchId }) => watchId === 1)
    await until('the first is seen several times', () => ofFirst().length >= 5)
    const [one, two] = ofFirst()
    t.match(one, { status: 200, body: [{ id: 'node-0' }, { id: 'node-1' }] })
    t.notSame(one?.body, two?.body)
    t.ok((two?.atMs ?? 0) > (one?.atMs ?? 0))
    for (const [watchId, status] of [
      [2, 200],
      [3, 404],
    ] as const)
      t.match(
        socket.all('operator.view').filter(view => view.watchId === watchId),
        [{ status }],
        'once',
      )
    socket.say({ type: 'operator.unwatch', watchId: 1 })
    await socket.call('GET', '/api/v1/nodes')
    const seen = ofFirst().length
    socket.say({ type: 'operator.watch', watchId: 4, path: '/rows/3', everyMs: 100 })
    await until('another is seen several times', () => {
      const others = socket.all('operator.view').filter(({ watchId }) => watchId === 4)
      return others.length >= 3
    })
    t.equal(ofFirst().length, seen, 'nobody looks any more')
  })

  t.test('a number that is in use gets another meaning', async t => {
    const socket = await OperatorSocket.signedIn(t, port, 'viewer-token')
    socket.say(
      { type: 'operator.watch', watchId: 7, path: '/rows/1', everyMs: 100 },
      { type: 'operator.follow', watchId: 7, topic: 'facts' },
      { type: 'operator.watch', watchId: 7, path: '/rows/3', everyMs: 100 },
    )
    await socket.next('operator.view', ({ body }) => Array.isArray(body) && body.length === 3)
    const from = socket.heard.length
    await until('it is seen again', () => socket.all('operator.view', from).length >= 2)
    t.ok(socket.all('operator.view', from).every(({ body }) => Array.isArray(body) && body.length === 3))
  })

  t.test('looking at 20,000 rows is paced', async t => {
    const socket = await OperatorSocket.signedIn(t, port, OPERATOR_TOKEN)
    const busyS = async () =>
      Number(/^boson_operator_look_seconds_total\{.*\} (.+)$/m.exec(await metricsOf(socket))?.[1])
    const [beforeS, beganMs] = [await busyS(), performance.now()]
    socket.say({ type: 'operator.watch', watchId: 1, path: '/rows/20000', everyMs: 1 })
    await until('it is seen three times', () => socket.all('operator.view').length >= 3)
    const share = (await busyS()) - beforeS
    t.ok(share > 0)
    // The first look is free; of what follows one part in twenty.
    t.ok(share / ((performance.now() - beganMs) / 1_000) < 0.2, `${share} s of looking`)
    t.same(
      socket.all('operator.view').map(({ body }) => Array.isArray(body) && body.length),
      socket.all('operator.view').map(() => 20_000),
    )
  })

  t.test(
    'a reader that does not read is looked for no more, and sees what is new when it reads again',
    async t => {
      const socket = await OperatorSocket.signedIn(t, port, OPERATOR_TOKEN)
      socket.ws.pause()
      for (let requestId = 0; requestId < 30; requestId++)
        socket.say({ type: 'operator.call', requestId, method: 'GET', path: '/rows/20000' })
      const other = await OperatorSocket.signedIn(t, port, OPERATOR_TOKEN)
      t.match(await other.call('GET', '/api/v1/nodes'), { status: 200 }, 'others are answered meanwhile')
      socket.say({ type: 'operator.watch', watchId: 1, path: '/rows/1', everyMs: 100 })
      socket.ws.resume()
      await until('all are answered', () => socket.all('operator.answer').length === 30)
      const statuses = new Set(socket.all('operator.answer').map(({ status }) => status))
      t.same(statuses, new Set([200, 503]), 'some were not asked at all')
      await until('it looks again', () => socket.all('operator.view').length >= 2)
    },
  )

  t.test('a reader that never reads is closed, and nobody else', async t => {
    const socket = await OperatorSocket.signedIn(t, port, OPERATOR_TOKEN)
    const other = await OperatorSocket.signedIn(t, port, OPERATOR_TOKEN)
    for (let requestId = 0; requestId < OPERATOR_BOUNDS.calls + 3; requestId++)
      socket.say({ type: 'operator.call', requestId, method: 'GET', path: '/slow/30000' })
    await until('all wait', () => lists.waiting.length === OPERATOR_BOUNDS.calls)
    await until('the others are refused', () => socket.all('operator.answer').length === 3)
    t.match(socket.all('operator.answer'), [{ status: 429 }, { status: 429 }, { status: 429 }])
    socket.ws.pause()
    for (const answer of lists.waiting.splice(0)) answer()
    const closed = /^boson_operator_refused_total\{.*reason="slowReader".*\} 1$/m
    await until('it is closed', async () => closed.test(await metricsOf(other)))
    socket.ws.resume()
    t.equal((await socket.ended()).code, OPERATOR_CLOSE.slowReader.code)
    t.match(await other.call('GET', '/api/v1/nodes'), { status: 200 })
  })

  t.test('a socket has so many watches and follows', async t => {
    const socket = await OperatorSocket.signedIn(t, port, 'viewer-token')
    const { watches, follows } = OPERATOR_BOUNDS
    for (let n = 0; n <= watches; n++)
      socket.say({ type: 'operator.watch', watchId: n, path: '/api/v1/statecharts', everyMs: 60_000 })
    t.match(await socket.next('operator.ended'), { watchId: watches, code: 'too_many', reason: /64/ })
    for (let n = 0; n <= follows; n++)
      socket.say({ type: 'operator.follow', watchId: 1_000 + n, topic: 'facts' })
    const ended = await socket.next('operator.ended', ({ watchId }) => watchId >= 1_000)
    t.match(ended, { watchId: 1_000 + follows, code: 'too_many', reason: /16/ })
    socket.say(
      { type: 'operator.unwatch', watchId: 1_000 },
      { type: 'operator.follow', watchId: 2_000, topic: 'facts' },
    )
    await socket.call('GET', '/api/v1/nodes')
    t.equal(socket.all('operator.ended').length, 2, 'there is room again')
  })

  t.test('the log is followed from a little before, by level and text', async t => {
    tail.take(JSON.stringify({ level: 'info', time: 1, msg: 'before', node: 'fra-1' }))
    tail.take(JSON.stringify({ level: 'debug', time: 2, msg: 'too quiet' }))
    const socket = await OperatorSocket.signedIn(t, port, 'viewer-token')
    socket.say(
      { type: 'operator.follow', watchId: 1, topic: 'log' },
      { type: 'operator.follow', watchId: 2, topic: 'log', level: 'debug', search: 'QUIET' },
    )
    await until('what was there is told', () => socket.all('operator.events').length === 2)
    tail.take(JSON.stringify({ level: 'warn', time: 3, msg: 'now' }))
    const events = (watchId: number) =>
      socket.all('operator.events').flatMap(event => (event.watchId === watchId ? event.events : []))
    await until('what happens is told', () => events(1).length === 2)
    t.match(events(1), [
      { level: 'info', message: 'before', fields: { node: 'fra-1' }, atMs: 1 },
      { level: 'warn', message: 'now' },
    ])
    t.match(events(2), [{ level: 'debug', message: 'too quiet' }])
    t.equal(events(2).length, 1)
  })

  t.test('the audit and the facts are followed as they happen', async t => {
    const socket = await OperatorSocket.signedIn(t, port, OPERATOR_TOKEN)
    socket.say(
      { type: 'operator.follow', watchId: 1, topic: 'audit' },
      { type: 'operator.follow', watchId: 2, topic: 'audit', search: 'SECOND' },
      { type: 'operator.follow', watchId: 3, topic: 'facts', of: 'key.revoked' },
      { type: 'operator.follow', watchId: 4, topic: 'facts', of: 'node.online' },
    )
    for (const note of ['first', 'second']) {
      const made = await socket.call('POST', '/api/v1/enrolment-keys', { role: 'node', note })
      t.equal(made.status, 201)
      const { keyId } = made.body as { readonly keyId: string }
      t.equal((await socket.call('DELETE', `/api/v1/enrolment-keys/${keyId}`)).status, 200)
    }
    const events = (wanted: number) =>
      socket.all('operator.events').flatMap(({ watchId, events: all }) => (watchId === wanted ? all : []))
    await until(
      'all is told',
      () => events(1).length === 4 && events(2).length === 1 && events(3).length === 2,
    )
    t.match(events(1), [
      { kind: 'enrolment_key.created', actor: 'operator', detail: { note: 'first' }, auditId: String },
      { kind: 'enrolment_key.revoked' },
      { kind: 'enrolment_key.created', detail: { note: 'second' } },
      { kind: 'enrolment_key.revoked' },
    ])
    t.match(events(2), [{ detail: { note: 'second' } }])
    t.match(events(3), [{ type: 'key.revoked' }, { type: 'key.revoked' }])
    t.same(events(4), [])
  })

  t.test('an actor is followed until it is gone, and one that is not there is told so', async t => {
    const socket = await OperatorSocket.signedIn(t, port, 'viewer-token')
    const node = await online(t, url, 'fra-1', await secretOf())
    socket.say(
      { type: 'operator.follow', watchId: 1, topic: 'actor', of: 'node/fra-1' },
      { type: 'operator.follow', watchId: 2, topic: 'actor', of: 'node/nobody' },
      { type: 'operator.follow', watchId: 3, topic: 'actor' },
    )
    await until('two are not there', () => socket.all('operator.ended').length === 2)
    t.match(socket.all('operator.ended'), [
      { watchId: 2, code: 'not_found', reason: /node\/nobody/ },
      { watchId: 3, code: 'not_found' },
    ])
    t.equal(mesh.actor('node/fra-1')?.watched, true)
    await node.stop()
    t.match(await socket.next('operator.ended', ({ watchId }) => watchId === 1), { code: 'gone' })
    const steps = socket.all('operator.events').flatMap(({ events }) => events)
    t.match(steps, [{ actor: 'node/fra-1' }])
    t.ok(
      steps.some(step => (step as { readonly event: string }).event === 'said.goodbye'),
      'its last step was seen',
    )
  })

  t.test('the socket ends when the token does, unless it takes another one before', async t => {
    const endsAtMs = Date.now() + 700
    accounts.add('short', 'operator', endsAtMs, 'carla')
    accounts.add('next', 'operator', Date.now() + 60_000, 'carla')
    accounts.add('strange', 'operator', null, 'dora')
    const [lapsing, renewing, cheating] = [
      await OperatorSocket.signedIn(t, port, 'short'),
      await OperatorSocket.signedIn(t, port, 'short'),
      await OperatorSocket.signedIn(t, port, 'short'),
    ]
    t.equal((await lapsing.next('operator.ready')).expiresAtMs, endsAtMs)
    renewing.say({ type: 'operator.renew', token: 'next' })
    cheating.say({ type: 'operator.renew', token: 'strange' })
    t.match(await cheating.ended(), { code: OPERATOR_CLOSE.refused.code, reason: /same operator/ })
    t.equal((await lapsing.ended()).code, OPERATOR_CLOSE.expired.code)
    t.ok(Date.now() >= endsAtMs - 50)
    t.equal(renewing.all('operator.ready').length, 2)
    t.match(await renewing.call('GET', '/api/v1/nodes'), { status: 200 })
  })

  t.test('what an account loses its sockets lose at once', async t => {
    accounts.add('eve-token', 'admin', null, 'eve')
    const socket = await OperatorSocket.signedIn(t, port, 'eve-token')
    const other = await OperatorSocket.signedIn(t, port, OPERATOR_TOKEN)
    accounts.add('eve-token', 'viewer', null, 'eve')
    accounts.host.revocations.tell({ accountId: 'account-of-eve', signInId: null })
    await until('it hears of its new role', () => socket.all('operator.ready').length === 2)
    t.equal(socket.all('operator.ready')[1]?.role, 'viewer')
    t.match(await socket.call('POST', '/api/v1/nodes/nobody/drain', {}), { status: 403 })
    accounts.callers.delete('eve-token')
    accounts.host.revocations.tell({ accountId: 'account-of-eve', signInId: null })
    t.equal((await socket.ended()).code, OPERATOR_CLOSE.expired.code)
    t.equal(other.closed, null)
  })

  t.test('any bytes at all end their own socket at most', async t => {
    const witness = await OperatorSocket.signedIn(t, port, 'viewer-token')
    const random = seededRandom(7)
    const good = Object.values(OPERATOR_GOLDEN).map(bytesOf)
    const mangled = Array.from({ length: 60 }, (_, n) => {
      const bytes = Uint8Array.from(good[n % good.length] ?? [])
      bytes[pick(random, bytes.length)] = pick(random, 256)
      return n % 3 === 0
        ? bytes
        : n % 3 === 1
          ? Buffer.concat([bytes, bytes])
          : bytes.subarray(0, pick(random, bytes.length))
    })
    const sockets: OperatorSocket[] = []
    for (const bytes of mangled) {
      const socket = await OperatorSocket.signedIn(t, port, 'viewer-token')
      socket.ws.send(bytes)
      socket.say({ type: 'operator.call', requestId: 99, method: 'GET', path: '/api/v1/nodes' })
      sockets.push(socket)
    }
    await until('each is over or goes on', () =>
      sockets.every(({ closed, heard }) => closed !== null || heard.at(-1)?.type === 'operator.answer'),
    )
    t.match(await witness.call('GET', '/api/v1/nodes'), { status: 200 })
    const codes = new Set(sockets.flatMap(({ closed }) => closed?.code ?? []))
    t.same(
      [...codes].filter(
        code => code !== OPERATOR_CLOSE.malformed.code && code !== OPERATOR_CLOSE.refused.code,
      ),
      [],
    )
    for (const { ws } of sockets) ws.terminate()
  })

  t.test('who may open the socket', async t => {
    const good = {
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Protocol': 'boson.operator.v1',
      Host: `127.0.0.1:${port}`,
    }
    const cases: readonly (readonly [string, Record<string, string>, number])[] = [
      ['no page', {}, 101],
      ['our own page', { Origin: `http://127.0.0.1:${port}` }, 101],
      ['a listed page', { Origin: 'https://panel.example' }, 101],
      ['another site', { Origin: 'https://evil.example' }, 403],
      ['another port here', { Origin: 'http://127.0.0.1:1' }, 403],
      ['a page in a sandbox', { Origin: 'null' }, 403],
      ['the agents’ language', { 'Sec-WebSocket-Protocol': 'boson.v1' }, 400],
      ['an old WebSocket', { 'Sec-WebSocket-Version': '8' }, 426],
    ]
    for (const [who, headers, status] of cases)
      t.match(await knock(url, '/inspector/live', { ...good, ...headers }), { status }, who)
    t.match(await knock(url, '/inspector/live?token=x', good), { status: 400, body: /no query/ })
    t.match(await knock(url, '/inspector/live', { ...good, Origin: 'https://evil.example' }), {
      body: /BOSON_INSPECTOR_ORIGINS/,
    })
  })

  t.test('who does not say who it is has five seconds', async t => {
    t.equal((await silent.ended()).code, OPERATOR_CLOSE.helloTimeout.code)
  })

  t.test('sockets that do not say who they are leave room for others', async t => {
    const strangers = await Promise.all(Array.from({ length: 16 }, () => OperatorSocket.open(t, port)))
    const refused = await knock(url, '/inspector/live', {
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Protocol': 'boson.operator.v1',
    })
    t.match(refused, { status: 503, headers: { 'retry-after': '2' } })
    for (const { ws } of strangers) ws.terminate()
  })
})

t.test('a stop tells operators to come back', async t => {
  const { port, stop } = await served(t)
  const socket = await OperatorSocket.signedIn(t, port, OPERATOR_TOKEN)
  socket.say({ type: 'operator.watch', watchId: 1, path: '/rows/1', everyMs: 100 })
  await socket.next('operator.view')
  await stop()
  t.equal((await socket.ended()).code, OPERATOR_CLOSE.restarting.code)
})

async function metricsOf(socket: OperatorSocket): Promise<string> {
  const { body } = await socket.call('GET', '/metrics')
  return typeof body === 'string' ? body : ''
}
