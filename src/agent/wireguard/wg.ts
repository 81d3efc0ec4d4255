/** The `wg` command: what we tell it, and what it tells us. */

/** A peer as WireGuard is to know it. */
export interface PeerEntry {
  /** Base64, as `wg` writes it. */
  readonly publicKey: string
  /** Where WireGuard sends, `address:port`: this peer's `LinkSocket`, or the peer itself. */
  readonly endpoint: string
  readonly allowedIps: readonly string[]
  /** Persistent keepalive, s; 0 is off. */
  readonly keepaliveS: number
}

export interface DumpedPeer {
  readonly publicKey: string
  readonly endpoint: string | null
  readonly allowedIps: readonly string[]
  /** Seconds since 1970 UTC; 0 for never. */
  readonly latestHandshakeS: number
  readonly receivedBytes: number
  readonly sentBytes: number
}

export interface Dump {
  readonly privateKey: string | null
  readonly publicKey: string
  readonly listenPort: number
  readonly peers: readonly DumpedPeer[]
}

/**
 * Returns the part of `wg set INTERFACE …` that adds a peer, or changes it from what it was. Allowed addresses that
 * stay are not named: WireGuard would take them out and in again, with packets in between.
 */
export const peerArgs = (peer: PeerEntry, was?: PeerEntry): string[] => [
  'peer',
  peer.publicKey,
  'endpoint',
  peer.endpoint,
  'persistent-keepalive',
  String(peer.keepaliveS),
  ...(was?.allowedIps.join() === peer.allowedIps.join() ? [] : ['allowed-ips', peer.allowedIps.join(',')]),
]

/** Returns the part of `wg set INTERFACE …` that changes nothing but a peer's keepalive, s. */
export const keepaliveArgs = (publicKey: string, keepaliveS: number): string[] => [
  'peer',
  publicKey,
  'persistent-keepalive',
  String(keepaliveS),
]

/** Returns the part of `wg set INTERFACE …` that removes a peer. */
export const removalArgs = (publicKey: string): string[] => ['peer', publicKey, 'remove']

/** Returns what `wg show INTERFACE dump` printed: one line for the interface, then one for each peer. */
export function parseDump(text: string): Dump {
  const [device = [], ...peers] = text
    .trimEnd()
    .split('\n')
    .map(line => line.split('\t'))
  return {
    privateKey: given(device[0]),
    publicKey: device[1] ?? '',
    listenPort: Number(device[2]),
    peers: peers.map(fields => ({
      publicKey: fields[0] ?? '',
      endpoint: given(fields[2]),
      allowedIps: given(fields[3])?.split(',') ?? [],
      latestHandshakeS: Number(fields[4]),
      receivedBytes: Number(fields[5]),
      sentBytes: Number(fields[6]),
    })),
  }
}

const given = (field: string | undefined): string | null =>
  field === undefined || field === '(none)' || field === '' ? null : field
