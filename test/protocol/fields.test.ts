import t from 'tap'
import { decode as decodeAgents, FrameError } from '../../src/protocol/codec.js'
import type { Kind } from '../../src/protocol/schema.js'
import { exampleList, OPERATORS, pack, TABLES } from './bytes.js'

/** Values of every shape the scan lets through; a field accepts those of its kind alone. */
const SHAPES: readonly unknown[] = [
  true,
  -1,
  1.5,
  7,
  2 ** 53,
  Number.POSITIVE_INFINITY,
  Number.NaN,
  'x',
  'a\nb',
  '.dot first',
  'x'.repeat(300),
  new Uint8Array(3),
  new Uint8Array(32),
  [],
  [7],
  ['x', 7],
  Array.from({ length: 300 }, () => 'x'),
  [[]],
]
/** What the scan lets through on the operators’ socket beside. */
const MAPS: readonly unknown[] = [
  {},
  { x: 7 },
  { x: [{ y: null }] },
  { x: Number.NaN },
  { x: new Uint8Array(3) },
]

/** Returns a value of a kind that lists are made of. */
function sample(name: string): unknown {
  if (name.startsWith('[')) return name.slice(1, -1).split(', ').map(sample)
  if (name.endsWith('?')) return null
  if (name.startsWith('"')) return name.split('"')[1]
  if (name.startsWith('bytes')) return new Uint8Array(Number(name.split(' ')[1]))
  if (name === 'endpoint') return '192.0.2.1:1'
  if (name === 'candidate') return 'host 192.0.2.1:1'
  if (name === 'value') return { x: [null] }
  return name === 'u32' || name === 'u53' || name.startsWith('f64') ? 7 : 'x'
}

/** Returns the largest value of a bounded kind and the one just beyond it; null for kinds without a bound. */
function bounds(name: string): { largest: unknown; beyond: unknown } | null {
  const list = /^≤(\d+) × (.+)$/.exec(name)
  const size = Number(/≤?(\d+)$/.exec(name)?.[1])
  if (list) {
    const item = sample(list[2] as string)
    return { largest: Array(Number(list[1])).fill(item), beyond: Array(Number(list[1]) + 1).fill(item) }
  }
  if (name.startsWith('str') || name.startsWith('prose'))
    return { largest: 'x'.repeat(size), beyond: 'x'.repeat(size + 1) }
  if (name.startsWith('bytes')) return { largest: new Uint8Array(size), beyond: new Uint8Array(size + 1) }
  if (name === 'u32') return { largest: 2 ** 32 - 1, beyond: 2 ** 32 }
  if (name === 'u53') return { largest: Number.MAX_SAFE_INTEGER, beyond: 2 ** 53 }
  if (name === 'id') return { largest: 'x'.repeat(64), beyond: 'x'.repeat(65) }
  return null
}

for (const { message, decode, shapes } of TABLES.flatMap(table =>
  table.messages.map(each => ({
    message: each,
    decode: table.decode,
    shapes: table === OPERATORS ? [...SHAPES, ...MAPS] : SHAPES,
  })),
)) {
  if (message.order.length === 0) continue
  const with_ = (at: number, value: unknown): Uint8Array => pack(exampleList(message).with(at + 1, value))
  const refusal = (bytes: Uint8Array): FrameError => {
    try {
      decode(bytes)
    } catch (error) {
      if (error instanceof FrameError) return error
      throw error
    }
    throw new Error('it was accepted')
  }

  t.test(`a field of ${message.name} takes its own kind alone and names itself otherwise`, async t => {
    for (const [at, key] of message.order.entries()) {
      const field = message.fields[key] as Kind // order lists the fields
      const taken = shapes.map(value => {
        const wanted = field.check(value)
        if (wanted === undefined) return decode(with_(at, value)).type === message.name
        const error = refusal(with_(at, value))
        return (
          error.message === `${message.name}.${key}: wanted ${wanted}` &&
          error.code === 'bad_field' &&
          error.about === message.code
        )
      })
      t.notOk(taken.includes(false), key)
    }
  })

  t.test(`a field of ${message.name} may be nil only when it is optional`, async t => {
    for (const [at, key] of message.order.entries()) {
      if (message.fields[key]?.optional === true) t.notOk(key in decode(with_(at, null)), key)
      else t.match(refusal(with_(at, null)).message, `${message.name}.${key}: wanted `)
    }
  })

  t.test(`the bounds of ${message.name} are exact`, async t => {
    for (const [at, key] of message.order.entries()) {
      const edge = bounds(message.fields[key]?.name ?? '')
      if (edge === null) continue
      t.equal(decode(with_(at, edge.largest)).type, message.name, key)
      t.match(refusal(with_(at, edge.beyond)).message, `${message.name}.${key}: wanted `)
    }
  })

  t.test(`${message.name} without its last required field is refused by that name`, async t => {
    const last = message.order.findLastIndex(key => message.fields[key]?.optional !== true)
    if (last < 0) return
    const error = refusal(pack(exampleList(message).slice(0, last + 1)))
    t.match(error.message, `${message.name}.${message.order[last] ?? ''}: wanted `)
  })
}

t.test('what people will read cannot break a line or steer a terminal', async t => {
  for (const text of ['a\nb', 'a\rb', '\u001b[2J', 'a\u0000', '\u009b31m', 'a\u2028b', 'a\u007f']) {
    t.throws(() => decodeAgents(pack([0x0b, text])), { code: 'bad_field' }, encodeURI(text))
  }
  t.same(decodeAgents(pack([0x0b, 'grüße, 世界 🙂'])), { type: 'goodbye', reason: 'grüße, 世界 🙂' })
})

t.test('an id is a plain word', async t => {
  const welcome = (serverId: string) =>
    decodeAgents(pack([0x01, serverId, new Uint8Array(32), new Uint8Array(32), 1]))
  for (const id of ['a', '0', 'fra-1', 'a.b_c', 'x'.repeat(64)]) t.same(welcome(id).type, 'welcome', id)
  for (const id of ['', '-a', '.', '_a', 'a b', 'a/b', 'ä', 'x'.repeat(65), '__proto__']) {
    t.throws(() => welcome(id), { code: 'bad_field' }, id)
  }
})
