/** Where this coordinator is, and where its callers are, as answers tell it. */
import type { Config } from '../../app/config.js'
import { ipBytes } from '../../protocol/address.js'
import { isPublic } from '../../protocol/public-address.js'
import type { Whereabouts } from './agents.js'

type Known = Pick<Config, 'publicUrl' | 'tlsCert' | 'turnAddress' | 'host' | 'port'>

/** Returns what answers say; a caller on a network of ours is known to the world by our own address. */
export function whereabouts(config: Known): Whereabouts {
  const scheme = config.tlsCert === null ? 'http' : 'https'
  const own = `${scheme}://${config.host.includes(':') ? `[${config.host}]` : config.host}:${config.port}`
  return {
    of(called) {
      const named = `${scheme}://${called ?? ''}`
      const url = new URL(config.publicUrl ?? (URL.canParse(named) ? named : own))
      const isSecure = url.protocol === 'https:'
      return { isSecure, host: url.hostname, port: Number(url.port) || (isSecure ? 443 : 80) }
    },
    publicIpOf: remote =>
      [remote, config.turnAddress].find(address => address !== null && isWorldwide(address)) ?? null,
  }
}

function isWorldwide(address: string): boolean {
  const bytes = ipBytes(address)
  return bytes !== null && isPublic(bytes)
}
