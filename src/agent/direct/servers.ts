/** STUN and TURN servers as the coordinator names them, and where they are. */
import { lookup } from 'node:dns/promises'
import { type Endpoint, familyOf, ipBytes, ipText } from '../../protocol/address.js'
import type { IceServers } from '../ports.js'

/** Returns the addresses of a host name; rejects when it cannot. */
export type Resolve = (host: string) => Promise<readonly string[]>

export interface Server {
  readonly host: string
  readonly port: number
  readonly username: string
  readonly password: string
}

const USUAL_PORT = 3478
const URI = /^(stun|turn):(?:\[([\da-fA-F:.]+)\]|([^:?[\]]+))(?::(\d{1,5}))?(?:\?transport=(\w+))?$/

/** Returns the servers that are asked over UDP, in their order (RFC 7064, RFC 7065). */
export function serversOf(iceServers: IceServers, scheme: 'stun' | 'turn'): readonly Server[] {
  return iceServers.flatMap(([uri, username, password]) => {
    const [, found, six, name, digits, transport = 'udp'] = URI.exec(uri) ?? []
    const host = six ?? name
    if (found !== scheme || host === undefined || transport !== 'udp') return []
    const port = digits === undefined ? USUAL_PORT : Number(digits)
    return [{ host, port, username: username ?? '', password: password ?? '' }]
  })
}

/** Returns where a server is: one endpoint for each IP version. None when its name is not known. */
export async function endpointsOf({ host, port }: Server, resolve: Resolve): Promise<readonly Endpoint[]> {
  const found = await resolve(host).catch(() => [])
  const addresses = found.flatMap(text => {
    const bytes = ipBytes(text)
    return bytes === null ? [] : [ipText(bytes)]
  })
  return [4, 6].flatMap(family => {
    const address = addresses.find(each => familyOf(each) === family)
    return address === undefined ? [] : [{ address, port }]
  })
}

export const systemResolve: Resolve = async host =>
  ipBytes(host) === null ? (await lookup(host, { all: true })).map(({ address }) => address) : [host]
