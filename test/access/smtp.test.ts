/** Mail that leaves by SMTP, at a mail server that is not ours: what arrives, and what goes wrong on the way. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { type SMTPServerOptions, SMTPServer } from 'smtp-server'
import t, { type Test } from 'tap'
import { access } from '../../src/access/plugin.js'
import { MailServer } from '../../src/access/mail/smtp.js'
import { isAddress, readSender, readSmtpUrl } from '../../src/access/mail/smtp-url.js'
import { mail as mailCheck } from '../../src/app/doctor/mail.js'
import { readConfig } from '../../src/app/config.js'
import { type Clock, systemClock } from '../../src/kit/clock.js'
import { makeCertificate } from '../support/certificate.js'
import { restServer } from '../support/rest-server.js'
import { SimulatedClock } from '../support/simulated-clock.js'
import { until } from '../support/until.js'

const DIR = t.testdir()
const CA = join(DIR, 'localhost.crt')
makeCertificate(DIR, 'localhost')
const FROM = 'Mesh <mesh@example.org>'
const LETTER = { to: 'ada@example.org', subject: 'Hello', text: 'Grüße,\n\n.dots\n', id: '7.123' }

t.test(
  'a mail arrives as it was written, over TLS, as who we are, and says that no person sent it',
  async t => {
    const { url, ca, mails } = await mailbox(t)
    const server = mailServer(t, `smtp://boson:p%40ss@${url}?ca=${ca}`)
    await server.send(LETTER)
    t.match(mails, [{ user: 'boson', secure: true, from: 'mesh@example.org', to: ['ada@example.org'] }])
    const [head = '', body = ''] = mails[0]?.source.split('\r\n\r\n') ?? []
    t.match(head, /^From: Mesh <mesh@example\.org>$/m)
    t.match(head, /^To: ada@example\.org$/m)
    t.match(head, /^Subject: Hello$/m)
    t.match(head, /^Message-ID: <7\.123@example\.org>$/m)
    t.match(head, /^Auto-Submitted: auto-generated$/m)
    t.match(head, /^Content-Type: text\/plain; charset=utf-8$/m)
    t.match(head, /^Date: /m)
    t.match(body, /Gr=C3=BC=C3=9Fe/)
  },
)

t.test('connections are used again, few at once, and none is left at the end', async t => {
  const { url, ca, mails, connections } = await mailbox(t)
  const server = mailServer(t, `smtp://${url}?ca=${ca}`)
  await Promise.all(Array.from({ length: 12 }, (_, i) => server.send({ ...LETTER, id: `${i}.1` })))
  t.equal(mails.length, 12)
  t.ok(connections.all <= 3, `${connections.all} connections`)
  await server.close()
  await until('no connection is left', () => connections.open === 0)
  await t.rejects(server.send(LETTER), { code: 'MAIL_DELAYED' })
})

t.test('what a header is made of is never taken from a name or a subject', async t => {
  const { url, ca, mails } = await mailbox(t)
  const server = mailServer(t, `smtp://${url}?ca=${ca}`)
  for (const to of [
    'ada@example.org\r\nBcc: eve@example.org',
    'ada@example.org, eve@example.org',
    'Ada <ada@example.org>',
    'ada@example.org> RCPT TO:<eve@example.org',
    '"ada eve"@example.org',
    'ada',
    '@example.org',
    'ada@example.org\0',
    'ada@[192.0.2.1]',
  ]) {
    t.notOk(isAddress(to), JSON.stringify(to))
    await t.rejects(server.send({ ...LETTER, to }), { code: 'MAIL_REFUSED' }, to)
  }
  await server.send({ ...LETTER, subject: 'Hello\r\nBcc: eve@example.org\r\n\r\nHa' })
  t.equal(mails.length, 1)
  t.same(mails[0]?.to, ['ada@example.org'])
  t.match(mails[0]?.source, /^Subject: Hello Bcc: eve@example\.org Ha$/m)
  t.notMatch(mails[0]?.source, /^Bcc:/m)
})

t.test(
  'what the server says for good of a recipient or a text is for good; all else is tried again',
  async t => {
    const refuse = (code: number) => Object.assign(new Error('no such user'), { responseCode: code })
    const cases: readonly [string, string, SMTPServerOptions][] = [
      ['unknown recipient', 'MAIL_REFUSED', { onRcptTo: (_, __, done) => done(refuse(550)) }],
      ['full mailbox', 'MAIL_DELAYED', { onRcptTo: (_, __, done) => done(refuse(452)) }],
      [
        'taken for spam',
        'MAIL_REFUSED',
        { onData: (stream, _, done) => stream.on('end', () => done(refuse(554))).resume() },
      ],
      [
        'busy',
        'MAIL_DELAYED',
        { onData: (stream, _, done) => stream.on('end', () => done(refuse(451))).resume() },
      ],
      ['a sender that we may not be', 'MAIL_DELAYED', { onMailFrom: (_, __, done) => done(refuse(550)) }],
      ['greylisted', 'MAIL_DELAYED', { onConnect: (_, done) => done(refuse(421)) }],
    ]
    await Promise.all(
      cases.map(async ([name, code, options]) => {
        const { url, ca } = await mailbox(t, options)
        await t.rejects(mailServer(t, `smtp://${url}?ca=${ca}`).send(LETTER), { code }, name)
      }),
    )
  },
)

t.test('a wrong password delays mail: it is ours to change', async t => {
  const { url, ca, mails } = await mailbox(t)
  const server = mailServer(t, `smtp://boson:guess@${url}?ca=${ca}`)
  await t.rejects(server.send(LETTER), { code: 'MAIL_DELAYED', message: /login/i })
  await t.rejects(server.check(), { code: 'MAIL_DELAYED', message: /login/i })
  t.same(mails, [])
})

t.test('neither a password nor a mail goes where the way is not encrypted', async t => {
  const open = await mailbox(t, { disabledCommands: ['STARTTLS'], allowInsecureAuth: true })
  const server = mailServer(t, `smtp://boson:p%40ss@${open.url}`)
  await t.rejects(server.send(LETTER), { code: 'MAIL_DELAYED', message: /STARTTLS/ })
  const stranger = await mailbox(t)
  await t.rejects(mailServer(t, `smtp://boson:p%40ss@${stranger.url}`).send(LETTER), {
    code: 'MAIL_DELAYED',
    message: /certificate/,
  })
  t.same([open.logins, stranger.logins], [0, 0])
  const clear = mailServer(t, `smtp://${open.url}?tls=never`)
  await clear.send(LETTER)
  t.match(open.mails, [{ secure: false }], 'on this machine, when told to')
})

t.test('a server that is silent, or talks without end, or goes away, delays mail and no more', async t => {
  const clock = new SimulatedClock()
  const silent = await listener(t, () => {})
  const endless = await listener(t, socket => socket.write('220-wait\r\n'.repeat(20)))
  const waiting = [silent, endless].map(async port => {
    const server = mailServer(t, `smtp://127.0.0.1:${port}?tls=never`, clock)
    await t.rejects(server.send(LETTER), { code: 'MAIL_DELAYED' })
  })
  // Until both are connected; from then on time is ours.
  await until('both have connected', () => held.size === 2)
  await clock.run(45_000)
  await Promise.all(waiting)

  const gone = await listener(t, socket => socket.end('220 mail ESMTP\r\n'))
  const nobody = mailServer(t, `smtp://127.0.0.1:${gone}?tls=never`)
  await t.rejects(nobody.send(LETTER), { code: 'MAIL_DELAYED' })
  const away = mailServer(t, 'smtp://127.0.0.1:1?tls=never')
  await t.rejects(away.send(LETTER), { code: 'MAIL_DELAYED', message: /ECONNREFUSED/ })
})

t.test('a stop does not wait for a server that does not answer', async t => {
  const clock = new SimulatedClock()
  const port = await listener(t, () => {})
  const server = new MailServer({ url: `smtp://127.0.0.1:${port}?tls=never`, from: FROM, clock })
  const sending = t.rejects(server.send(LETTER), { code: 'MAIL_DELAYED' })
  await until('it is connected', () => held.size > 0)
  const closed = server.close()
  await clock.run(3_000)
  await Promise.all([closed, sending])
})

t.test('a mail server and a sender are named by settings', async t => {
  t.match(readSmtpUrl('smtp://mail.example.org'), { port: 587, tls: 'starttls', auth: null })
  t.match(readSmtpUrl('smtps://a:b%3Ac@mail.example.org'), {
    port: 465,
    tls: 'from the start',
    auth: { user: 'a', pass: 'b:c' },
  })
  t.match(readSmtpUrl('smtp://[::1]:2525?tls=never'), { host: '::1', port: 2525, tls: 'none' })
  for (const bad of [
    'http://mail.example.org',
    'smtp://mail.example.org?tls=never',
    'smtps://127.0.0.1?tls=never',
    'smtp://127.0.0.1?tls=maybe',
    'smtp://127.0.0.1?rejectUnauthorized=false',
    'smtp://a@mail.example.org',
    'smtp://a:%zz@mail.example.org',
    'smtp://mail.example.org/path',
    'mail.example.org',
  ])
    t.equal(readSmtpUrl(bad), null, bad)
  t.same(readSender('mesh@example.org'), { name: '', address: 'mesh@example.org' })
  t.same(readSender('The Mesh <mesh@example.org>'), { name: 'The Mesh', address: 'mesh@example.org' })
  for (const bad of ['mesh', 'a@b, c@d', 'Mesh\r\nBcc: x <mesh@example.org>', '<@>'])
    t.equal(readSender(bad), null, bad)
  t.throws(() => readConfig({ flags: {}, env: { SMTP_URL: 'smtp://mail.example.org' } }), {
    message: /MAIL_FROM: wanted/,
  })
  t.throws(
    () =>
      readConfig({ flags: {}, env: { SMTP_URL: 'smtp://a:hidden@x.example?tls=never', MAIL_FROM: 'a@b.c' } }),
    { message: /^(?![^]*hidden)[^]*SMTP_URL: wanted a URL such as/ },
  )
})

t.test('the doctor tells whether mail leaves, and what to do when it does not', async t => {
  const { url, ca, mails } = await mailbox(t)
  const look = (text: string, wanted = false) =>
    mailCheck({ place: readSmtpUrl(text), wanted, check: () => mailServer(t, text).check() })
  t.match(await look(''), { verdict: 'ok', found: /goes to the log/ })
  t.match(await look('', true), { verdict: 'warning', advice: /SMTP_URL/ })
  t.match(await look(`smtp://boson:p%40ss@${url}?ca=${ca}`), {
    verdict: 'ok',
    found: /takes it, as boson, over TLS/,
  })
  t.match(await look(`smtp://boson:guess@${url}?ca=${ca}`), { verdict: 'failed', advice: /password/ })
  t.match(await look(`smtp://${url}`), { verdict: 'failed', advice: /certificate/ })
  t.match(await look('smtp://127.0.0.1:1'), { verdict: 'failed', found: /ECONNREFUSED/ })
  t.same(mails, [], 'nothing is sent')
})

t.test('a code is mailed to who registers, and one that is refused for good is not tried again', async t => {
  const { url, ca, mails } = await mailbox(t, {
    onRcptTo: ({ address }, _, done) =>
      address.startsWith('eve')
        ? done(Object.assign(new Error('no such user'), { responseCode: 550 }))
        : done(),
  })
  const { ask } = await restServer(t, {
    plugins: [access],
    env: { BOSON_SIGN_UP: 'confirmed', SMTP_URL: `smtp://${url}?ca=${ca}`, MAIL_FROM: FROM },
  })
  for (const email of ['ada@example.org', 'eve@example.org'])
    await ask('POST', '/auth/register', { token: null, body: { email, password: 'correct horse battery' } })
  await until('both were tried', async () => {
    const { mails: rows } = (await ask('GET', '/api/v1/mails')).body
    return rows.every((row: { attempts: number }) => row.attempts === 1) && mails.length === 1
  })
  t.match(mails, [{ to: ['ada@example.org'] }])
  t.match((await ask('GET', '/api/v1/mails')).body.mails, [
    { to: 'eve@example.org', sentAt: null, refusedAt: /Z$/, error: /MailRefused.*550/ },
    { to: 'ada@example.org', sentAt: /Z$/, refusedAt: null },
  ])
})

const held = new Set<Socket>()
t.beforeEach(() => held.clear())

function mailServer(t: Test, url: string, clock: Clock = systemClock): MailServer {
  const server = new MailServer({ url, from: FROM, clock, stepMs: 5_000 })
  t.teardown(() => server.close())
  return server
}

/** A mail server on this machine, with one account: boson, p@ss. */
async function mailbox(t: Test, options: SMTPServerOptions = {}) {
  const mails: {
    source: string
    user: unknown
    secure: boolean
    from: string
    to: readonly string[]
  }[] = []
  const connections = { all: 0, open: 0 }
  const box = { logins: 0 }
  const server = new SMTPServer({
    key: readFileSync(join(DIR, 'localhost.key')),
    cert: readFileSync(CA),
    authOptional: true,
    onConnect(_, done) {
      connections.all++
      connections.open++
      done()
    },
    onClose: () => void connections.open--,
    onAuth({ username, password }, _, done) {
      box.logins++
      if (username === 'boson' && password === 'p@ss') done(null, { user: username })
      else done(new Error('no such user'))
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        mails.push({
          source: Buffer.concat(chunks).toString(),
          user: session.user,
          secure: session.secure,
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
        })
        done()
      })
    },
    ...options,
  })
  server.on('error', () => undefined)
  const listening = server.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  t.teardown(() => new Promise<void>(resolve => server.close(() => resolve())))
  const { port } = listening.address() as AddressInfo
  return {
    url: `localhost:${port}`,
    ca: CA,
    mails,
    connections,
    get logins() {
      return box.logins
    },
  }
}

/** Returns the port of a server that does this with whoever connects. */
async function listener(t: Test, greet: (socket: Socket) => void): Promise<number> {
  const server = createServer(socket => {
    held.add(socket)
    socket.on('error', () => undefined)
    greet(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of held) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
