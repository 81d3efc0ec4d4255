import fc from 'fast-check'
import t from 'tap'
import { pick, seededRandom } from '../../src/kit/random.js'
import { decode, decodeAll, encode, FrameError } from '../../src/protocol/codec.js'
import { operatorCodec } from '../../src/protocol/operator.js'
import { events, operatorEvents } from './arbitrary.js'
import { AGENTS, bytesOf, hex, pack, type Table, TABLES } from './bytes.js'
import { GOLDEN } from './golden.js'
import { REGRESSIONS } from './regressions.js'

/** Returns what is wrong with how `decodeAll` took `bytes`; undefined when it gave events or a FrameError. */
function complaint(bytes: Uint8Array, table = AGENTS): string | undefined {
  try {
    for (const event of table.decodeAll(bytes)) table.decode(table.encode(event))
    return undefined
  } catch (error) {
    if (error instanceof FrameError && error.message.length <= 256) return undefined
    return `${hex(bytes)}: ${String(error)}`
  }
}

/** Returns the code with which a value is refused; undefined when it is taken. */
function refusal(value: Uint8Array, table: Table): string | undefined {
  try {
    table.decode(value)
    return undefined
  } catch (error) {
    return error instanceof FrameError ? error.code : String(error)
  }
}

for (const { message, table } of TABLES.flatMap(each =>
  each.messages.map(one => ({ message: one, table: each })),
)) {
  const good = bytesOf(table.golden[message.name] ?? '')

  t.test(`${message.name} cut short at any length is refused`, async t => {
    const answers = Array.from(good, (_, size) => refusal(good.subarray(0, size), table))
    t.same(new Set(answers), new Set(['malformed']))
  })

  t.test(`${message.name} with any byte changed is read or refused, never more`, async t => {
    const random = seededRandom(message.code)
    for (let at = 0; at < good.length; at++) {
      const was = good[at] as number // at is inside
      const flips = Array.from({ length: 8 }, (_, bit) => was ^ (1 << bit))
      for (const byte of [...flips, 0x80, 0xc0, 0xc1, 0xc7, 0xd4, 0xdd, 0xff, pick(random, 256)]) {
        const wrong = complaint(good.with(at, byte), table)
        if (wrong !== undefined) t.fail(wrong)
      }
    }
  })

  t.test(`${message.name} followed by anything is not one value`, async t => {
    for (const tail of ['c0', '00', 'c1', '91', GOLDEN.renew]) {
      t.throws(() => table.decode(bytesOf(hex(good) + tail)), {
        code: 'malformed',
        message: 'bytes after the value',
      })
    }
  })
}

t.test('random bytes are refused or read, never more', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), bytes =>
      TABLES.every(table => complaint(bytes, table) === undefined),
    ),
    {
      seed: 1,
      numRuns: 3_000,
      examples: REGRESSIONS.map(text => [bytesOf(text)] as [Uint8Array<ArrayBuffer>]),
    },
  )
})

t.test('random values of any type are refused or read, never more', async () => {
  const value = fc.anything({ withBigInt: false, withNullPrototype: false, maxDepth: 3 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0x7f }), fc.array(value, { maxLength: 20 }), (code, fields) => {
      return TABLES.every(table => complaint(pack([code, ...fields]), table) === undefined)
    }),
    { seed: 2, numRuns: 2_000 },
  )
})

t.test('random events come back as they were sent', async t => {
  fc.assert(
    fc.property(events, event => {
      t.strictSame(decode(Uint8Array.from(encode(event))), event)
    }),
    { seed: 3, numRuns: 500 },
  )
})

t.test('random events of operators come back as they were sent', async t => {
  fc.assert(
    fc.property(operatorEvents, event => {
      t.strictSame(operatorCodec.decode(Uint8Array.from(operatorCodec.encode(event))), event)
    }),
    { seed: 4, numRuns: 300 },
  )
})

t.test('a bundle with one bad value is refused whole', async t => {
  t.throws(() => decodeAll(bytesOf(`${GOLDEN.renew}c1`)), { code: 'malformed' })
  t.throws(() => decodeAll(bytesOf(`${GOLDEN.renew}917e`)), { code: 'unknown_message', about: 0x7e })
  t.throws(() => decodeAll(new Uint8Array(0)), { code: 'malformed', message: 'an empty message' })
})

t.test('an unknown code is told apart from what is no message at all', async t => {
  t.throws(() => decode(bytesOf('917e')), {
    code: 'unknown_message',
    about: 0x7e,
    message: 'no message has code 0x7e',
  })
  for (const text of ['90', '91a178', '91ff', '91c0', '91cb3ff8000000000000', '9190', '91c3']) {
    t.throws(
      () => decode(bytesOf(text)),
      { code: 'malformed', message: 'a value begins with its code' },
      text,
    )
  }
  for (const text of ['07', 'c0', 'a178', 'c40107']) {
    t.throws(() => decode(bytesOf(text)), { code: 'malformed', message: 'a value is a list' }, text)
  }
})
