/** Where the coordinator of some settings is to be found: the ports that it takes, and its STUN and TURN as agents know them. */
import { isIP } from 'node:net'
import { urlsOf } from '../../turn/ice-servers.js'
import type { Config } from '../config.js'
import { ownAddresses, stunPorts, tlsPortOf } from '../turn-mode.js'
import { places, served } from '../turn-places.js'
import type { PortUse } from './ports.js'

/** Returns the ports that it takes, or that a coturn of its takes. */
export function portUses(config: Config): readonly PortUse[] {
  const { host, turnMode, turnPort, tlsCert } = config
  const http: PortUse = {
    check: 'http port',
    transport: 'tcp',
    address: host,
    port: config.port,
    setting: 'PORT',
  }
  const [port, other] = stunPorts(config)
  const at = (
    check: string,
    transport: 'udp' | 'tcp',
    number: number,
    setting = 'TURN_LISTENING_PORT',
    program?: string,
  ) => ({
    check,
    transport,
    address: host,
    port: number,
    setting,
    ...(program !== undefined && { program }),
  })
  const second = 'BOSON_TURN_OTHER_PORT'
  switch (turnMode) {
    case 'embedded':
      return [
        http,
        at('turn port', 'udp', port),
        at('turn port', 'tcp', turnPort),
        at('stun port', 'udp', other, second),
        ...(tlsCert === null ? [] : [at('turns port', 'tcp', tlsPortOf(config), 'BOSON_TURN_TLS_PORT')]),
      ]
    case 'coturn':
      return [
        http,
        at('turn port', 'udp', turnPort, 'TURN_LISTENING_PORT', 'turnserver'),
        at('turn port', 'tcp', turnPort, 'TURN_LISTENING_PORT', 'turnserver'),
        at('stun port', 'udp', other, second),
        at('stun port', 'udp', other + 1, second),
      ]
    case 'external':
      return [http, at('stun port', 'udp', port), at('stun port', 'udp', other, second)]
    default:
      return [http]
  }
}

/** Returns where agents are told that STUN and TURN are; none when the ports are chosen at the start. */
export function turnUrls(config: Config): readonly string[] {
  if (config.turnPort === 0 || isIP(config.host) === 0) return []
  const at = places(config.host, config, ownAddresses())
  const tlsPort = config.tlsCert === null ? null : tlsPortOf(config)
  const host = config.turnHost ?? at[0]?.advertised ?? config.host
  const { stun, turn: relays } = urlsOf(
    served(at, { port: config.turnPort, tlsPort }).map(one => ({
      ...one,
      // As the service names them: the host stands for the first address, and for whatever speaks TLS.
      host:
        one.transport === 'tls' || one.advertised === at[0]?.advertised
          ? host
          : (one.advertised ?? one.address),
    })),
  )
  return [...stun, ...relays]
}
