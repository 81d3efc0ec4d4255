/** A range of addresses, as `10.0.0.0/8` or `fc00::/7` or one address. */
import { ipBytes, ipText } from './address.js'

export interface Network {
  readonly bytes: Buffer
  readonly bits: number
}

export class BadNetwork extends Error {
  override readonly name = 'BadNetwork'
  readonly code = 'bad_network'
}

/** Returns the network; throws a BadNetwork when the text is none. */
export function network(text: string): Network {
  const [address = '', prefix] = text.split('/')
  const bytes = ipBytes(address)
  const most = (bytes?.length ?? 0) * 8
  const bits = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN
  if (bytes === null || !(bits <= most))
    throw new BadNetwork(`network: wanted an address or address/bits, got ${text}`)
  return { bytes, bits }
}

export const networks = (texts: readonly string[]): Network[] => texts.map(network)

/** Returns the first and the last address of a network, as `10.0.0.0-10.255.255.255`. */
export function rangeText(text: string): string {
  const { bytes, bits } = network(text)
  const [first, last] = [Buffer.from(bytes), Buffer.from(bytes)]
  for (let i = 0; i < bytes.length; i++) {
    const host = 0xff >> Math.min(8, Math.max(0, bits - 8 * i)) // the bits of this byte beyond the prefix
    first[i] = (first[i] as number) & ~host // i is inside, here and below
    last[i] = (last[i] as number) | host
  }
  return `${ipText(first)}-${ipText(last)}`
}

/** Returns whether the address of 4 or 16 bytes lies in one of the networks. */
export function isIn(ip: Buffer, ranges: readonly Network[]): boolean {
  return ranges.some(range => lies(ip, range))
}

function lies(ip: Buffer, { bytes, bits }: Network): boolean {
  if (ip.length !== bytes.length) return false
  const whole = bits >> 3
  for (let i = 0; i < whole; i++) if (ip[i] !== bytes[i]) return false
  const rest = bits & 7
  return rest === 0 || ((ip[whole] as number) ^ (bytes[whole] as number)) >> (8 - rest) === 0 // bits < length
}
