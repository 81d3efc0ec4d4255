/** Whether the WireGuard of a client may reach that of its node by itself, by what both say of where they are. */
import type { NodeView } from '../../actors/ports.js'
import { endpointText } from '../../protocol/address.js'
import type { Note } from '../agents/notes.js'

/** Two ends behind such NATs do not find each other. */
const SYMMETRIC = 'Symmetric'

/** Returns where the WireGuard of a node that speaks HTTP is; null when it does not say. */
export function wireguardEndpointOf({ networkInfo }: Note): string | null {
  if (networkInfo === undefined) return null
  const { stunMappedAddress, publicIp, localPort } = networkInfo
  if (stunMappedAddress !== null) return stunMappedAddress
  return publicIp === null || localPort === null ? null : endpointText({ address: publicIp, port: localPort })
}

/** Whether the client may do without the relay. */
export function isDirect(node: NodeView | null, client: Note, said: Note): boolean {
  if (node === null || node.profile.policy === 'relay-only' || wireguardEndpointOf(said) === null)
    return false
  return !(client.networkInfo?.natType === SYMMETRIC && said.networkInfo?.natType === SYMMETRIC)
}
