import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { listen } from '../../src/edge/server.js'
import { SENT } from '../../src/protocol/sent.js'
import { makeCertificate, subject } from '../support/certificate.js'
import { until } from '../support/until.js'
import { dial, knock, rawSocket, serve } from './serving.js'

t.test('a socket of the mesh carries binary messages both ways', async t => {
  const { url, intake } = serve(t)
  const ws = await dial(t, url)
  t.equal(ws.protocol, 'boson.v1')
  t.equal(ws.extensions, '', 'nothing is compressed')
  const seen = await until('the socket is open', () => intake.sockets[0])
  ws.send(Buffer.from([1, 2, 3]))
  await until('the message arrived', () => seen.messages.length === 1)
  t.same(seen.messages, ['010203'])
  const answer = new Promise<Buffer>(resolve => ws.once('message', data => resolve(data as Buffer)))
  t.equal(seen.socket.send(Uint8Array.of(9, 8, 7).subarray(1)), SENT.ok)
  t.same(await answer, Buffer.from([8, 7]))
  t.equal(seen.socket.remote, '127.0.0.1')
})

t.test('text, pings and the end of a socket are told', async t => {
  const { url, intake } = serve(t)
  const ws = await dial(t, url)
  const seen = await until('the socket is open', () => intake.sockets[0])
  ws.send('text')
  ws.ping()
  await until('it was told', () => seen.told.length === 2)
  ws.close(4511, 'bye')
  await until('it was told', () => seen.told.length === 3)
  t.same(seen.told, ['text', 'ping', 'closed 4511'])
  t.equal(seen.socket.send(Uint8Array.of(1)), SENT.dropped, 'a socket that is gone takes nothing')
  t.equal(seen.socket.buffered(), 0)
  seen.socket.close(4000, 'again')
})

t.test('the mesh closes a socket with its code and a reason that fits', async t => {
  const { url, intake } = serve(t)
  const ws = await dial(t, url)
  const seen = await until('the socket is open', () => intake.sockets[0])
  const closed = new Promise<[number, string]>(resolve => {
    ws.once('close', (code, reason) => resolve([code, reason.toString()]))
  })
  seen.socket.close(4510, 'ü'.repeat(200))
  const [code, reason] = await closed
  t.equal(code, 4510)
  t.equal(reason, 'ü'.repeat(61))
  t.same(seen.told, ['closed 4510'])
})

t.test('a message above the bound ends the socket', async t => {
  const { url, intake } = serve(t)
  const ws = await dial(t, url)
  const seen = await until('the socket is open', () => intake.sockets[0])
  ws.send(Buffer.alloc(65_537))
  await until('it was told', () => seen.told.length === 1)
  t.same(seen.messages, [])
})

t.test('what our own code throws closes that socket alone', async t => {
  const { url, intake, faults } = serve(t)
  const other = await dial(t, url)
  await until('the socket is open', () => intake.sockets.length === 1)
  const ws = await dial(t, url)
  const seen = await until('the socket is open', () => intake.sockets[1])
  seen.throws = true
  const closed = new Promise<number>(resolve => ws.once('close', resolve))
  ws.send(Buffer.from([1]))
  t.equal(await closed, 4001)
  t.equal(faults.length, 1)
  other.send(Buffer.from([2]))
  await until('the message arrived', () => intake.sockets[0]?.messages.length === 1)
})

t.test('who may not open the mesh, and what they are told', async t => {
  const { url, intake, refusals } = serve(t, { origins: ['https://panel.example'] })
  const good = { 'Sec-WebSocket-Protocol': 'boson.v1', 'Sec-WebSocket-Version': '13' }
  const table: readonly (readonly [string, string, Record<string, string>, number, RegExp])[] = [
    ['no subprotocol', '/mesh', { ...good, 'Sec-WebSocket-Protocol': '' }, 400, /boson\.v1/],
    ['another one', '/mesh', { ...good, 'Sec-WebSocket-Protocol': 'boson.v2, mqtt' }, 400, /boson\.v1/],
    ['an old version', '/mesh', { ...good, 'Sec-WebSocket-Version': '8' }, 426, /version 13/],
    ['a token in the URL', '/mesh?token=abc', good, 400, /no query/],
    ['a web page', '/mesh', { ...good, Origin: 'https://evil.example' }, 403, /BOSON_ORIGINS/],
    ['a page that says null', '/mesh', { ...good, Origin: 'null' }, 403, /BOSON_ORIGINS/],
    [
      'an origin that only begins well',
      '/mesh',
      { ...good, Origin: 'https://panel.example.evil' },
      403,
      /page/,
    ],
    ['another path', '/elsewhere', good, 404, /no such page/],
  ]
  for (const [name, path, headers, status, message] of table) {
    const answer = await knock(url, path, headers)
    t.equal(answer.status, status, name)
    t.match(answer.body, message, name)
  }
  t.equal((await knock(url, '/mesh', { ...good, Origin: 'https://panel.example' })).status, 101)
  t.equal((await knock(url, '/mesh', { ...good, 'Sec-WebSocket-Protocol': 'x, boson.v1' })).status, 101)
  intake.retryAfterS = 7
  const full = await knock(url, '/mesh', good)
  t.equal(full.status, 503)
  t.equal(full.headers['retry-after'], '7')
  const counted = ['bad_request', 'bad_request', 'upgrade_required', 'bad_request']
  t.same(refusals, [...counted, ...Array.from({ length: 3 }, () => 'origin_refused'), 'unavailable'])
})

t.test('a reader that stalls and is closed is gone soon, though it never answers', async t => {
  const { url, intake } = serve(t)
  const raw = await rawSocket(t, url)
  const seen = await until('the socket is open', () => intake.sockets[0])
  raw.pause()
  const chunk = new Uint8Array(60_000)
  while (seen.socket.buffered() < 500_000) seen.socket.send(chunk)
  seen.socket.close(4010, 'too slow')
  t.same(seen.told, ['closed 4010'])
  const gone = new Promise<void>(resolve => raw.once('close', () => resolve()))
  raw.on('error', () => undefined)
  // Writing into a connection that the other side has given up is answered with a reset.
  const poke = setInterval(() => raw.write(Buffer.of(0)), 100)
  t.teardown(() => clearInterval(poke))
  await gone
})

t.test('one process listens on a port', async t => {
  const { port, options } = serve(t)
  t.throws(() => listen({ ...options, port }), {
    code: 'LISTEN_FAILED',
    message: /another process has the port/,
  })
})

t.test('a new certificate serves new connections while sessions over the old one go on', async t => {
  const dir = t.testdir()
  const [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')]
  for (const name of ['one', 'two']) makeCertificate(dir, name)
  const use = (name: string) => {
    copyFileSync(join(dir, `${name}.crt`), cert)
    copyFileSync(join(dir, `${name}.key`), key)
  }
  use('one')
  const { server, port, intake } = serve(t, { tls: { cert, key } })
  const ws = await dial(t, `wss://127.0.0.1:${port}`)
  const seen = await until('the socket is open', () => intake.sockets[0])
  t.equal(await subject(port), 'one')
  use('two')
  server.reload()
  t.equal(await subject(port), 'two')
  ws.send(Buffer.from([5]))
  await until('the message arrived', () => seen.messages.length === 1)
  copyFileSync(join(dir, 'one.key'), key)
  copyFileSync(join(dir, 'two.crt'), cert)
  t.throws(() => server.reload(), { code: 'BAD_CERTIFICATE' })
  t.equal(await subject(port), 'two', 'a certificate that cannot be used changes nothing')
})

t.test('a server that is shut takes no more, and keeps what it has', async t => {
  const { server, url, intake } = serve(t)
  const ws = await dial(t, url)
  const seen = await until('the socket is open', () => intake.sockets[0])
  server.shut()
  await t.rejects(fetch(url.replace('ws', 'http')))
  ws.send(Buffer.from([5]))
  await until('the message arrived', () => seen.messages.length === 1)
})
