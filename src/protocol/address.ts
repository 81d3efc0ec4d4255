/** IP addresses: the text that sockets spell and the bytes that STUN carries, each in one canonical form. */

export interface Endpoint {
  /** Canonical: dotted IPv4, or IPv6 as RFC 5952 writes it, without a zone. */
  readonly address: string
  readonly port: number
}

export type Family = 4 | 6

export const familyOf = (address: string): Family => (address.includes(':') ? 6 : 4)

/** Returns the one text for an endpoint, usable as a key and in a log: `192.0.2.1:3478`, `[2001:db8::1]:3478`. */
export const endpointText = ({ address, port }: Endpoint): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`

const V4_ENDPOINT = /^([\d.]+):(\d{1,5})$/
const V6_ENDPOINT = /^\[([\da-fA-F:.]+)\]:(\d{1,5})$/

/** Returns the endpoint that `endpointText` wrote, or null when the text is none. Port 0 is none. */
export function readEndpoint(text: string): Endpoint | null {
  const [, address = '', digits = ''] = V4_ENDPOINT.exec(text) ?? V6_ENDPOINT.exec(text) ?? []
  const ip = ipBytes(address)
  const port = Number(digits)
  return ip === null || port < 1 || port > 65_535 ? null : { address: ipText(ip), port }
}

/** Returns 4 or 16 bytes, or null when the text is no IP address. A zone (`%eth0`) is left out. */
export function ipBytes(text: string): Buffer | null {
  return text.includes(':') ? v6Bytes(text.split('%', 1)[0] as string) : v4Bytes(text) // split yields one part
}

/** Returns the canonical text of 4 or 16 bytes. */
export function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const words: number[] = []
  for (let i = 0; i < 16; i += 2) words.push(((bytes[i] as number) << 8) | (bytes[i + 1] as number)) // 16 bytes
  const [start, length] = longestZeroRun(words)
  const hex = (part: number[]) => part.map(word => word.toString(16)).join(':')
  if (length < 2) return hex(words)
  return `${hex(words.slice(0, start))}::${hex(words.slice(start + length))}`
}

function v4Bytes(text: string): Buffer | null {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every(part => /^(?:0|[1-9]\d{0,2})$/.test(part))) return null
  const numbers = parts.map(Number)
  return numbers.every(number => number <= 255) ? Buffer.from(numbers) : null
}

function v6Bytes(text: string): Buffer | null {
  const halves = withoutDots(text)?.split('::')
  if (halves === undefined || halves.length > 2) return null
  const [head = [], tail] = halves.map(half => (half === '' ? [] : half.split(':')))
  const given = [...head, ...(tail ?? [])]
  if (!given.every(word => /^[0-9a-f]{1,4}$/i.test(word))) return null
  const missing = 8 - given.length
  if (tail === undefined ? missing !== 0 : missing < 1) return null
  const words = [...head, ...Array.from({ length: missing }, () => '0'), ...(tail ?? [])]
  const bytes = Buffer.alloc(16)
  for (const [i, word] of words.entries()) bytes.writeUInt16BE(Number.parseInt(word, 16), 2 * i)
  return bytes
}

/** Returns the text with an embedded IPv4 ending (`::ffff:192.0.2.1`) written as two words. */
function withoutDots(text: string): string | null {
  if (!text.includes('.')) return text
  const at = text.lastIndexOf(':') + 1
  const v4 = v4Bytes(text.slice(at))
  return v4 && `${text.slice(0, at)}${v4.readUInt16BE(0).toString(16)}:${v4.readUInt16BE(2).toString(16)}`
}

function longestZeroRun(words: readonly number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0]
  for (let start = 0; start < words.length; start++) {
    let end = start
    while (words[end] === 0) end++
    if (end - start > best[1]) best = [start, end - start]
    if (end > start) start = end
  }
  return best
}
