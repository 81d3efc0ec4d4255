/**
 * What wg-easy gives its clients: a configuration as `wg-quick` reads it. Of it only what is known and well-formed is
 * taken: some of it goes on to people's machines.
 */
import { ipBytes, ipText } from '../../protocol/address.js'
import { network } from '../../protocol/network.js'
import type { PeerServer } from '../ports.js'
import { hostPortText, readHostPort } from '../wireguard/host-port.js'
import { readKey } from '../wireguard/key.js'
import { WgEasyError } from './errors.js'

export interface ClientConfiguration {
  /** Base64; null: wg-easy does not have it. */
  readonly privateKey: string | null
  readonly presharedKey: string | null
  readonly overlay4: string | null
  readonly overlay6: string | null
  readonly server: PeerServer
}

/** Returns what a configuration says; throws when it lacks the other end. */
export function readConfiguration(text: string): ClientConfiguration {
  const { interface: own, peer } = sectionsOf(text)
  const addresses = listOf(own.get('address')).map(entry => ipBytes(entry.split('/', 1)[0] ?? ''))
  return {
    privateKey: keyOf(own.get('privatekey')),
    presharedKey: keyOf(peer.get('presharedkey')),
    overlay4: textOf(addresses.find(ip => ip?.length === 4)),
    overlay6: textOf(addresses.find(ip => ip?.length === 16)),
    server: {
      publicKey: keyOf(peer.get('publickey')) ?? missing('PublicKey'),
      endpoint: endpointOf(peer.get('endpoint')) ?? missing('Endpoint'),
      allowedIps: listOf(peer.get('allowedips')).filter(isNetwork),
      dns: listOf(own.get('dns')).filter(
        entry => ipBytes(entry) !== null || readHostPort(entry)?.port === null,
      ),
    },
  }
}

type Section = ReadonlyMap<string, string>

/** The keys of both sections, in lower case: WireGuard's tools do not mind the case either. */
function sectionsOf(text: string): { readonly interface: Section; readonly peer: Section } {
  const sections = { interface: new Map<string, string>(), peer: new Map<string, string>() }
  let section: Map<string, string> | undefined
  for (const line of text.split('\n')) {
    const [, heading] = /^\s*\[(\w+)\]\s*$/.exec(line) ?? []
    if (heading !== undefined) section = sections[heading.toLowerCase() as keyof typeof sections] // undefined for others
    const [, key, value] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (key !== undefined && value !== undefined) section?.set(key.toLowerCase(), value)
  }
  return sections
}

const listOf = (value: string | undefined): string[] =>
  (value ?? '').split(',').flatMap(entry => (entry.trim() === '' ? [] : [entry.trim()]))

const keyOf = (value: string | undefined): string | null =>
  value !== undefined && readKey(value) !== null ? value : null

const textOf = (ip: Buffer | null | undefined): string | null => (ip == null ? null : ipText(ip))

function endpointOf(value: string | undefined): string | null {
  const { host, port } = readHostPort(value ?? '') ?? {}
  return host === undefined || port == null ? null : hostPortText(host, port)
}

function isNetwork(text: string): boolean {
  try {
    network(text)
    return true
  } catch {
    return false
  }
}

function missing(what: string): never {
  throw new WgEasyError('WG_EASY_ANSWER', `wg-easy: a configuration came without a usable ${what}`)
}
