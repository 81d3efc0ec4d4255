/** A WireGuard host as the settings name it. */
import { readFileSync, statSync } from 'node:fs'
import type { ParsedKey } from 'ssh2'
import type { Config } from '../../app/config.js'
import type { PluginHost } from '../../app/plugin.js'
import type { Clock } from '../../kit/clock.js'
import { readPrivateKey } from '../../ssh/private-key.js'
import { SshHost } from '../../ssh/ssh-host.js'
import type { Ground } from '../part.js'
import type { PeerProvisioner } from '../ports.js'
import { Counters } from '../wireguard/counters.js'
import { Addresses } from './addresses.js'
import { HostError } from './errors.js'
import { readSshAddress } from './ssh-address.js'
import { SshProvisioner } from './ssh-provisioner.js'
import { WireGuardHost } from './wireguard-host.js'

/** Returns peers on the host; null when the settings name none. Throws when our key cannot be used. */
export function openSsh({ host, room }: Pick<Ground, 'host' | 'room'>): PeerProvisioner | null {
  const { config, clock } = host
  const address = readSshAddress(config.wgHostSsh ?? '')
  const wireguard = openHost(config, clock, alarmTo(host, address?.host ?? ''))
  if (address === null || wireguard === null || config.wgPool4 === null) return null
  return new SshProvisioner({
    clock,
    room,
    host: wireguard,
    addresses: new Addresses(room, config.wgPool4, config.wgPool6),
    counters: new Counters(room, 'ssh'),
    isOn: config.wgApplyEnabled,
    server: {
      endpoint: config.wgEndpoint,
      host: address.host,
      allowedIps: config.wgAllowedIps,
      dns: config.wgDns,
    },
  })
}

/** Returns what can be asked of the host; null when the settings name none. Throws when our key cannot be used. */
export function openHost(config: Config, clock: Clock, alarm: (seen: string) => void): WireGuardHost | null {
  const address = readSshAddress(config.wgHostSsh ?? '')
  if (address === null || config.wgSshKey === null) return null
  const key = privateKeyAt(config.wgSshKey)
  const ssh = new SshHost({
    clock,
    address,
    login: { kind: 'key', key },
    hostKey: config.wgSshHostKey,
    settings: { login: 'WG_SSH_KEY', hostKey: 'WG_SSH_HOST_KEY' },
    alarm,
  })
  const { wgApplyScript: apply, wgRemoveScript: remove, wgGenScript: makeKey } = config
  return new WireGuardHost(ssh, config.wgInterface, { apply, remove, makeKey })
}

/** Returns what tells of each key that the host shows and should not, once. */
function alarmTo({ log, audit }: Pick<PluginHost, 'log' | 'audit'>, host: string): (seen: string) => void {
  const told = new Set<string>()
  return seen => {
    if (told.has(seen)) return
    told.add(seen)
    log.warn({ host, seen }, 'the WireGuard host shows another key: nothing is told to it')
    audit({ kind: 'wireguard_host.key_changed', actor: 'coordinator', subject: host, detail: { seen } })
  }
}

/** Others than its owner have nothing to do with a private key. */
const OTHERS = 0o077

function privateKeyAt(path: string): ParsedKey {
  try {
    const { mode } = statSync(path)
    if ((mode & OTHERS) !== 0)
      throw new Error(`others may read or change it (mode ${(mode & 0o777).toString(8)}): chmod 600`)
    return readPrivateKey(readFileSync(path))
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error)
    throw new HostError(
      'SSH_SETTINGS',
      `WG_SSH_KEY: wanted the path of a private key without a passphrase: ${because}`,
    )
  }
}
