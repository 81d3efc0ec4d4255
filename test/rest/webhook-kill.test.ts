/** Webhooks of a process that is killed: what it had acknowledged, and what it could not tell any more, arrives later. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { MeshNode } from '../../src/agent/index.js'
import { commandIn, freePort, startServer } from '../support/boson.js'
import { makeCertificate } from '../support/certificate.js'
import { accept, isSigned, receiver, reject } from '../support/receiver.js'
import { until } from '../support/until.js'

const TOKEN = 'a-token-that-is-known-to-this-test-only'

t.test('a kill loses no event, over TLS, and who left meanwhile is told of after it', async t => {
  const boson = commandIn(t)
  makeCertificate(boson.cwd, 'localhost')
  const [cert, key] = ['crt', 'key'].map(end => readFileSync(join(boson.cwd, `localhost.${end}`), 'utf8'))
  const tls = { cert: cert ?? '', key: key ?? '' }
  const env = {
    PORT: String(await freePort()),
    SECRET_TOKEN: TOKEN,
    NODE_EXTRA_CA_CERTS: join(boson.cwd, 'localhost.crt'),
    BOSON_WEBHOOK_NETWORKS: '127.0.0.0/8',
    BOSON_WEBHOOK_HOLD_MS: '50',
    BOSON_RESUME_WINDOW_MS: '1000',
    BOSON_TURN_MODE: 'off',
  }
  const ask = async (method: string, path: string, wish?: object) => {
    const response = await fetch(`http://127.0.0.1:${env.PORT}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}` },
      ...(wish !== undefined && { body: JSON.stringify(wish) }),
    })
    return (await response.json()) as {
      readonly secret: string
      readonly webhook: { readonly id: string }
      readonly deliveries: readonly { readonly error: string | null }[]
    }
  }

  const first = await startServer(t, { cwd: boson.cwd, env })
  const to = await receiver(t, reject, { tls })
  const { secret } = await ask('POST', '/webhooks', { url: to.url, events: ['node.online', 'node.offline'] })
  const impostor = await receiver(t, accept, { tls })
  const elsewhere = await ask('POST', '/webhooks', { url: impostor.url.replace('localhost', '127.0.0.1') })
  const { secret: credential } = await ask('POST', '/enrolment-keys', { role: 'node' })
  const node = new MeshNode({
    url: `ws://127.0.0.1:${env.PORT}`,
    id: 'fra-1',
    privateKey: randomBytes(32),
    credential,
  })
  await node.start()
  const [tried] = await to.got(1)
  await until('the certificate of another name was refused', async () => {
    const { deliveries } = await ask('GET', `/webhooks/${elsewhere.webhook.id}/deliveries`)
    return deliveries.some(({ error }) => /certificate|altnames/i.test(error ?? ''))
  })
  t.equal(impostor.received.length, 0)

  await first.end('SIGKILL')
  await node.stop()
  await startServer(t, { cwd: boson.cwd, env })
  to.answer = accept
  await until('both are told', () => to.received.some(({ body }) => body.type === 'node.offline'))
  const arrived = to.received.slice(-2)
  t.match(
    arrived.map(({ body }) => [body.type, body.subject, body.generation]),
    [
      ['node.online', 'node:fra-1', 1],
      ['node.offline', 'node:fra-1', 1],
    ],
  )
  t.equal(arrived[0]?.body.id, tried?.body.id, 'the same event')
  t.ok(arrived.every(event => isSigned(event, secret)))
})
