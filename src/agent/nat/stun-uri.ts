/** STUN servers by their URIs (RFC 7064). */
import { type Endpoint, ipBytes, ipText } from '../../protocol/address.js'

/** Resolves to the addresses of a name; an address resolves to itself. */
export type Resolve = (host: string) => Promise<readonly string[]>

const STUN_PORT = 3_478
const URI = /^stun:(?:\[([\da-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/

/** Returns host and port, or null when the text is no STUN URI. */
export function readStunUri(uri: string): { readonly host: string; readonly port: number } | null {
  const [, v6, name, digits] = URI.exec(uri) ?? []
  const host = v6 ?? name
  const port = digits === undefined ? STUN_PORT : Number(digits)
  return host === undefined || port < 1 || port > 65_535 ? null : { host, port }
}

/** Resolves to where these servers are, in their order, each once; what cannot be found is left out. */
export async function findServers(uris: readonly string[], resolve: Resolve): Promise<readonly Endpoint[]> {
  const found = await Promise.all(
    uris.map(async uri => {
      const at = readStunUri(uri)
      if (at === null) return []
      const addresses = ipBytes(at.host) === null ? await resolve(at.host).catch(() => []) : [at.host]
      return addresses.flatMap(address => {
        const bytes = ipBytes(address)
        return bytes === null ? [] : [{ address: ipText(bytes), port: at.port }]
      })
    }),
  )
  const seen = new Set<string>()
  return found.flat().filter(({ address, port }) => {
    const key = `${address} ${port}`
    return !seen.has(key) && seen.add(key)
  })
}
