/** Addresses with prefix length, as the coordinator gives them. They come from outside: read before use. */
import { isIP } from 'node:net'
import { SystemError } from '../system/errors.js'
import type { Family } from '../system/taken.js'

export interface Cidr {
  readonly family: Family
  /** `10.77.0.2/32`; a lone address gets its full length. */
  readonly text: string
  /** Whether it is everything: `0.0.0.0/0` or `::/0`. */
  readonly everything: boolean
}

/** Returns the network that `text` names; throws a `SystemError` when it names none. */
export function parseCidr(text: string): Cidr {
  const [address = '', length, ...rest] = text.split('/')
  const version = isIP(address)
  const bits = version === 4 ? 32 : 128
  const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : -1
  if (version === 0 || address.includes('%') || rest.length > 0 || prefix < 0 || prefix > bits)
    throw new SystemError(
      'bad_address',
      `wanted an address such as 10.77.0.2/32, got ${JSON.stringify(text)}`,
    )
  return { family: version === 4 ? '-4' : '-6', text: `${address}/${prefix}`, everything: prefix === 0 }
}
