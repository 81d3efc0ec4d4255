/** What the ends of a path are told about it. */
import type { Tier } from '../../mesh/upgrade.js'
import type { WireOf } from '../../protocol/messages.js'
import type { Cell } from '../session/cell.js'
import { type PathCell, reasonOf, viaOf } from './path-cell.js'

/** Keeps a client's NAT mapping and WireGuard session warm once the path is direct, s; off at the node. */
const CLIENT_KEEPALIVE_S = 25

/** Returns `path.open` for one end: the other end’s key and addresses, as its WireGuard peer entry needs them. */
export function introduction(path: PathCell, end: Cell): WireOf<'path.open'> {
  const toClient = end === path.client
  const { id, publicKey, overlay4, overlay6 } = (toClient ? path.node : path.client).identity
  const own = [`${overlay4}/32`, `${overlay6}/128`]
  return {
    type: 'path.open',
    link: path.link,
    routeId: path.routeId,
    peerId: id,
    peerKey: publicKey,
    peerOverlay4: `${overlay4}/32`,
    peerOverlay6: `${overlay6}/128`,
    allowedIps: toClient && path.exit ? ['0.0.0.0/0', '::/0'] : own,
    keepaliveS: toClient ? CLIENT_KEEPALIVE_S : 0,
    ...(path.policy !== 'auto' && { policy: path.policy }),
  }
}

/** Returns how packets travel on a path, and why not directly. */
export function settledMessage(path: PathCell, tier: Tier): WireOf<'path.settled'> {
  const via = viaOf(path, tier)
  const reason = reasonOf(path, tier)
  return {
    type: 'path.settled',
    link: path.link,
    tier,
    ...(via !== null && { via }),
    ...(reason !== null && { reason }),
  }
}

export function tellSettled(path: PathCell, tier: Tier): void {
  const message = settledMessage(path, tier)
  for (const { end } of path.sides) end.line?.tell(message)
}

export function tellClosed({ link, sides }: PathCell, reason: string): void {
  for (const { end } of sides) end.line?.tell({ type: 'path.closed', link, reason })
}
