import fc from 'fast-check'
import { Packr, Unpackr } from 'msgpackr'
import t from 'tap'
import { decode, encode } from '../../src/protocol/codec.js'
import { MAX_DEPTH, MAX_ITEMS, scan, scanOf } from '../../src/protocol/scan.js'
import { events } from './arbitrary.js'
import { bytesOf, pack } from './bytes.js'
import { GOLDEN } from './golden.js'
import { OPERATOR_GOLDEN } from './operator-golden.js'

const nested = (depth: number): string => '91'.repeat(depth) + 'c0'
const list16 = (items: number): string => `dc${items.toString(16).padStart(4, '0')}${'c0'.repeat(items)}`

t.test('every message passes, to its last byte', async t => {
  for (const text of Object.values(GOLDEN)) t.equal(scan(bytesOf(text)), text.length / 2)
})

t.test('a value may start anywhere in a message', async t => {
  const bundle = bytesOf(GOLDEN.renew + GOLDEN.replaced)
  t.equal(scan(bundle, 0), 2)
  t.equal(scan(bundle, 2), 5)
  t.equal(scan(bundle, 5), -1, 'nothing is left')
})

const REFUSED: readonly [what: string, bytes: string][] = [
  ['nothing', ''],
  ['0xc1, which means nothing', '91c1'],
  ['a fixmap', '9181a17801'],
  ['an empty map', '9180'],
  ['map16', '91de0000'],
  ['map32', '91df00000000'],
  ['array32', '91dd00000000'],
  ['str32', '91db0000000161'],
  ['bin32', '91c60000000100'],
  ['fixext1', '91d40000'],
  ['fixext2', '91d5000000'],
  ['fixext4', '91d6ff00000000'],
  ['fixext8', '91d7ff0000000000000000'],
  ['fixext16', `91d800${'00'.repeat(16)}`],
  ['ext8', '91c70000'],
  ['ext16', '91c8000000'],
  ['ext32', '91c90000000000'],
  ['a length of 2^32-1', '91ddffffffff'],
  ['a string that ends early', '91a3616'.padEnd(8, '0')],
  ['bytes that end early', '91c403ff'],
  ['a list that ends early', '92c0'],
  ['a number that ends early', '91cb00000000000000'],
  ['a length that ends early', '91c5ff'],
]
for (const [what, text] of REFUSED) {
  t.test(`the scan refuses ${what}`, async t => {
    t.equal(scan(bytesOf(text)), -1)
  })
}

t.test('lists nest no deeper than any message does', async t => {
  t.equal(scan(bytesOf(nested(MAX_DEPTH))), MAX_DEPTH + 1)
  t.equal(scan(bytesOf(nested(MAX_DEPTH + 1))), -1)
  t.equal(scan(bytesOf(nested(60_000))), -1)
  t.equal(scan(bytesOf('9090')), 1, 'an empty list takes no depth')
})

t.test('a value holds no more items than any message does', async t => {
  t.equal(scan(bytesOf(list16(MAX_ITEMS - 1))), MAX_ITEMS + 2)
  t.equal(scan(bytesOf(list16(MAX_ITEMS))), -1)
  t.equal(scan(bytesOf('dcffff')), -1, 'counted before they are looked for')
  const half = list16(MAX_ITEMS / 2)
  t.equal(scan(bytesOf(`92${half}${half}`)), -1, 'counted over all lists')
})

t.test('the scan agrees with the decoder on where good values end', async () => {
  fc.assert(
    fc.property(fc.array(events, { minLength: 1, maxLength: 4 }), list => {
      const values = list.map(event => encode(event))
      const bundle = Buffer.concat(values)
      let at = 0
      for (const value of values) {
        at += value.length
        if (scan(bundle, at - value.length) !== at) return false
      }
      return scan(bundle, at) === -1
    }),
    { seed: 11, numRuns: 300 },
  )
})

t.test('whatever the scan measures, the decoder reads over the same bytes', async () => {
  const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' })
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), bytes => {
      const end = scan(bytes)
      if (end < 0) return true
      unpackr.unpack(bytes.subarray(0, end)) // throws on bytes that are missing or left over
      return true
    }),
    { seed: 12, numRuns: 20_000 },
  )
})

t.test('what decoders build beyond plain data never reaches one', async t => {
  const rich = new Packr({ useRecords: false, moreTypes: true, structuredClone: true })
  const cyclic: unknown[] = [1]
  cyclic.push(cyclic)
  const foreign: readonly [what: string, value: unknown][] = [
    ['a regular expression', /(a+)+$/],
    ['an error', new Error('boo')],
    ['a set', new Set([1])],
    ['a map', new Map([[1, 2]])],
    ['a date', new Date(0)],
    ['a typed array', new Float64Array(2)],
    ['a list that holds itself', cyclic],
    ['a big integer beyond 64 bits', 2n ** 80n],
    ['undefined', undefined],
    ['an object', { a: 1 }],
    ['a prototype', JSON.parse('{"__proto__":{"polluted":true}}')],
    ['an object in a list in a list', [[{ constructor: 1 }]]],
  ]
  for (const [what, value] of foreign) {
    t.equal(scan(Uint8Array.from(rich.pack([0x0b, value]))), -1, what)
    t.throws(
      () => decode(Uint8Array.from(rich.pack([0x0b, value]))),
      { name: 'FrameError', code: 'malformed' },
      what,
    )
  }
  t.notOk('polluted' in {})
})

t.test('definitions of records are refused, whoever they are addressed to', async t => {
  const records = new Packr({ useRecords: true })
  t.equal(scan(Uint8Array.from(records.pack([{ a: 1, b: 2 }]))), -1)
  t.equal(scan(bytesOf('91d4724091a16101')), -1, 'fixext1 of type 0x72')
  t.equal(scan(bytesOf('91c7037240 91a161'.replace(' ', ''))), -1, 'ext8 of type 0x72')
})

t.test('a hostile value costs no more than its length', async t => {
  const bomb = pack(Array.from({ length: 20_000 }, () => []))
  t.equal(scan(bomb), -1)
  t.throws(() => decode(bomb), { code: 'malformed' })
})

// ── operators ────────────────────────────────────────────────────────────────────────────────────

const rich = scanOf({ depth: 4, items: 100, isRich: true })

t.test('maps and long strings pass where they may be, to their last byte', async t => {
  const all = [...Object.values(GOLDEN), ...Object.values(OPERATOR_GOLDEN)]
  const roomy = scanOf({ depth: 20, items: 10_000, isRich: true })
  for (const text of all) t.equal(roomy(bytesOf(text)), text.length / 2)
  for (const value of [
    {},
    { a: 1 },
    { a: { b: [{ c: 'x' }] } },
    [{ a: [] }, { b: {} }],
    'x'.repeat(70_000),
  ]) {
    t.equal(rich(pack(value)), pack(value).length)
  }
  const wide = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`key ${n}`, n]))
  t.equal(rich(pack(wide)), pack(wide).length, 'map16')
})

t.test('keys of maps are strings', async t => {
  for (const text of ['810101', '81c001', '819001', '818001', '82a1780101', '81c4017801', 'de00010101'])
    t.equal(rich(bytesOf(text)), -1, text)
  t.equal(rich(bytesOf('82a178 82 a179 01 a17a 02 a177 90')), 13, 'in a map within a map')
})

t.test('maps are bounded as lists are', async t => {
  t.equal(rich(bytesOf(`${'81a178'.repeat(4)}c0`)), 13)
  t.equal(rich(bytesOf(`${'81a178'.repeat(5)}c0`)), -1, 'depth')
  t.equal(rich(bytesOf('deffff')), -1, 'items')
  t.equal(rich(bytesOf('dbffffffff61')), -1, 'a string that ends early')
  t.equal(rich(bytesOf('db000000')), -1, 'a length that ends early')
  for (const text of ['df00000000', 'dd00000000', 'c600000000', 'c1', 'd40000', '81a178'])
    t.equal(rich(bytesOf(text)), -1, text)
})

t.test('whatever the scan of operators measures, the decoder reads over the same bytes', async () => {
  const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' })
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), bytes => {
      const end = rich(bytes)
      if (end < 0) return true
      unpackr.unpack(bytes.subarray(0, end)) // throws on bytes that are missing or left over
      return true
    }),
    { seed: 13, numRuns: 20_000 },
  )
})
