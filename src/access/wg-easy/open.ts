/** A wg-easy as the settings name it. */
import { Destinations } from '../../http/destination.js'
import type { Ground } from '../part.js'
import type { PeerProvisioner } from '../ports.js'
import { Counters } from '../wireguard/counters.js'
import { WgEasyDoor } from './door.js'
import { WgEasy } from './wg-easy.js'

/** Returns peers at wg-easy; null when the settings name none. */
export function openWgEasy({
  host: { config, clock },
  room,
}: Pick<Ground, 'host' | 'room'>): PeerProvisioner | null {
  const { wgEasyUrl: url, wgEasyPassword: password } = config
  if (url === null || password === null) return null
  const destinations = new Destinations({
    allowed: config.wgEasyNetworks,
    denied: [config.overlay4, config.overlay6],
    setting: 'WG_EASY_NETWORKS',
    anyPort: true,
  })
  const { wgEasyUsername: username, wgEasyAuth: way } = config
  const door = new WgEasyDoor({ clock, destinations, url, username, password, way })
  return new WgEasy({ clock, door, counters: new Counters(room, 'wg-easy') })
}
