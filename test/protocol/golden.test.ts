import t from 'tap'
import { decode, decodeAll, encode } from '../../src/protocol/codec.js'
import { EXAMPLES } from '../../src/protocol/examples.js'
import { RANGES, type Wire } from '../../src/protocol/messages.js'
import { AGENTS, bytesOf, exampleList, hex, OPERATORS, pack, TABLES } from './bytes.js'
import { GOLDEN } from './golden.js'

const EVERY = TABLES.flatMap(({ messages }) => messages)
const READERS = TABLES.flatMap(({ messages, examples, decode: read }) =>
  messages.map(message => ({ message, example: examples[message.name], read })),
)

t.test('every message has an example and its bytes', async t => {
  for (const { messages, examples, golden } of TABLES) {
    const names = messages.map(m => m.name).toSorted()
    t.same(Object.keys(examples).toSorted(), names)
    t.same(Object.keys(golden).toSorted(), names)
  }
})

for (const { messages, examples, golden, encode: write, decode: read } of TABLES) {
  for (const { name } of messages) {
    t.test(`${name} is written as ever, and read back whole`, async t => {
      const example = examples[name]
      if (example === undefined) throw new Error('there is no example')
      t.equal(hex(write(example)), golden[name])
      t.same(read(bytesOf(golden[name] ?? '')), example)
    })
  }
}

t.test('an example uses every field of its message, so that its bytes show the whole layout', async t => {
  for (const message of EVERY) t.notOk(exampleList(message).includes(null), message.name)
})

t.test('neither kind of socket understands a message of the other', async t => {
  for (const [own, other] of [
    [AGENTS, OPERATORS],
    [OPERATORS, AGENTS],
  ] as const) {
    for (const { name, code } of other.messages) {
      t.throws(() => own.decode(pack([code])), { code: 'unknown_message', about: code }, name)
      t.throws(() => own.encode({ type: name }), { name: 'TypeError' })
      t.throws(() => own.decode(bytesOf(other.golden[name] ?? '')), { name: 'FrameError' }, name)
    }
  }
})

t.test('what is optional and absent is nil on the wire and absent from the event', async t => {
  const event: Wire = { type: 'route.request', requestId: 7, maxLatencyMs: 80, exclude: [] }
  t.equal(hex(encode(event)), '9e2007c0c0c0c050c090c0c0c0c0c0')
  t.same(Object.keys(decode(encode(event))), ['type', 'requestId', 'maxLatencyMs', 'exclude'])
})

t.test('trailing optional fields may be left out, as an older agent does', async t => {
  for (const { message, read } of READERS) {
    const list = exampleList(message)
    for (let at = message.order.length - 1; at >= 0; at--) {
      const key = message.order[at] as string // at is inside
      if (message.fields[key]?.optional !== true) break
      const shorter = read(pack(list.slice(0, at + 1)))
      t.equal(shorter.type, message.name)
      t.notOk(key in shorter, `${message.name} without ${key}`)
    }
  }
})

t.test('fields behind the last known one are ignored, as a newer agent sends them', async t => {
  for (const { message, example, read } of READERS) {
    for (const more of [[null], [1, 'two'], [[1, [2]], new Uint8Array(40)]]) {
      t.same(read(pack([...exampleList(message), ...more])), example, message.name)
    }
  }
})

t.test('numbers are read in any spelling that holds them', async t => {
  for (const seven of ['07', 'cc07', 'cd0007', 'ce00000007', 'cf0000000000000007', 'd007', 'd10007']) {
    t.same(decode(bytesOf(`920a${seven}`)), { type: 'replaced', generation: 7 }, seven)
  }
  t.same(
    decode(bytesOf('920acb401c000000000000')),
    { type: 'replaced', generation: 7 },
    'a float that is whole',
  )
  t.same(decode(bytesOf('9442ce000100010cca40200000')).type, 'relay.pressure', 'a short float')
})

t.test('a message may hold several values, and each becomes an event in its place', async t => {
  const bundle = bytesOf(GOLDEN['path.ready'] + GOLDEN.heartbeat + GOLDEN['relay.data'])
  t.same(
    decodeAll(bundle).map(event => event.type),
    ['path.ready', 'heartbeat', 'relay.data'],
  )
})

t.test('what an event holds outlives the message it came in', async t => {
  const message = bytesOf(GOLDEN.register)
  const event = decode(message)
  message.fill(0)
  t.same(event, EXAMPLES.register)
})

t.test('codes are unique, and inside the range of their room', async t => {
  const codes = EVERY.map(m => m.code)
  t.equal(new Set(codes).size, codes.length)
  for (const code of codes) t.ok(RANGES.some(range => code >= range.from && code <= range.to))
})

t.test('every message and every field says what it is for', async t => {
  for (const message of EVERY) {
    t.match(message.doc, /[.!]$/, message.name)
    for (const key of message.order) t.match(message.fields[key]?.text, /\S/, `${message.name}.${key}`)
  }
})
