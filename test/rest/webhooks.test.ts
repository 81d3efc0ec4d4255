/** Webhooks as their receivers see them: real HTTP servers on loopback, called by a whole coordinator. */
import { rmSync } from 'node:fs'
import t, { type Test } from 'tap'
import { webhooksPlugin, type WebhooksOptions } from '../../src/rest/webhooks/plugin.js'
import { MailboxAgent } from '../support/mailbox-agent.js'
import { accept, isSigned, type Receiver, receiver, reject } from '../support/receiver.js'
import { onEachDatabase, type RestServer, type Wishes } from '../support/rest-server.js'
import { shortFolder } from '../support/short-folder.js'
import { until } from '../support/until.js'

const HOOKS = '/api/v1/webhooks'
/** Short enough for a test to wait for; loopback may be called. */
const ENV = {
  BOSON_WEBHOOK_NETWORKS: '127.0.0.0/8',
  BOSON_WEBHOOK_HOLD_MS: '100',
  BOSON_RESUME_WINDOW_MS: '1000',
}
const QUICK: WebhooksOptions = {
  timing: { firstRetryMs: 20, maxRetryMs: 100, leaseMs: 5_000, timeoutMs: 2_500 },
  lookUp: async name => NAMES[name] ?? [],
}
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'good.test': ['127.0.0.1'],
  'inside.test': ['10.0.0.5'],
  'two-faced.test': ['127.0.0.1', '169.254.169.254'],
}

t.test('webhooks', t =>
  onEachDatabase(t, async (t, start) => {
    const begin = (wishes: Omit<Wishes, 'databaseUrl'> = {}, options = QUICK) =>
      start({ ...wishes, plugins: [webhooksPlugin(options)], env: { ...ENV, ...wishes.env } })
    const server = await begin()
    const key = await server.enrolmentKey()
    const { ask, mesh } = server

    t.test('an event is signed so that its receiver can tell whose it is', async t => {
      const to = await receiver(t)
      const { webhook, secret } = await hook(t, server, to)
      t.match(await ask('POST', `${HOOKS}/${webhook.id}/test`), {
        status: 202,
        body: { type: 'webhook.test', status: 'waiting' },
      })
      const [event] = await to.got(1)
      if (event === undefined) return
      t.ok(isSigned(event, secret))
      t.notOk(isSigned(event, `${secret}x`))
      t.notOk(isSigned({ ...event, text: event.text.replace('operator', 'somebody') }, secret))
      t.notOk(isSigned(event, secret, Date.now() + 600_000), 'a receiver need not take old ones')
      t.match(event.headers, {
        'content-type': /^application\/json/,
        'boson-event-id': event.body.id,
        'boson-event-type': 'webhook.test',
        'boson-attempt': '1',
        host: `127.0.0.1:${to.port}`,
      })
      t.match(event.body, {
        id: /^evt_[0-9a-f]{32}$/,
        type: 'webhook.test',
        at: /^\d{4}-\d\d-\d\dT.*Z$/,
        server: 'test',
        subject: `webhook:${webhook.id}`,
        generation: null,
        data: { askedBy: 'operator' },
      })
    })

    t.test('what happens in the mesh arrives, and only what was asked for', async t => {
      const [all, offline] = [await receiver(t), await receiver(t)]
      await hook(t, server, all)
      await hook(t, server, offline, { events: ['node.offline'] })
      const node = await new MailboxAgent('node', 'arr-1').enter(mesh, key)
      const client = await new MailboxAgent('client', 'anna').enter(mesh, key)
      client.say({ type: 'route.request', requestId: 1 })
      await until('anna has a route', () => client.last('route.assigned') !== undefined)
      await new MailboxAgent('node', 'arr-2').enter(mesh, key)
      await all.got(2)
      mesh.revoke('arr-1', { reason: 'test', actor: 'operator' })
      await all.got(5)
      const told = Object.fromEntries(
        all.received.map(({ body }) => [`${body.type} ${body.subject}`, body] as const),
      )
      const { routeId } = client.last('route.switched') ?? {}
      t.match(told, {
        'node.online node:arr-1': { generation: 1, data: { nodeId: 'arr-1' } },
        'node.online node:arr-2': { generation: 1 },
        'key.revoked key:identity:arr-1': { generation: null, data: { kind: 'identity', by: 'operator' } },
        'node.offline node:arr-1': { generation: 1 },
        [`route.switched route:${routeId}`]: {
          generation: 1,
          data: { clientId: 'anna', from: 'arr-1', to: 'arr-2', cause: 'node_left' },
        },
      })
      t.equal(all.received.length, 5, 'nothing of clients, unless asked for')
      t.match(await offline.got(1), [{ body: { type: 'node.offline' } }])
      t.equal(node.last('registered')?.generation, 1)
      client.leave()
    })

    t.test('who is back in a moment has not been away', async t => {
      const to = await receiver(t)
      await hook(t, server, to)
      const node = await new MailboxAgent('node', 'flip-1').enter(mesh, key)
      await to.got(1)
      for (let n = 0; n < 3; n++) {
        node.leave()
        await node.enter(mesh)
      }
      node.leave()
      await node.enter(mesh)
      node.leave()
      await until('it is told where it stands', () => {
        const { type, generation } = to.received.at(-1)?.body ?? {}
        return type === 'node.offline' && generation === 5
      })
      const told = to.received.map(({ body }) => body as { type: string; generation: number })
      t.same(
        told.map(({ type }) => type),
        told.map((_, n) => (n % 2 === 0 ? 'node.online' : 'node.offline')),
        'nothing is told twice',
      )
      const generations = told.map(({ generation }) => generation)
      t.same(
        generations,
        generations.toSorted((a, b) => a - b),
      )
      t.ok(told.length <= 6, 'five comings and five goings')
    })

    t.test('what does not arrive is tried again, with the same id, and the log says how it went', async t => {
      const to = await receiver(t, (response, nth) =>
        nth === 0
          ? reject(response, 0, to.received[0] as never)
          : void response.writeHead(nth === 1 ? 302 : 200).end(),
      )
      const { webhook } = await hook(t, server, to)
      await ask('POST', `${HOOKS}/${webhook.id}/test`)
      const received = await to.got(3)
      t.equal(new Set(received.map(({ headers }) => headers['boson-event-id'])).size, 1)
      t.same(
        received.map(({ headers }) => headers['boson-attempt']),
        ['1', '2', '3'],
      )
      const delivery = await settled(server, webhook.id)
      t.match(delivery, {
        status: 'delivered',
        attempts: 3,
        responseStatus: 200,
        error: null,
        durationMs: Number,
        nextAttemptAt: null,
      })
      t.match((await ask('GET', `${HOOKS}/${webhook.id}`)).body, { failingSince: null })
      t.match(await ask('GET', `${HOOKS}/${webhook.id}/deliveries/${delivery.id}`), {
        status: 200,
        body: { eventId: delivery.eventId, data: { askedBy: 'operator' } },
      })
    })

    t.test('events of one subject wait for each other, those of others do not', async t => {
      const to = await receiver(t, (response, _, { body }) =>
        (body.subject === 'node:ord-1' && isClosed ? reject : accept)(response, 0, null as never),
      )
      let isClosed = true
      await hook(t, server, to, { events: ['node.online', 'node.offline'] })
      const first = await new MailboxAgent('node', 'ord-1').enter(mesh, key)
      await to.got(1)
      first.leave()
      await new MailboxAgent('node', 'ord-2').enter(mesh, key)
      await until('the other node is told of', () =>
        to.received.some(({ body }) => body.subject === 'node:ord-2'),
      )
      t.notOk(to.received.some(({ body }) => body.type === 'node.offline'))
      isClosed = false
      await until('it went offline', () => to.received.some(({ body }) => body.type === 'node.offline'))
      const told = to.received.filter(({ body }) => body.subject === 'node:ord-1')
      t.match(
        told.slice(-2).map(({ body }) => body.type),
        ['node.online', 'node.offline'],
      )
    })

    t.test('an event is sent once more when an operator asks for it, but not behind a newer one', async t => {
      const to = await receiver(t)
      const { webhook } = await hook(t, server, to)
      const node = await new MailboxAgent('node', 'again-1').enter(mesh, key)
      await to.got(1)
      const first = await settled(server, webhook.id)
      const redeliver = `${HOOKS}/${webhook.id}/deliveries/${first.id}/redeliver`
      const again = await ask('POST', redeliver)
      t.match(again, { status: 202, body: { redelivery: true, eventId: first.eventId } })
      t.not(again.body.id, first.id)
      const [one, two] = await to.got(2)
      t.equal(one?.text, two?.text)
      node.leave()
      await to.got(3)
      await node.enter(mesh)
      await to.got(4)
      await until(
        'the newer one is in the log',
        async () => (await log(server, webhook.id, '?status=delivered')).length === 4,
      )
      t.match(await ask('POST', redeliver), {
        status: 409,
        body: { detail: /generation 2 of node:again-1 has arrived/ },
      })
      t.match(await ask('POST', redeliver, { body: { outOfOrder: true } }), { status: 202 })
      t.equal((await to.got(5))[4]?.text, one?.text)
    })

    t.test('after a rotation both secrets are good, until the old one is over', async t => {
      const to = await receiver(t)
      const { webhook, secret } = await hook(t, server, to)
      const rotate = `${HOOKS}/${webhook.id}/rotate`
      const rotated = (await ask('POST', rotate, { body: { graceS: 3_600 } })).body
      t.match(rotated, { secret: /^whsec_/, webhook: { oldSecretUntil: String } })
      await ask('POST', `${HOOKS}/${webhook.id}/test`)
      const [event] = await to.got(1)
      t.ok(event && isSigned(event, secret) && isSigned(event, rotated.secret))
      const last = (await ask('POST', rotate, { body: { graceS: 0 } })).body
      await ask('POST', `${HOOKS}/${webhook.id}/test`)
      const [, next] = await to.got(2)
      t.ok(next && isSigned(next, last.secret) && !isSigned(next, rotated.secret))
    })

    t.test('a receiver that hangs keeps nobody waiting but itself', async t => {
      const [hanging, quick] = [await receiver(t, () => {}), await receiver(t)]
      const { webhook } = await hook(t, server, hanging)
      const other = await hook(t, server, quick)
      for (let n = 0; n < 8; n++) await ask('POST', `${HOOKS}/${webhook.id}/test`)
      await hanging.got(1)
      const beganMs = performance.now()
      await ask('POST', `${HOOKS}/${other.webhook.id}/test`)
      await quick.got(1)
      t.ok(performance.now() - beganMs < 2_400, 'before the other one has given up')
      await until('the attempt is given up', async () => {
        const [delivery] = await log(server, webhook.id, '?sort=createdAt&limit=1')
        return /no answer in time/.test(delivery?.error ?? '')
      })
    })

    t.test('a name that leads inside is not called, whatever else it leads to', async t => {
      const to = await receiver(t)
      for (const [name, isCalled] of [
        ['good.test', true],
        ['inside.test', false],
        ['two-faced.test', false],
      ] as const) {
        const url = `http://${name}:${to.port}/`
        const { webhook } = await hook(t, server, to, { url })
        await ask('POST', `${HOOKS}/${webhook.id}/test`)
        await until(
          'it was tried',
          async () => ((await log(server, webhook.id))[0]?.durationMs ?? null) !== null,
        )
        const [delivery] = await log(server, webhook.id)
        if (isCalled) t.match(to.received[0]?.headers, { host: `good.test:${to.port}` })
        else t.match(delivery, { status: 'waiting', error: /not public/ })
      }
      t.equal(to.received.length, 1)
    })

    t.test('a redirect is an answer, and nobody goes where it leads', async t => {
      const inside = await receiver(t)
      const to = await receiver(t, response => void response.writeHead(307, { location: inside.url }).end())
      const { webhook } = await hook(t, server, to)
      await ask('POST', `${HOOKS}/${webhook.id}/test`)
      await to.got(2)
      t.match(await log(server, webhook.id), [{ error: /307: redirects are not followed/ }])
      t.equal(inside.received.length, 0)
    })

    t.test('a webhook is listed without its secret, changed, switched off and deleted', async t => {
      const to = await receiver(t)
      const { webhook, secret } = await hook(t, server, to, { description: 'pager' })
      const list = await ask('GET', `${HOOKS}?active=true&sort=-createdAt`)
      t.match(list, { status: 200, body: { webhooks: Array, count: Number, total: Number } })
      t.notMatch(JSON.stringify(list.body), secret)
      const { id } = webhook
      t.match(await ask('PATCH', `${HOOKS}/${id}`, { body: { active: false } }), {
        status: 200,
        body: { id, active: false, description: 'pager' },
      })
      t.equal((await ask('POST', `${HOOKS}/${id}/test`)).status, 409)
      await ask('PATCH', `${HOOKS}/${id}`, { body: { active: true, events: ['key.revoked'] } })
      t.match((await ask('GET', `${HOOKS}/${id}`)).body, { active: true, events: ['key.revoked'] })
      t.equal((await ask('DELETE', `${HOOKS}/${id}`)).status, 204)
      for (const path of [id, `${id}/deliveries`, `${id}/deliveries/dlv_1`])
        t.equal((await ask('GET', `${HOOKS}/${path}`)).status, 404, path)
      t.equal((await ask('DELETE', `${HOOKS}/${id}`)).status, 404)
    })

    t.test('what a webhook may not be', async t => {
      const url = 'https://example.org/hook'
      const bodies: readonly (readonly [unknown, RegExp])[] = [
        [{}, /url/],
        [{ url: 'ftp://example.org/' }, /http/],
        [{ url: 'https://anna:secret@example.org/' }, /password/],
        [{ url: 'http://10.0.0.5/' }, /not public/],
        [{ url: 'http://0x7f.1:99999/' }, /URL/],
        [{ url: 'http://[::ffff:10.0.0.5]/' }, /not public/],
        [{ url: 'http://example.org:25/' }, /port/],
        [{ url, events: [] }, /events/],
        [{ url, events: ['node.online', 'node.online'] }, /once/],
        [{ url, events: ['node.born'] }, /wanted one of/],
        [{ url, secret: 'mine' }, /secret/],
        [{ url, description: 'x'.repeat(257) }, /256/],
        [{ url, description: 'a\u0000b' }, /U\+0000/],
        ['{"url":', /JSON/],
      ]
      for (const [body, says] of bodies) {
        const answer = await ask('POST', HOOKS, { body })
        t.equal(answer.status, 400, JSON.stringify(body))
        t.match(answer.body.detail, says)
      }
      t.equal((await ask('POST', HOOKS, { body: { url }, token: null })).status, 401)
    })

    t.test('what it did is on the metrics page and in the audit', async t => {
      const page = (await ask('GET', '/metrics')).body as string
      t.match(page, /^boson_webhook_attempts_total\{outcome="delivered",app="bosonserver"\} [1-9]/m)
      t.match(page, /^boson_webhook_attempts_total\{outcome="retried",app="bosonserver"\} [1-9]/m)
      t.match(page, /^boson_webhook_events_damped_total\{app="bosonserver"\} [1-9]/m)
      await until('the audit has it', async () => {
        const { body } = await ask('GET', '/api/v1/audit?limit=500')
        const kinds = new Set((body.audit as { kind: string }[]).map(({ kind }) => kind))
        return ['created', 'changed', 'rotated', 'redelivered', 'deleted'].every(what =>
          kinds.has(`webhook.${what}`),
        )
      })
    })

    t.test('a restart in between loses nothing, and who stays away after it is told of', async t => {
      await server.stop()
      const dataDir = shortFolder()
      t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
      const before = await begin({ dataDir })
      const away = await receiver(t, reject)
      const { webhook, secret } = await hook(
        t,
        before,
        away,
        { events: ['node.online', 'node.offline'] },
        false,
      )
      const credential = await before.enrolmentKey()
      const ids = ['stay-1', 'stay-2', 'stay-3']
      for (const id of ids) await new MailboxAgent('node', id).enter(before.mesh, credential)
      const eventIds = () => new Set(away.received.map(({ body }) => body.id))
      await until('each was tried', () => eventIds().size === ids.length)
      await away.close()
      await before.stop()

      const after = await begin({ dataDir })
      const back = await receiver(t, accept, { port: away.port })
      const told = () =>
        back.received
          .filter(({ body }) => body.subject.startsWith('node:stay-'))
          .map(({ body }) => `${body.type} ${body.subject} ${body.generation}`)
      await until('all of it has arrived', () => told().length === 2 * ids.length)
      for (const id of ids)
        t.same(
          told().filter(line => line.includes(id)),
          [`node.online node:${id} 1`, `node.offline node:${id} 1`],
        )
      t.ok(back.received.every(event => isSigned(event, secret)))
      const known = back.received.filter(({ body }) => eventIds().has(body.id))
      t.equal(known.length, 3, 'the same events, by their ids')
      t.match((await after.ask('GET', `${HOOKS}/${webhook.id}`)).body, { active: true })
      await after.stop()
    })

    t.test('a webhook at which nothing arrives for too long is switched off', async t => {
      const server = await begin({ env: { BOSON_WEBHOOK_DISABLE_AFTER_DAYS: '0.00001' } })
      const to = await receiver(t, reject)
      const { webhook } = await hook(t, server, to)
      await server.ask('POST', `${HOOKS}/${webhook.id}/test`)
      await until('it is switched off', async () => {
        const { body } = await server.ask('GET', `${HOOKS}/${webhook.id}`)
        return body.active === false && /nothing has arrived/.test(body.disabledBecause)
      })
      to.answer = accept
      const { length } = to.received
      await server.ask('PATCH', `${HOOKS}/${webhook.id}`, { body: { active: true } })
      await to.got(length + 1)
      await until('the audit has it', async () => {
        const { body } = await server.ask('GET', '/api/v1/audit')
        return (body.audit as { kind: string }[]).some(({ kind }) => kind === 'webhook.disabled')
      })
    })
  }),
)

interface Made {
  readonly webhook: { readonly id: string }
  readonly secret: string
}

/** Makes a webhook that leads to the receiver; it is deleted when the test ends. */
async function hook(
  t: Test,
  { ask }: RestServer,
  to: Receiver,
  wish: object = {},
  isPassing = true,
): Promise<Made> {
  const { status, body } = await ask('POST', HOOKS, { body: { url: to.url, ...wish } })
  t.equal(status, 201)
  if (isPassing) t.teardown(() => ask('DELETE', `${HOOKS}/${body.webhook.id}`).catch(() => {}))
  return body as Made
}

interface Logged {
  readonly id: string
  readonly eventId: string
  readonly status: string
  readonly error: string | null
  readonly durationMs: number | null
}

async function log({ ask }: RestServer, id: string, query = ''): Promise<readonly Logged[]> {
  const { status, body } = await ask('GET', `${HOOKS}/${id}/deliveries${query}`)
  if (status !== 200) throw new Error(`the log answered ${status}`)
  return body.deliveries as Logged[]
}

/** Resolves with the newest delivery when it has arrived. */
async function settled(server: RestServer, id: string): Promise<Logged> {
  await until('it has arrived', async () => (await log(server, id))[0]?.status === 'delivered')
  return (await log(server, id))[0] as Logged // just seen
}
