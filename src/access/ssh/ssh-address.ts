/** Where a host is, and as whom we go there: `boson@vpn.example.org`, `root@[2001:db8::1]:2222`. */
import type { SshAddress } from '../../ssh/ssh-host.js'
import { readHostPort } from '../wireguard/host-port.js'

const USER = /^[a-z_][a-z0-9_-]{0,31}$/
const SSH_PORT = 22

/** Returns what the text names; null when it is no such address. */
export function readSshAddress(text: string): SshAddress | null {
  const at = text.indexOf('@')
  const place = readHostPort(text.slice(at + 1))
  if (place === null || !USER.test(text.slice(0, at))) return null
  return { user: text.slice(0, at), host: place.host, port: place.port ?? SSH_PORT }
}
