/** Helpers of the wire's tests: bytes from hex, and lists as another agent would pack them. */
import { Packr } from 'msgpackr'
import { EXAMPLES } from '../../src/protocol/examples.js'
import { decode, decodeAll, encode } from '../../src/protocol/codec.js'
import type { Codec } from '../../src/protocol/codec-of.js'
import { ALL } from '../../src/protocol/messages.js'
import { OPERATOR_MESSAGES, operatorCodec } from '../../src/protocol/operator.js'
import { OPERATOR_EXAMPLES } from '../../src/protocol/operator-examples.js'
import type { Message } from '../../src/protocol/schema.js'
import { GOLDEN } from './golden.js'
import { OPERATOR_GOLDEN } from './operator-golden.js'

/** Any message's event, by its name. */
interface AnyEvent {
  readonly type: string
}

/** The messages of one kind of socket, with all that the tests need to know of them. */
export interface Table extends Pick<Codec<AnyEvent>, 'encode' | 'decode' | 'decodeAll'> {
  readonly messages: readonly Message[]
  readonly examples: Readonly<Record<string, AnyEvent>>
  readonly golden: Readonly<Record<string, string>>
}

export const AGENTS: Table = {
  messages: ALL,
  examples: EXAMPLES,
  golden: GOLDEN,
  encode: encode as Table['encode'], // the tests say only what it knows
  decode,
  decodeAll,
}
export const OPERATORS: Table = {
  messages: OPERATOR_MESSAGES,
  examples: OPERATOR_EXAMPLES,
  golden: OPERATOR_GOLDEN,
  encode: operatorCodec.encode as Table['encode'], // the tests say only what it knows
  decode: operatorCodec.decode,
  decodeAll: operatorCodec.decodeAll,
}
export const TABLES: readonly Table[] = [AGENTS, OPERATORS]

/** What agents and the coordinator say. */
export const MESSAGES: readonly Message[] = ALL

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const bytesOf = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

const packr = new Packr({ useRecords: false })
/** Returns the value of any list, whether or not it is a message. */
export const pack = (value: unknown): Uint8Array => Uint8Array.from(packr.pack(value))

/** Returns the list of a message's example: the code, then the fields. */
export function exampleList(message: Message): unknown[] {
  const examples: Readonly<Record<string, AnyEvent>> = { ...EXAMPLES, ...OPERATOR_EXAMPLES }
  const event = examples[message.name] as unknown as Record<string, unknown> // by field name
  return [message.code, ...message.order.map(key => event[key] ?? null)]
}
