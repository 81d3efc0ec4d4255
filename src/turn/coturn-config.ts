/**
 * The configuration of a coturn that we run. Its own defaults let any peer be reached, answer strangers at five
 * times the length of their question and set no quota; these lines do not.
 */
import type { RelayOptions } from './embedded.js'
import { familyOf } from '../protocol/address.js'
import { TurnError } from './errors.js'
import { rangeText } from '../protocol/network.js'
import type { PortRange } from './ports.js'
import { defaultQuotas, type QuotaLimits } from './quotas.js'

export interface CoturnConfig {
  readonly listen: {
    readonly addresses: readonly string[]
    readonly port: number
    readonly tlsPort: number | null
  }
  readonly relays: readonly RelayOptions[]
  readonly ports: PortRange
  readonly realm: string
  readonly secrets: readonly string[]
  /** PEM files; needed for a TLS port. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null
  /** Networks beyond those never public. */
  readonly denied: readonly string[]
  /** Networks to allow although they are not public. */
  readonly excepted?: readonly string[]
  /** Allocations of one identity, and of all; absent: as in our own server. */
  readonly quotas?: Pick<QuotaLimits, 'perUser' | 'total'>
  readonly pidFile: string
}

/** The first version in which an IPv4 address in IPv6 clothes is refused like the address itself (CVE-2026-27624). */
export const SAFE_VERSION = '4.13.1'

/** Returns the text of the configuration file. */
export function coturnConfig(config: CoturnConfig): string {
  const { listen, ports, realm, secrets, tls, denied, excepted = [], pidFile } = config
  const { perUser, total } = { ...defaultQuotas(ports), ...config.quotas }
  for (const text of [realm, pidFile, ...secrets, ...listen.addresses])
    if (/[\r\n]/.test(text)) throw new TurnError('refused', 'coturn: wanted settings of one line each')
  return [
    ...listen.addresses.map(address => `listening-ip=${address}`),
    `listening-port=${listen.port}`,
    ...(listen.tlsPort === null || tls === null
      ? ['no-tls']
      : [`tls-listening-port=${listen.tlsPort}`, `cert=${tls.certFile}`, `pkey=${tls.keyFile}`]),
    'no-dtls',
    'no-tcp-relay',
    ...config.relays.map(({ address }) => `relay-ip=${address}`),
    ...config.relays.flatMap(({ address, advertised }) =>
      advertised === undefined ? [] : [`external-ip=${advertised}/${address}`],
    ),
    `min-port=${ports.first}`,
    `max-port=${ports.last}`,
    `realm=${realm}`,
    'fingerprint',
    'use-auth-secret',
    ...secrets.map(secret => `static-auth-secret=${secret}`),
    'stale-nonce=600',
    'no-multicast-peers',
    'no-software-attribute',
    'no-rfc5780',
    'no-stun-backward-compatibility',
    'response-origin-only-with-rfc5780',
    'no-cli',
    `user-quota=${perUser}`,
    `total-quota=${total}`,
    ...[...NEVER_PUBLIC, ...denied.map(rangeText)].map(range => `denied-peer-ip=${range}`),
    ...excepted.map(range => `allowed-peer-ip=${rangeText(range)}`),
    ...(excepted.some(range => LOOPBACK.test(range)) ? ['allow-loopback-peers'] : []),
    `pidfile=${pidFile}`,
    'log-file=stdout',
    'simple-log',
    '',
  ].join('\n')
}

/** Returns the relays that this version of coturn may have: an old one those of IPv4. Throws when that leaves none. */
export function safeRelays(version: string, relays: readonly RelayOptions[]): readonly RelayOptions[] {
  const safe = isAtLeast(version, SAFE_VERSION)
    ? relays
    : relays.filter(({ address }) => familyOf(address) === 4)
  if (safe.length > 0) return safe
  throw new TurnError(
    'coturn_too_old',
    `coturn ${version}: wanted ${SAFE_VERSION} or newer, or an IPv4 relay (CVE-2026-27624)`,
  )
}

function isAtLeast(version: string, least: string): boolean {
  const [have, want] = [version, least].map(text => text.split('.').map(Number))
  for (const [i, number] of (want ?? []).entries()) {
    const part = have?.[i] ?? 0
    if (part !== number) return part > number // not a number compares as older
  }
  return true
}

/** Exceptions on the machine itself, which coturn wants to be allowed twice. */
const LOOPBACK = /^(127\.|::1(\/|$))/

/** As in peer-policy.ts, spelled as coturn reads it: by first and last address. */
const NEVER_PUBLIC = [
  '0.0.0.0-0.255.255.255',
  '10.0.0.0-10.255.255.255',
  '100.64.0.0-100.127.255.255',
  '127.0.0.0-127.255.255.255',
  '169.254.0.0-169.254.255.255',
  '172.16.0.0-172.31.255.255',
  '192.0.0.0-192.0.0.255',
  '192.0.2.0-192.0.2.255',
  '192.88.99.0-192.88.99.255',
  '192.168.0.0-192.168.255.255',
  '198.18.0.0-198.19.255.255',
  '198.51.100.0-198.51.100.255',
  '203.0.113.0-203.0.113.255',
  '224.0.0.0-255.255.255.255',
  '::-1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', // mapped, compatible, translated, NAT64 and loopback among them
  '2001::-2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff',
  '2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff',
  '2002::-2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  '3fff::-3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff',
  '4000::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  '::ffff:0.0.0.0-::ffff:255.255.255.255',
]
