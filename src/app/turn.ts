/** STUN and TURN as the settings want them. When they cannot be had, the mesh serves without: its relay carries every pair. */
import { networkInterfaces } from 'node:os'
import { systemClock } from '../kit/clock.js'
import { systemRandom } from '../kit/random.js'
import { startTurn, TurnError, type TurnService } from '../turn/index.js'
import type { Config } from './config.js'
import type { Log } from './mesh.js'

export interface OpenTurnOptions {
  readonly config: Config
  readonly secret: string
  readonly isPresent: (id: string) => boolean
  readonly log: Log
}

/** Resolves to the service, whether it serves or not: its health says so. */
export async function openTurn({ config, secret, isPresent, log }: OpenTurnOptions): Promise<TurnService> {
  const process = { clock: systemClock, random: systemRandom }
  const { host, turnPort: port, turnHost, turnRealm: realm, overlay4, overlay6 } = config
  const address = WILDCARDS.has(host) ? ownAddress(host) : host
  const advertised = config.turnAddress ?? address
  try {
    const turn = await startTurn({
      ...process,
      mode: 'embedded',
      listen: (['udp', 'tcp'] as const).map(transport => ({ transport, address: host, port, advertised })),
      relays: [{ address, advertised }],
      host: turnHost ?? advertised,
      realm,
      secrets: [secret],
      allowed: isPresent,
      peers: { denied: [overlay4, overlay6, ...config.turnDenied], excepted: config.turnExcepted },
      failed: error => log.debug({ err: error }, 'a TURN packet could not be sent'),
    })
    log.info({ urls: turn.endpoints().turn }, 'STUN and TURN serve')
    return turn
  } catch (error) {
    if (!(error instanceof TurnError)) throw error
    log.warn({ code: error.code, reason: error.message }, 'STUN and TURN do not serve')
    return {
      ...(await startTurn({ ...process, mode: 'off' })),
      health: async () => ({ status: 'unhealthy', latencyMs: null }),
    }
  }
}

const WILDCARDS = new Set(['0.0.0.0', '::'])

/** Returns the address of this machine that relays are opened on when it listens on all of them. */
function ownAddress(wildcard: string): string {
  const family = wildcard === '::' ? 'IPv6' : 'IPv4'
  const all = Object.values(networkInterfaces()).flatMap((of = []) => of)
  const found = all.find(one => one.family === family && !one.internal && !one.address.startsWith('fe80:'))
  return found?.address ?? (family === 'IPv6' ? '::1' : '127.0.0.1')
}
