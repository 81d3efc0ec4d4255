/** Where STUN servers are, by their URIs (RFC 7064). */
import { type Endpoint, endpointText } from '../../protocol/address.js'
import { endpointsOf, type Resolve, serversOf } from '../direct/servers.js'

/** Resolves to their endpoints in order, each once; what cannot be read or found is left out. */
export async function findServers(uris: readonly string[], resolve: Resolve): Promise<readonly Endpoint[]> {
  const named = uris.filter(isStunUri).map(uri => [uri, null, null] as const)
  const found = await Promise.all(serversOf(named, 'stun').map(server => endpointsOf(server, resolve)))
  return [...new Map(found.flat().map(endpoint => [endpointText(endpoint), endpoint])).values()]
}

/** Returns whether the text names a STUN server. */
export function isStunUri(text: string): boolean {
  const [server] = serversOf([[text, null, null]], 'stun')
  return server !== undefined && server.port > 0 && server.port <= 65_535
}
