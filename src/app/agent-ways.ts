/** How an agent of the command line leaves the relay: by WireGuard's own socket, else by one of its own. */
import { DirectSocket } from '../agent/direct/direct-socket.js'
import { openDatagrams } from '../agent/direct/open-datagrams.js'
import { UdpWay } from '../agent/direct/udp-way.js'
import type { FullTunnel } from '../agent/exit/full-tunnel.js'
import type { MeshAgentOptions } from '../agent/index.js'
import { NatProber } from '../agent/nat/nat-prober.js'
import { NativeWay } from '../agent/wireguard/native-way.js'
import type { WireGuardTunnel } from '../agent/wireguard/tunnel.js'
import { systemClock as clock } from '../kit/clock.js'
import { systemRandom as random } from '../kit/random.js'
import type { Log } from './mesh.js'

export interface AgentWaysOptions {
  /** `wireguard`, which needs the other to begin with, and `udp`. */
  readonly wanted: readonly string[]
  /** UDP port of the agent's own socket; 0: any. */
  readonly port: number
  readonly tunnel: WireGuardTunnel
  readonly fullTunnel: FullTunnel | null
  readonly log: Log
}

/** Returns the ways, best first, and the probe of the NAT, which uses the same socket. */
export function agentWays(options: AgentWaysOptions): Required<Pick<MeshAgentOptions, 'ways' | 'prober'>> {
  const { wanted, port, tunnel, fullTunnel, log } = options
  const failed = (message: string) => (error: unknown) => log.warn({ err: error }, message)
  const opened = async (own: number) => {
    await fullTunnel?.keepPortOutside(own)
    return () =>
      void fullTunnel?.letPortIn(own).catch(failed('a rule for a closed port could not be removed'))
  }
  const socket = new DirectSocket(openDatagrams({ port, opened }))
  const ways = [
    new NativeWay({ clock, random, socket: tunnel, failed: failed('WireGuard could not be steered') }),
    new UdpWay({
      socket,
      forwardedPort: port === 0 ? null : port,
      failed: failed('the UDP port for direct paths cannot be had'),
    }),
  ]
  return {
    ways: ways.filter(({ via }) => wanted.includes(via)),
    prober: new NatProber({ clock, random, shared: socket, openDatagrams: openDatagrams({ opened }) }),
  }
}
