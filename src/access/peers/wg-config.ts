/** A WireGuard configuration as `wg-quick` and the phone apps read it. */
import type { PeerServer } from '../ports.js'

export interface WgConfigParts {
  /** One line, for people. */
  readonly title: string
  /** Base64; null: only its owner knows it, and fills it in. */
  readonly privateKey: string | null
  readonly publicKey: string
  readonly presharedKey: string | null
  readonly overlay4: string
  readonly overlay6: string | null
  readonly server: PeerServer
}

/** What fits into a packet of 1500 bytes whichever way it goes: as `wg-quick` itself reckons. */
const MTU = 1420
/** Keeps the NAT in front of the device open, s. */
const KEEPALIVE_S = 25

/** Returns the text of the configuration. */
export function wgConfig({
  title,
  privateKey,
  publicKey,
  presharedKey,
  server,
  ...peer
}: WgConfigParts): string {
  const addresses = [`${peer.overlay4}/32`, ...(peer.overlay6 === null ? [] : [`${peer.overlay6}/128`])]
  return [
    `# ${title}`,
    '[Interface]',
    privateKey === null
      ? `# PrivateKey = the one of ${publicKey}, which only its owner knows`
      : `PrivateKey = ${privateKey}`,
    `Address = ${addresses.join(', ')}`,
    ...(server.dns.length > 0 ? [`DNS = ${server.dns.join(', ')}`] : []),
    `MTU = ${MTU}`,
    '',
    '[Peer]',
    `PublicKey = ${server.publicKey}`,
    ...(presharedKey === null ? [] : [`PresharedKey = ${presharedKey}`]),
    `AllowedIPs = ${server.allowedIps.join(', ')}`,
    `Endpoint = ${server.endpoint}`,
    `PersistentKeepalive = ${KEEPALIVE_S}`,
    '',
  ].join('\n')
}
