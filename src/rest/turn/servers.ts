/** STUN and TURN servers in the shapes that answers have. */

export interface HostPort {
  readonly host: string
  readonly port: number
}

/** Ports of URIs that name none (RFC 7064, RFC 7065). */
const PORTS: Readonly<Record<string, number>> = { stun: 3478, stuns: 5349, turn: 3478, turns: 5349 }
const SERVER_URI = /^(stuns?|turns?):(?:\[([\da-f:.]+)\]|([^:?]+))(?::(\d+))?(?:\?.*)?$/i

/** Returns where a STUN or TURN URI leads to; null when it is none. */
export function hostPortOf(uri: string): HostPort | null {
  const [, scheme = '', v6, name = '', port] = SERVER_URI.exec(uri) ?? []
  const usual = PORTS[scheme.toLowerCase()]
  return usual === undefined ? null : { host: v6 ?? name, port: port === undefined ? usual : Number(port) }
}

/** Returns the servers of these URIs, each once. */
export function hostPorts(uris: readonly string[]): readonly HostPort[] {
  const servers = new Map(
    uris.map(uri => [hostPortOf(uri), uri] as const).map(([at]) => [JSON.stringify(at), at]),
  )
  return [...servers.values()].filter(at => at !== null)
}

/** Returns servers as browsers want them: STUN by itself, and what shares credentials together. */
export function grouped(
  servers: readonly (readonly [string, (string | null)?, (string | null)?])[],
): readonly {
  readonly urls: string | readonly string[]
  readonly username?: string
  readonly credential?: string
}[] {
  const open = servers.filter(([, username]) => username == null).map(([uri]) => ({ urls: uri }))
  const byName = new Map<string, { urls: string[]; username: string; credential: string }>()
  for (const [uri, username, credential] of servers) {
    if (username == null || credential == null) continue
    const group = byName.get(username) ?? { urls: [], username, credential }
    group.urls.push(uri)
    byName.set(username, group)
  }
  return [...open, ...byName.values()]
}
