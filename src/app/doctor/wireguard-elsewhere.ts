/** Whether a wg-easy, or a WireGuard host, can be reached, is the right one, and lets us in; where one is configured. */
import type { Clock } from '../../kit/clock.js'
import type { Config } from '../config.js'
import { type Check, failed, type Finding, ok, reasonOf, warning } from './check.js'

/** Returns the checks of what the settings name. */
export const wireguardChecks = (config: Config, clock: Clock): readonly Check[] => [
  ...(config.wgEasyUrl === null ? [] : [{ name: 'wg-easy', look: () => wgEasy(config, clock) }]),
  ...(config.wgHostSsh === null
    ? []
    : [{ name: 'wireguard host', look: () => wireguardHost(config, clock) }]),
]

async function wgEasy(config: Config, clock: Clock): Promise<readonly Finding[]> {
  const name = 'wg-easy'
  const { openDoor } = await import('../../access/wg-easy/open.js')
  const { readClients } = await import('../../access/wg-easy/clients.js')
  const door = openDoor(config, clock)
  if (door === null) return [failed(name, 'it has no password', 'set WG_EASY_PASSWORD')]
  try {
    const { length } = readClients(await door.list())
    const found = `lets us in, and lists ${length} ${length === 1 ? 'client' : 'clients'}`
    const isOpen = config.wgEasyUrl?.startsWith('http:') === true && config.wgEasyNetworks.length === 0
    return [
      isOpen
        ? warning(name, `${found}, over plain http`, 'its password can be read on the way: give it https')
        : ok(name, found),
    ]
  } catch (error) {
    return [failed(name, reasonOf(error), 'see docs/wireguard-hosts.md; peers wait until then')]
  }
}

async function wireguardHost(config: Config, clock: Clock): Promise<readonly Finding[]> {
  const name = 'wireguard host'
  const { openHost } = await import('../../access/ssh/open.js')
  try {
    const host = openHost(config, clock, () => undefined)
    if (host === null) return [failed(name, 'we have no key for it', 'set WG_SSH_KEY')]
    const { peers } = await host.list()
    const ours = peers.filter(({ isOurs }) => isOurs).length
    const found = `has the key that it should have, and ${ours} peers of ours on ${config.wgInterface}`
    return [
      config.wgApplyEnabled
        ? ok(name, found)
        : warning(name, `${found}; it is told nothing`, 'WG_APPLY_ENABLED=1 switches it on'),
    ]
  } catch (error) {
    return [failed(name, reasonOf(error), 'see docs/wireguard-hosts.md; peers wait until then')]
  }
}
