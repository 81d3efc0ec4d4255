/**
 * A small schema language for wire messages. One `message()` gives the code, the static type, the
 * positional msgpack layout, the validator and the row in the documentation.
 */
import { readEndpoint } from './address.js'
import { isValue, type Value, VALUE_DEPTH_MAX } from './value.js'

export interface Kind<T = unknown, O extends boolean = boolean> {
  readonly name: string
  /** An optional field is nil on the wire and absent from the event. */
  readonly optional: O
  /** Returns what was wanted when `value` is not acceptable. */
  readonly check: (value: unknown) => string | undefined
  readonly text: string
  doc(text: string): Kind<T, O>
  readonly _type?: T
}

export type Fields = Readonly<Record<string, Kind>>
export type TypeOf<K> = K extends Kind<infer T> ? T : never
type OptionalKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends Kind<unknown, true> ? K : never
}[keyof F]
export type BodyOf<F extends Fields> = { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: TypeOf<F[K]> } & {
  readonly [K in OptionalKeys<F>]?: TypeOf<F[K]>
}

function kind<T>(name: string, wanted: string, ok: (value: unknown) => boolean): Kind<T, false> {
  return {
    name,
    optional: false,
    text: '',
    check: value => (ok(value) ? undefined : wanted),
    doc(text) {
      return { ...this, text }
    },
  }
}

const isInt = (value: unknown, max: number) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max
/** C0 and C1 controls and the separators that start a new line: nothing of them belongs in a name or a reason. */
// oxlint-disable-next-line no-control-regex -- finding control characters is its purpose
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

export const bool = kind<boolean>('bool', 'true or false', v => typeof v === 'boolean')
export const u32 = kind<number>('u32', 'unsigned 32-bit integer', v => isInt(v, 0xffff_ffff))
/** An integer that every language's double holds exactly. */
export const u53 = kind<number>('u53', 'unsigned integer below 2^53', v => isInt(v, Number.MAX_SAFE_INTEGER))
export const f64 = kind<number>('f64', 'finite number', v => Number.isFinite(v))
/** A number that is never below zero: durations, rates, shares. */
export const f64plus = kind<number>(
  'f64 ≥0',
  'finite number, not negative',
  v => Number.isFinite(v) && (v as number) >= 0,
)
export const str = (max: number): Kind<string, false> =>
  kind(
    `str ≤${max}`,
    `string of at most ${max} UTF-16 units without control characters`,
    v => typeof v === 'string' && v.length <= max && !CONTROLS.test(v),
  )
/** As `CONTROLS`, but lines may end and be indented. */
// oxlint-disable-next-line no-control-regex -- finding control characters is its purpose
const CONTROLS_IN_PROSE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/
export const prose = (max: number): Kind<string, false> =>
  kind(
    `prose ≤${max}`,
    `string of at most ${max} UTF-16 units without control characters but tab and newline`,
    v => typeof v === 'string' && v.length <= max && !CONTROLS_IN_PROSE.test(v),
  )
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
/** Returns true when `value` can name a node, a client or a coordinator. */
export const isId = (value: unknown): value is string => typeof value === 'string' && ID.test(value)
export const id = kind<string>('id', '1 to 64 of A-Z a-z 0-9 . _ - beginning with a letter or digit', isId)
/** ISO 3166-1 alpha-2, upper case. */
export const country = kind<string>(
  'country',
  'two upper-case letters (ISO 3166-1)',
  v => typeof v === 'string' && /^[A-Z]{2}$/.test(v),
)
export const endpoint = kind<string>(
  'endpoint',
  'IP address and port, 192.0.2.1:51820 or [2001:db8::1]:51820',
  v => typeof v === 'string' && v.length <= 64 && readEndpoint(v) !== null,
)
const CANDIDATE = /^(host|srflx|relay) (\S{1,64})$/
/** Candidate types by the names of RFC 8445 §5.1.1. */
export const candidate = kind<string>('candidate', 'host, srflx or relay, a space, and an endpoint', v => {
  const [, , at = ''] = (typeof v === 'string' && CANDIDATE.exec(v)) || []
  return readEndpoint(at) !== null
})
export const bytes = (size: number): Kind<Uint8Array, false> =>
  kind(`bytes ${size}`, `${size} bytes`, v => v instanceof Uint8Array && v.length === size)
export const blob = (max: number): Kind<Uint8Array, false> =>
  kind(`bytes ≤${max}`, `at most ${max} bytes`, v => v instanceof Uint8Array && v.length <= max)
export const value = kind<Value>(
  'value',
  `value of JSON, at most ${VALUE_DEPTH_MAX} lists and maps in each other`,
  v => isValue(v),
)
export const oneOf = <const V extends readonly string[]>(...names: V): Kind<V[number], false> =>
  kind(names.map(name => `"${name}"`).join(' '), `one of ${names.join(', ')}`, v =>
    (names as readonly unknown[]).includes(v),
  )
export const listOf = <T>(of: Kind<T>, max: number): Kind<readonly T[], false> =>
  kind(
    `≤${max} × ${of.name}`,
    `at most ${max} × ${of.name}`,
    v => Array.isArray(v) && v.length <= max && v.every(x => of.check(x) === undefined),
  )
/** A list of these, in this order; an item that may be missing is nil. */
export const tuple = <const K extends readonly Kind[]>(...items: K): Kind<TupleOf<K>, false> => {
  const name = `[${items.map(item => item.name + (item.optional ? '?' : '')).join(', ')}]`
  return kind(
    name,
    name,
    v => Array.isArray(v) && v.length === items.length && items.every((item, i) => fits(item, v[i])),
  )
}
type TupleOf<K extends readonly Kind[]> = {
  readonly [I in keyof K]: TypeOf<K[I]> | (K[I] extends Kind<unknown, true> ? null : never)
}
const fits = (item: Kind, value: unknown): boolean =>
  item.check(value ?? (item.optional ? undefined : null)) === undefined

export const optional = <T>(of: Kind<T>): Kind<T, true> => ({
  ...(of as Kind<T, true>), // the name, the text and the type stay; only the two below change
  optional: true,
  check: value => (value === undefined ? undefined : of.check(value)),
})

/** Who may send a message. `agent` is a node or a client. */
export type Direction =
  | 'node→server'
  | 'client→server'
  | 'agent→server'
  | 'server→agent'
  | 'server→client'
  | 'either'
  | 'operator→server'
  | 'server→operator'

export interface Message<N extends string = string, F extends Fields = Fields> {
  readonly name: N
  readonly code: number
  readonly direction: Direction
  readonly doc: string
  readonly fields: F
  /** Field names in wire order. New ones are appended and optional; none is ever moved. */
  readonly order: readonly string[]
}

export function message<const N extends string, const F extends Fields>(
  code: number,
  name: N,
  spec: { direction: Direction; doc: string; fields: F },
): Message<N, F> {
  return { code, name, order: Object.keys(spec.fields), ...spec }
}

/** The event a decoded message becomes: `{ type: 'register', ...fields }`. */
export type WireEvent<M> = M extends Message<infer N, infer F> ? { readonly type: N } & BodyOf<F> : never
