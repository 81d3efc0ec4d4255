/** Addresses of this machine that others may reach it at. */
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { ipBytes, ipText } from '../../protocol/address.js'

/** So many of one family say enough; a machine may have dozens of temporary IPv6 addresses. */
const MOST_OF_A_FAMILY = 4
/** What Linux calls the hardware of an interface that has none: WireGuard's, and other tunnels. */
const ARPHRD_NONE = '65534'

/**
 * Returns the addresses of interfaces that lead to a network by themselves, canonical. Those of tunnels are left
 * out: a path through a tunnel of ours would carry itself.
 */
export function localAddresses(read = networkInterfaces, isTunnel = isTunnelHere): readonly string[] {
  const usable = Object.entries(read())
    .filter(([name]) => !isTunnel(name))
    .flatMap(([, addresses = []]) => addresses)
    .filter(({ internal, address }) => !internal && !isLinkLocal(address))
    .map(({ address }) => canonical(address))
  const of = (is6: boolean) => usable.filter(each => each.includes(':') === is6).slice(0, MOST_OF_A_FAMILY)
  return [...of(false), ...of(true)]
}

const isLinkLocal = (address: string): boolean => /^(?:fe[89ab][\da-f]:|169\.254\.)/i.test(address)

const canonical = (address: string): string => ipText(ipBytes(address) ?? Buffer.alloc(4)) // the system's own

function isTunnelHere(name: string): boolean {
  try {
    return readFileSync(`/sys/class/net/${name}/type`, 'latin1').trim() === ARPHRD_NONE
  } catch {
    return /^(?:utun|tun|wg|boson)/.test(name) // not Linux
  }
}
