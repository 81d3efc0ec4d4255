/** Random good values of any message, made from the kinds of its fields. */
import fc from 'fast-check'
import type { Wire } from '../../src/protocol/messages.js'
import type { Kind, Message } from '../../src/protocol/schema.js'
import type { OperatorWire } from '../../src/protocol/operator.js'
import { MESSAGES, OPERATORS } from './bytes.js'

const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
const text = (max: number) =>
  fc
    .string({ unit: 'grapheme', maxLength: Math.min(max, 40) })
    .filter(s => s.length <= max && !/\p{Cc}|\u2028|\u2029/u.test(s))
const number = (min: number) => fc.double({ min, noNaN: true, noDefaultInfinity: true }).map(n => n + 0) // no -0

const endpoint = fc
  .tuple(
    fc.oneof(
      fc.ipV4(),
      fc.ipV6().map(ip => `[${ip}]`),
    ),
    fc.integer({ min: 1, max: 65_535 }),
  )
  .map(parts => parts.join(':'))

/** What JSON can say. Decoders rename the key `__proto__`, which no object of ours has. */
const value: fc.Arbitrary<unknown> = fc
  .jsonValue({ maxDepth: 4, noUnicodeString: false })
  .map(any => JSON.parse(JSON.stringify(any).replaceAll('__proto__', 'x')) as unknown)

/** An item of a tuple: nil when it may be missing. */
const ofItem = (name: string): fc.Arbitrary<unknown> =>
  name.endsWith('?') ? fc.option(ofKind(name.slice(0, -1)), { nil: null }) : ofKind(name)

/** Returns values of a kind by its name, which is also what the documentation calls it. */
function ofKind(name: string): fc.Arbitrary<unknown> {
  const list = /^≤(\d+) × (.+)$/.exec(name)
  if (list) return fc.array(ofKind(list[2] as string), { maxLength: Math.min(Number(list[1]), 6) })
  const items = /^\[(.+)\]$/.exec(name)
  if (items) return fc.tuple(...(items[1] as string).split(', ').map(ofItem))
  const [word = '', size = ''] = name.split(' ')
  const max = Number(size.replace('≤', ''))
  if (name.startsWith('"')) return fc.constantFrom(...name.slice(1, -1).split('" "'))
  if (word === 'bytes') {
    return fc.uint8Array(size.startsWith('≤') ? { maxLength: 300 } : { minLength: max, maxLength: max })
  }
  if (word === 'str') return text(max)
  if (word === 'prose') return text(max).map(line => line.replaceAll('x', '\n'))
  switch (name) {
    case 'bool':
      return fc.boolean()
    case 'u32':
      return fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 0xffff_ffff }))
    case 'u53':
      return fc.maxSafeNat()
    case 'f64':
      return number(Number.MIN_SAFE_INTEGER)
    case 'f64 ≥0':
      return number(0)
    case 'id':
      return id
    case 'endpoint':
      return endpoint
    case 'candidate':
      return fc.tuple(fc.constantFrom('host', 'srflx', 'relay'), endpoint).map(parts => parts.join(' '))
    case 'value':
      return value
    case 'country':
      return fc.constantFrom('DE', 'FI', 'NL')
    default:
      throw new Error(`no values for ${name}`)
  }
}

const ofField = (field: Kind): fc.Arbitrary<unknown> =>
  field.optional ? fc.option(ofKind(field.name), { nil: undefined }) : ofKind(field.name)

export function eventsOf<W = Wire>(message: Message): fc.Arbitrary<W> {
  return fc
    .record(Object.fromEntries(message.order.map(key => [key, ofField(message.fields[key] as Kind)]))) // order lists the fields
    .map(fields => {
      // An optional value that is null is absent: nil says both.
      const present = Object.entries(fields).filter(([, field]) => field !== undefined && field !== null)
      return { type: message.name, ...Object.fromEntries(present) } as unknown as W // made of its kinds
    })
}

export const events: fc.Arbitrary<Wire> = fc.oneof(...MESSAGES.map(message => eventsOf(message)))
export const operatorEvents: fc.Arbitrary<OperatorWire> = fc.oneof(
  ...OPERATORS.messages.map(message => eventsOf<OperatorWire>(message)),
)
