/** Holds what a program gives us to the wire's own rules, before it is sent. */
import { definitionOf } from '../protocol/codec.js'
import type { Wire, WireOf } from '../protocol/messages.js'
import { AgentError } from './errors.js'

/** Throws an AgentError that names the first field which the message `type` would not take. */
export function checkFields<T extends Wire['type']>(type: T, fields: Omit<WireOf<T>, 'type'>): void {
  const given = fields as Readonly<Record<string, unknown>> // the schema names the keys
  const known = definitionOf(type).fields
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(known, name)) throw new AgentError('BAD_OPTION', `${name}: not an option`)
  }
  for (const [name, field] of Object.entries(known)) {
    const wanted = field.check(given[name])
    if (wanted !== undefined) throw new AgentError('BAD_OPTION', `${name}: wanted ${wanted}`)
  }
}
