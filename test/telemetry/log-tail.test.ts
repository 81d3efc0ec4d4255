import { Writable } from 'node:stream'
import t from 'tap'
import { createLog } from '../../src/telemetry/log.js'
import { LogTail, type LogLine } from '../../src/telemetry/log-tail.js'

function logging(level = 'trace', pretty = false) {
  const written: string[] = []
  const tail = new LogTail()
  const to = new Writable({
    write(line, _encoding, done) {
      written.push(String(line))
      done()
    },
  })
  const log = createLog({ level, pretty, to, tail })
  return { tail, log, written }
}
const messages = (lines: readonly LogLine[]) => lines.map(({ message }) => message)

t.test('the tail has what was written, as plain objects, newest last', async t => {
  const { tail, log, written } = logging('info')
  log.info({ port: 3000 }, 'listening')
  log.debug({}, 'not written')
  log.warn({ err: new Error('boo') }, 'the database is away')
  t.equal(written.length, 2)
  const [first, second] = tail.lines({ level: 'trace' }, 10)
  t.match(first, { seq: 1, level: 'info', message: 'listening', fields: { port: 3000 } })
  t.ok(Math.abs((first?.atMs ?? 0) - Date.now()) < 60_000)
  t.match(second, { seq: 2, level: 'warn', fields: { err: { message: 'boo', stack: /Error: boo/ } } })
})

t.test('no secret is in it', async t => {
  const { tail, log } = logging()
  log.info({ token: 'S1', user: { password: 'S2' }, config: { tls: { privateKey: 'S3' } } }, 'hello')
  t.match(tail.lines({ level: 'info' }, 1), [
    { fields: { token: '[secret]', user: { password: '[secret]' } } },
  ])
  t.notMatch(JSON.stringify(tail.lines({ level: 'trace' }, 10)), /S\d/)
})

t.test('lines for a terminal are the same lines', async t => {
  const { tail, log } = logging('trace', true)
  log.trace({ n: 1 }, 'one')
  log.fatal({ n: 2 }, 'two')
  t.match(tail.lines({ level: 'trace' }, 10), [
    { level: 'trace', message: 'one', fields: { n: 1 }, atMs: Number },
    { level: 'fatal', message: 'two', fields: { n: 2 } },
  ])
})

t.test('level, search and number choose among them', async t => {
  const { tail, log } = logging()
  log.debug({}, 'a request was answered')
  log.info({ node: 'FRA-1' }, 'a session began')
  log.warn({ node: 'ams-1' }, 'a session failed')
  log.error({}, 'broken')
  t.same(messages(tail.lines({ level: 'warn' }, 10)), ['a session failed', 'broken'])
  t.same(messages(tail.lines({ level: 'trace', search: 'SESSION' }, 10)), [
    'a session began',
    'a session failed',
  ])
  t.same(messages(tail.lines({ level: 'trace', search: 'fra-1' }, 10)), ['a session began'])
  t.same(messages(tail.lines({ level: 'trace', search: 'level' }, 10)), [], 'its own words are not searched')
  t.same(messages(tail.lines({ level: 'trace' }, 2)), ['a session failed', 'broken'], 'the newest')
  t.same(messages(tail.lines({ level: 'trace' }, 10, 3)), ['broken'])
})

t.test('a thousand lines are kept, and none of them is huge', async t => {
  const { tail, log, written } = logging()
  for (let n = 0; n < 1_200; n++) log.info({}, `line ${n}`)
  const lines = tail.lines({ level: 'trace' }, 5_000)
  t.same([lines.length, lines[0]?.message, lines.at(-1)?.seq], [1_000, 'line 200', 1_200])
  log.info({ rows: 'x'.repeat(100_000) }, 'y'.repeat(20_000))
  t.ok((written.at(-1)?.length ?? 0) > 120_000, 'whole where it is written')
  const [long] = tail.lines({ level: 'trace' }, 1)
  t.ok(JSON.stringify(long).length < 8_192)
  t.match(long, { level: 'info', message: /^y+$/, fields: { characters: Number } })
})

t.test('whoever follows hears lines as they are written, until they have enough', async t => {
  const { tail, log } = logging()
  const warnings: LogLine[] = []
  const all: LogLine[] = []
  const stop = tail.follow({ level: 'warn' }, line => warnings.push(line))
  tail.follow({ level: 'trace', search: 'b' }, line => all.push(line))
  log.info({}, 'b1')
  log.warn({}, 'c2')
  log.error({}, 'b3')
  stop()
  log.error({}, 'b4')
  t.same(messages(warnings), ['c2', 'b3'])
  t.same(messages(all), ['b1', 'b3', 'b4'])
})

t.test('what is not a line of the logger is passed over', async t => {
  const { tail } = logging()
  tail.follow({ level: 'trace' }, () => t.fail('it is no line'))
  for (const text of ['', 'plain', 'null', '{"level":']) tail.take(text)
  t.same(tail.lines({ level: 'trace' }, 10), [])
})
