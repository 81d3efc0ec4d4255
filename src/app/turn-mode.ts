/** What the settings want of STUN and TURN, in the words of the room that serves them. */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join, resolve } from 'node:path'
import type { TurnView } from '../actors/ports.js'
import { systemClock } from '../kit/clock.js'
import { systemRandom } from '../kit/random.js'
import { familyOf } from '../protocol/address.js'
import type { EmbeddedOptions, TurnOptions } from '../turn/index.js'
import type { Certificate } from './certificate.js'
import type { Config } from './config.js'
import { readPortRange } from './setting.js'
import { inOrder, type Place, places, probed, served } from './turn-places.js'

export interface TurnWishes {
  readonly config: Config
  readonly mode: TurnView['mode']
  /** The first signs, all are accepted. */
  readonly secrets: readonly [string, ...string[]]
  /** null: no TLS. */
  readonly certificate: Certificate | null
  readonly hooks: Pick<EmbeddedOptions, 'allowed' | 'sighted' | 'strayed' | 'failed'>
  /** Whether an identity has a route to whoever is at an address. */
  readonly routed: (id: string, address: string) => boolean
  /** Hears what coturn prints, and that it ended. */
  readonly printed: (line: string) => void
  readonly ended: (reason: string) => void
}

/** Port of TURN over TLS beside 3478 (RFC 8656 §3.1). */
const TLS_PORT = 5_349

/** Returns what is to be started now: the machine’s addresses are looked at anew each time. */
export async function turnOptions(wishes: TurnWishes): Promise<TurnOptions> {
  const { config } = wishes
  const address = isIP(config.host) === 0 ? (await lookup(config.host)).address : config.host
  const own = ownAddresses()
  const at = places(address, config, own)
  const process = { clock: systemClock, random: systemRandom }
  switch (wishes.mode) {
    case 'embedded':
      return { mode: 'embedded', ...process, ...embedded(wishes, at) }
    case 'coturn': {
      // coturn has the first port, so ours are the second and the one after it.
      const [, other] = stunPorts(config)
      return {
        mode: 'coturn',
        ...process,
        ...coturn(wishes, at, own),
        ear: stun(wishes, at, [other, other + 1]),
      }
    }
    case 'external':
      return {
        mode: 'external',
        ...process,
        urls: config.turnUrls,
        secret: wishes.secrets[0],
        ear: stun(wishes, at, stunPorts(config)),
      }
  }
}

type Ports = readonly [port: number, other: number]

function embedded(wishes: TurnWishes, at: readonly Place[]) {
  const { config, certificate } = wishes
  const ports = stunPorts(config)
  return {
    ...stun(wishes, at, ports),
    listen: inOrder([
      ...served(at, { port: ports[0], tlsPort: certificate && tlsPortOf(config) }),
      ...probed(at, ports, config.turnOtherAddress),
    ]),
    relays: at.map(({ relay, advertised }) => ({ address: relay, advertised })),
    ports: readPortRange(config.turnPorts),
    ...(certificate && { secure: () => certificate.context }),
  }
}

/** STUN without a relay: what is told to whoever asks, and heard. */
function stun({ config, secrets, hooks, routed }: TurnWishes, at: readonly Place[], ports: Ports) {
  const clients = served(at, { port: ports[0], tlsPort: null })
  return {
    ...hooks,
    listen: inOrder([
      ...clients.filter(({ transport }) => transport === 'udp'),
      ...probed(at, ports, config.turnOtherAddress),
    ]),
    host: hostOf(config, at),
    realm: config.turnRealm,
    secrets,
    peers: {
      denied: deniedOf(config),
      excepted: config.turnExcepted,
      ...(config.turnPeers === 'routed' && { routed }),
    },
  }
}

function coturn(
  { config, secrets, printed, ended }: TurnWishes,
  at: readonly Place[],
  own: readonly string[],
) {
  const { tlsCert, tlsKey } = config
  const tls =
    tlsCert === null || tlsKey === null ? null : { certFile: resolve(tlsCert), keyFile: resolve(tlsKey) }
  return {
    program: config.coturn,
    folder: resolve(join(config.dataDir, 'coturn')),
    host: hostOf(config, at),
    listen: {
      addresses: at.map(({ bind }) => bind),
      port: config.turnPort,
      tlsPort: tls && tlsPortOf(config),
    },
    relays: at.map(({ relay: address, advertised }) =>
      address === advertised ? { address } : { address, advertised },
    ),
    ports: readPortRange(config.turnPorts),
    realm: config.turnRealm,
    secrets,
    tls,
    // Relays meet at the relay address; the other addresses of this machine are no peers.
    denied: [...deniedOf(config), ...own.filter(one => at.every(({ relay }) => relay !== one))],
    excepted: config.turnExcepted,
    printed,
    ended,
  }
}

const hostOf = (config: Config, at: readonly Place[]): string =>
  config.turnHost ?? (at[0] as Place).advertised // there is always one

const deniedOf = ({ overlay4, overlay6, turnDenied }: Config): string[] => [overlay4, overlay6, ...turnDenied]

/** Returns the port of TURN over TLS. */
export const tlsPortOf = ({ turnPort, turnTlsPort }: Config): number =>
  turnTlsPort ?? (turnPort === 0 ? 0 : TLS_PORT)

/** Returns the port of STUN, and the second one of RFC 5780 next to it. */
export function stunPorts({ turnPort, turnOtherPort }: Config): Ports {
  const next = turnPort === 65_535 ? 65_534 : turnPort + 1
  return [turnPort, turnOtherPort ?? (turnPort === 0 ? 0 : next)]
}

/** Returns the addresses of this machine that others may reach, those of IPv4 first. */
export const ownAddresses = (): string[] =>
  Object.values(networkInterfaces())
    .flatMap((of = []) => of)
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .map(({ address }) => address)
    .sort((a, b) => familyOf(a) - familyOf(b))
