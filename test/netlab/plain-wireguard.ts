/** WireGuard as people set it up by hand, between two hosts of a lab: what everything else is compared with. */
import { takesOrders } from '../../src/agent/wireguard/userspace.js'
import { until } from '../support/until.js'
import type { LabHost, NatLab } from './nat-lab.js'
import { Program } from './processes.js'

const PORT = 51_820
const MTU = 1_420

export interface PlainWireGuard {
  /** The second host's address in the tunnel. */
  readonly address: string
  end(): Promise<void>
}

/**
 * Brings a tunnel up. Each host calls the other's public address at once, which opens NATs that keep ports and do
 * not map by destination.
 */
export async function plainWireGuard(lab: NatLab, names: readonly [string, string]): Promise<PlainWireGuard> {
  const hosts = names.map(name => lab.host(name)) as [LabHost, LabHost] // one for each name
  const keys = await Promise.all(hosts.map(({ space }) => space.run('wg', 'genkey')))
  const ends = await Promise.all(
    hosts.map(async ({ space, site }, i) => {
      const iface = lab.iface()
      const program = new Program(
        'wireguard-go',
        space.spawn('wireguard-go', ['-f', iface], { stdio: 'ignore' }),
      )
      const address = `10.99.0.${i + 1}`
      return { space, site, iface, program, address, secret: keys[i]?.trim() ?? '' }
    }),
  )
  await Promise.all(
    ends.map(async ({ space, iface, secret, address }, i) => {
      const other = ends[1 - i] as (typeof ends)[number] // of two
      const peer = await space.script(`echo ${other.secret} | wg pubkey`)
      await until('wireguard-go answers', () => takesOrders(iface))
      await space.script(
        `echo ${secret} | wg set ${iface} private-key /dev/stdin listen-port ${PORT} peer ${peer.trim()} ` +
          `allowed-ips ${other.address}/32 endpoint ${other.site.publicAddress}:${PORT} persistent-keepalive 1`,
        `ip address add ${address}/24 dev ${iface}`,
        `ip link set ${iface} mtu ${MTU} up`,
      )
    }),
  )
  return {
    address: ends[1]?.address ?? '',
    end: async () => {
      await Promise.all(ends.map(({ program }) => program.end()))
    },
  }
}
