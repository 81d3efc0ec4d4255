/**
 * How `boson node` and `boson client` leave the relay: by a UDP socket of the agent, which the probe of the NAT
 * shares so that NATs see both alike, and past the agent by WireGuard's own socket.
 */
import { DirectSocket } from '../agent/direct/direct-socket.js'
import { openDatagrams } from '../agent/direct/open-datagrams.js'
import { UdpWay } from '../agent/direct/udp-way.js'
import type { MeshAgentOptions } from '../agent/index.js'
import { NatProber } from '../agent/nat/nat-prober.js'
import { NativeWay } from '../agent/wireguard/native-way.js'
import type { WireGuardTunnel } from '../agent/wireguard/tunnel.js'
import { systemClock } from '../kit/clock.js'
import { systemRandom } from '../kit/random.js'
import type { Log } from './mesh.js'

/** Returns the ways off the relay, best first, and the probe of the NAT. */
export function leavingTheRelay(
  tunnel: WireGuardTunnel,
  log: Log,
): Required<Pick<MeshAgentOptions, 'ways' | 'prober'>> {
  const process = { clock: systemClock, random: systemRandom }
  const open = openDatagrams()
  const socket = new DirectSocket(open)
  const failed = (error: unknown) => log.warn({ err: error }, 'WireGuard could not be steered')
  return {
    ways: [new NativeWay({ ...process, socket: tunnel, failed }), new UdpWay({ ...process, socket })],
    prober: new NatProber({ ...process, shared: socket, openDatagrams: open }),
  }
}
