/** A wg-easy as the settings name it. */
import type { Config } from '../../app/config.js'
import { Destinations } from '../../http/destination.js'
import type { Clock } from '../../kit/clock.js'
import type { Ground } from '../part.js'
import type { PeerProvisioner } from '../ports.js'
import { Counters } from '../wireguard/counters.js'
import { WgEasyDoor } from './door.js'
import { WgEasy } from './wg-easy.js'

/** Returns peers at wg-easy; null when the settings name none. */
export function openWgEasy({ host, room }: Pick<Ground, 'host' | 'room'>): PeerProvisioner | null {
  const { config, clock } = host
  const door = openDoor(config, clock)
  return door && new WgEasy({ clock, door, counters: new Counters(room, 'wg-easy') })
}

/** Returns the way into it; null when the settings name none. */
export function openDoor(config: Config, clock: Clock): WgEasyDoor | null {
  const { wgEasyUrl: url, wgEasyPassword: password, wgEasyUsername: username, wgEasyAuth: way } = config
  if (url === null || password === null) return null
  const destinations = new Destinations({
    allowed: config.wgEasyNetworks,
    denied: [config.overlay4, config.overlay6],
    setting: 'WG_EASY_NETWORKS',
    anyPort: true,
  })
  return new WgEasyDoor({ clock, destinations, url, username, password, way })
}
