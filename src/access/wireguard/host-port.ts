/** Hosts and ports as people write them: `vpn.example.org:51820`, `192.0.2.1:51820`, `[2001:db8::1]:51820`. */
import { ipBytes, ipText } from '../../protocol/address.js'

export interface HostPort {
  /** A name or an address, without brackets. */
  readonly host: string
  /** null: it says none. */
  readonly port: number | null
}

/** Nothing that a shell, a URL or a configuration could take for anything else. */
const HOST_PORT =
  /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?))(?::(\d{1,5}))?$/

/** Returns what the text names; null when it is no host, or port. */
export function readHostPort(text: string): HostPort | null {
  const [, address, name, digits] = HOST_PORT.exec(text) ?? []
  const port = digits === undefined ? null : Number(digits)
  if (port !== null && (port < 1 || port > 65_535)) return null
  if (name !== undefined) return { host: name, port }
  const ip = ipBytes(address ?? '')
  return ip?.length === 16 ? { host: ipText(ip), port } : null
}

/** Returns the text for both. */
export const hostPortText = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
