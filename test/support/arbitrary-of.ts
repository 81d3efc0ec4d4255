/** Values for a schema of our OpenAPI document: such as it wants, and such with something wrong somewhere. */
import * as fc from 'fast-check'

export interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly items?: Schema
  readonly prefixItems?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: string
  readonly format?: string
  readonly maxLength?: number
  readonly example?: unknown
}

/** What nobody asked for. */
export const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom('', ' ', '\u0000', '../../etc/passwd', '%00', "'; --", '__proto__', '\ud800', 'NaN'),
  fc.constantFrom(-1, 0, 1e308, -1e308, 0.1, 2 ** 53, 4_294_967_296, null, true, [], {}),
  fc.string({ maxLength: 300, unit: 'binary' }),
)

/** Returns values of a schema; one in `mistakesIn` of its parts is something else. */
export function arbitraryOf(
  schema: Schema,
  shapes: Readonly<Record<string, Schema>>,
  mistakesIn = 8,
): fc.Arbitrary<unknown> {
  const of = (part: Schema, depth: number): fc.Arbitrary<unknown> =>
    fc.oneof({ weight: mistakesIn, arbitrary: right(part, depth) }, { weight: 1, arbitrary: junk })

  const right = (part: Schema, depth: number): fc.Arbitrary<unknown> => {
    const { $ref, const: value, enum: values, type, items, properties, example } = part
    if (depth > 8) return fc.constant(null)
    if ($ref !== undefined) return of(shapes[$ref.split('/').at(-1) ?? ''] ?? {}, depth + 1)
    if (value !== undefined) return fc.constant(value)
    if (values !== undefined) return fc.constantFrom(...values)
    const ways = part.anyOf ?? part.oneOf ?? part.allOf
    if (ways !== undefined) return fc.oneof(...ways.map(way => of(way, depth + 1)))
    if (part.prefixItems !== undefined) return fc.tuple(...part.prefixItems.map(one => of(one, depth + 1)))
    if (items !== undefined) return fc.array(of(items, depth + 1), { maxLength: 3 })
    if (properties !== undefined) {
      const parts = Object.fromEntries(
        Object.entries(properties).map(([name, one]) => [name, of(one, depth + 1)]),
      )
      return fc.record(parts, { requiredKeys: [...(part.required ?? [])] })
    }
    if (typeof part.additionalProperties === 'object')
      return fc.dictionary(fc.string({ maxLength: 8 }), of(part.additionalProperties, depth + 1), {
        maxKeys: 3,
      })
    const text = fc.oneof(textOf(part), ...(example === undefined ? [] : [fc.constant(example)]))
    switch (type) {
      case 'integer':
        return fc.integer({ min: whole(part.minimum, -1_000), max: whole(part.maximum, 100_000) })
      case 'number':
        return fc.double({ min: part.minimum ?? -1e6, max: part.maximum ?? 1e6, noNaN: true })
      case 'boolean':
        return fc.boolean()
      case 'null':
        return fc.constant(null)
      case 'string':
        return text
      default:
        return junk
    }
  }
  return of(schema, 0)
}

function textOf({ pattern, format, maxLength = 40 }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time')
    return fc
      .date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })
      .map(date => date.toISOString())
  // Nothing looks ahead here.
  if (pattern !== undefined && !pattern.includes('(?'))
    return fc.stringMatching(new RegExp(pattern), { maxLength: 80 })
  return fc.string({ maxLength: Math.min(maxLength, 40) })
}

const whole = (bound: number | undefined, otherwise: number): number => {
  const value = bound ?? otherwise
  return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(value)))
}
