/**
 * What our scripts on a WireGuard host read and print (scripts/wireguard-host). Every field is printed anew from what it
 * means, in one spelling: nothing goes there as it came.
 */
import { ipBytes, ipText } from '../../protocol/address.js'
import { keyText, readKey } from '../wireguard/key.js'
import { HostError } from './errors.js'

/** A peer as it is to be there. */
export interface HostPeer {
  readonly publicKey: Uint8Array
  readonly overlay4: string
  readonly overlay6: string | null
}

/** A peer as it is there. */
export interface PeerThere {
  /** Base64. */
  readonly publicKey: string
  readonly allowedIps: readonly string[]
  /** In both directions, since it was made there. */
  readonly bytes: number
  /** We have made it. */
  readonly isOurs: boolean
}

export interface HostAnswer {
  /** Base64, of the host's own end. */
  readonly publicKey: string
  readonly port: number
  readonly peers: readonly PeerThere[]
}

/** Interfaces that may be named, as the scripts know them too. */
export const INTERFACE = /^[a-z][a-z0-9_-]{0,14}$/

/** Returns the request for peers that are to be made so; about none it asks for all. */
export const applyRequest = (iface: string, peers: readonly HostPeer[]): string =>
  request(
    iface,
    peers.map(({ publicKey, overlay4, overlay6 }) => ({
      publicKey: keyText(publicKey),
      allowedIps: [
        `${canonical(overlay4, 4)}/32`,
        ...(overlay6 === null ? [] : [`${canonical(overlay6, 16)}/128`]),
      ].join(','),
    })),
  )

/** Returns the request for peers that are to be taken away. */
export const removeRequest = (iface: string, publicKeys: readonly Uint8Array[]): string =>
  request(
    iface,
    publicKeys.map(publicKey => ({ publicKey: keyText(publicKey) })),
  )

/** Returns what the scripts tell of peers; throws when it is anything else, or was cut short. */
export function readAnswer(output: string): HostAnswer {
  const [head = '', ...lines] = linesOf(output)
  const [, publicKey = '', digits = ''] = /^interface\t(\S+)\t(\d{1,5})$/.exec(head) ?? misshapen()
  return {
    publicKey: readKey(publicKey) === null ? misshapen() : publicKey,
    port: Number(digits),
    peers: lines.map(line => {
      const [, key = '', ips = '', received, sent, whose] =
        /^peer\t(\S+)\t(\S+)\t(\d{1,15})\t(\d{1,15})\t(ours|other)$/.exec(line) ?? misshapen()
      if (readKey(key) === null) misshapen()
      return {
        publicKey: key,
        allowedIps: ips === '(none)' ? [] : ips.split(','),
        bytes: Number(received) + Number(sent),
        isOurs: whose === 'ours',
      }
    }),
  }
}

/** Returns the key pair that was made there, base64. */
export function readKeyPair(output: string): { readonly privateKey: string; readonly publicKey: string } {
  const [line = ''] = linesOf(output)
  const [, privateKey = '', publicKey = ''] = /^key\t(\S+)\t(\S+)$/.exec(line) ?? misshapen()
  if (readKey(privateKey) === null || readKey(publicKey) === null) misshapen()
  return { privateKey, publicKey }
}

function request(iface: string, peers: readonly object[]): string {
  if (!INTERFACE.test(iface)) throw new HostError('SSH_SETTINGS', `WG_INTERFACE: wanted ${INTERFACE.source}`)
  const lines = [{ interface: iface }, ...peers].map(line => JSON.stringify(line))
  // Padded: the tools of the host want it so.
  const text = Buffer.from(`${lines.join('\n')}\n`).toString('base64')
  return `${text.replaceAll('+', '-').replaceAll('/', '_')}\n`
}

function canonical(address: string, bytes: 4 | 16): string {
  const ip = ipBytes(address)
  if (ip?.length !== bytes)
    throw new HostError('PROVISION_REFUSED', `its address is no IPv${bytes === 4 ? 4 : 6} address`)
  return ipText(ip)
}

/** The lines before the last, which says that they are all. */
function linesOf(output: string): readonly string[] {
  const lines = output.split('\n')
  if (lines.pop() !== '' || lines.pop() !== 'end') misshapen()
  return lines
}

function misshapen(): never {
  throw new HostError(
    'SSH_ANSWER',
    'the host answers otherwise than the scripts of scripts/wireguard-host do',
  )
}
