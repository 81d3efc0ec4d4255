/** Helpers of the wire's tests: bytes from hex, and lists as another agent would pack them. */
import { Packr } from 'msgpackr'
import { EXAMPLES } from '../../src/protocol/examples.js'
import { ALL, type Wire } from '../../src/protocol/messages.js'
import type { Message } from '../../src/protocol/schema.js'

export const MESSAGES: readonly Message[] = ALL

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const bytesOf = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

const packr = new Packr({ useRecords: false })
/** Returns the value of any list, whether or not it is a message. */
export const pack = (value: unknown): Uint8Array => Uint8Array.from(packr.pack(value))

/** Returns the list of a message's example: the code, then the fields. */
export function exampleList(message: Message): unknown[] {
  const event = EXAMPLES[message.name as Wire['type']] as unknown as Record<string, unknown> // by field name
  return [message.code, ...message.order.map(key => event[key] ?? null)]
}
