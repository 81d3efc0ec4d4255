/** The parts of README.md that are made from definitions: messages, their fields and bytes, codes. */
import { CLOSE, type CloseName, mayReturn } from './close-codes.js'
import { encode } from './codec.js'
import { EXAMPLES } from './examples.js'
import { ALL, RANGES, type Wire, type WireOf } from './messages.js'
import { OPERATOR_CLOSE, OPERATOR_MESSAGES, operatorCodec, type OperatorWire } from './operator.js'
import { OPERATOR_EXAMPLES } from './operator-examples.js'
import type { Kind, Message } from './schema.js'

/** The messages of one kind of socket, and the bytes of an example of each. */
interface Table {
  readonly messages: readonly Message[]
  readonly exampleOf: (message: Message) => Uint8Array
}

export const AGENTS: Table = {
  messages: ALL,
  exampleOf: ({ name }) => encode(EXAMPLES[name as Wire['type']]), // a message of the table
}
export const OPERATORS: Table = {
  messages: OPERATOR_MESSAGES,
  exampleOf: ({ name }) => operatorCodec.encode(OPERATOR_EXAMPLES[name as OperatorWire['type']]), // a message of the table
}
/** Bytes in one line of a hex block. */
const HEX_WIDTH = 32

/** Returns a code as the documentation spells it: `0x0a`. */
export const code = (value: number): string => `0x${value.toString(16).padStart(2, '0')}`

/** Returns bytes as lines of hex, each indented by `indent`. */
export function hexBlock(bytes: Uint8Array, indent = ''): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += HEX_WIDTH) {
    lines.push(indent + Buffer.from(bytes.subarray(at, at + HEX_WIDTH)).toString('hex'))
  }
  return lines.join('\n')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const anchor = (message: Message): string => `${code(message.code)}-${message.name}`.replaceAll('.', '')

/** Returns one line for each message, in order of code. */
export const messageIndex = ({ messages }: Table): string =>
  table(
    ['code', 'message', 'direction', 'meaning'],
    messages.map(m => [code(m.code), `[\`${m.name}\`](#${anchor(m)})`, m.direction, m.doc]),
  )

function typeName(field: Kind): string {
  if (!field.name.startsWith('"')) return field.name
  return field.name
    .slice(1, -1)
    .split('" "')
    .map(name => `\`${name}\``)
    .join(' ')
}

function fieldTable(message: Message): string {
  if (message.order.length === 0) return 'No fields.'
  const rows = message.order.map((key, i) => {
    const field = message.fields[key] as Kind // order lists the fields
    return [`${i + 1}`, `\`${key}\``, typeName(field), field.optional ? 'optional' : 'required', field.text]
  })
  return table(['#', 'field', 'type', '', 'meaning'], rows)
}

function section(message: Message, bytes: Uint8Array): string {
  return [
    `### ${code(message.code)} ${message.name}`,
    `${message.direction}. ${message.doc}`,
    fieldTable(message),
    `Example, ${bytes.length} bytes:`,
    `\`\`\`\n${hexBlock(bytes)}\n\`\`\``,
  ].join('\n\n')
}

/** Returns a section for each message: meaning, fields, and an example with its bytes. */
export const messageSections = ({ messages, exampleOf }: Table): string =>
  messages.map(message => section(message, exampleOf(message))).join('\n\n')

/** Returns the ranges of codes. */
export const rangeTable = (): string =>
  table(
    ['range', 'about'],
    RANGES.map(({ from, to, room }) => [`${code(from)}–${code(to)}`, room]),
  )

/** Returns every close code, and whether the agent comes back. */
export const closeTable = (): string => closes(CLOSE)
export const operatorCloseTable = (): string => closes(OPERATOR_CLOSE)

const closes = (reasons: Readonly<Record<string, { readonly code: number; readonly doc: string }>>): string =>
  table(
    ['code', 'name', 'come back?', 'meaning'],
    Object.entries(reasons).map(([name, reason]) => [
      `${reason.code}`,
      `\`${name}\``,
      mayReturn(reason.code) ? 'yes, with back-off' : '**no**, final',
      reason.doc,
    ]),
  )

/** What each refusal means, and the close that follows it. */
export const REFUSALS: Readonly<Record<WireOf<'refused'>['code'], { close: CloseName; doc: string }>> = {
  proof_failed: { close: 'proofFailed', doc: 'The proof does not verify.' },
  key_mismatch: { close: 'keyMismatch', doc: 'The id is bound to another key.' },
  key_in_use: { close: 'keyMismatch', doc: 'The key is bound to another id.' },
  not_authorised: { close: 'notAuthorised', doc: 'First contact, and the credential is missing or no good.' },
  role_mismatch: { close: 'notAuthorised', doc: 'The id enrolled with the other role.' },
  revoked: { close: 'revoked', doc: 'An operator revoked the identity.' },
  ticket_unknown: { close: 'resumeRefused', doc: 'The ticket is used, too old or unknown: `register`.' },
  overloaded: { close: 'tryLater', doc: 'No new sessions at the moment.' },
  store_unavailable: { close: 'tryLater', doc: 'First contact needs the database, which does not answer.' },
  draining: { close: 'tryLater', doc: 'The coordinator is restarting.' },
  addresses_exhausted: { close: 'tryLater', doc: 'No address in the mesh is free.' },
  kept_away: { close: 'tryLater', doc: 'An operator ended its session and keeps it away for a while.' },
  not_entitled: { close: 'notEntitled', doc: 'What lets this identity in has ended, or was never bought.' },
  quota_used: { close: 'quotaUsed', doc: 'The traffic that this identity may have is used up.' },
  inactive: { close: 'inactive', doc: 'This identity, or its owner, is switched off.' },
}

/** Returns every code of `refused`, with the close that follows it. */
export const refusalTable = (): string =>
  table(
    ['`refused.code`', 'close', 'meaning'],
    Object.entries(REFUSALS).map(([name, { close, doc }]) => [`\`${name}\``, `${CLOSE[close].code}`, doc]),
  )
