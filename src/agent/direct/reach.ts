/** Where checks may go: what a peer names must not make this machine bother anyone but the peer. */
import { type Endpoint, ipBytes, readEndpoint } from '../../protocol/address.js'
import type { CandidateType } from './pair.js'

export interface Candidate {
  readonly type: CandidateType
  readonly endpoint: Endpoint
}

/** Returns what `path.signal` and `path.punch` spell as `srflx 192.0.2.1:4500`; null when it is none. */
export function readCandidate(text: string): Candidate | null {
  const [type = '', at = ''] = text.split(' ', 2)
  const endpoint = readEndpoint(at)
  if (endpoint === null || !(type === 'host' || type === 'srflx' || type === 'relay')) return null
  return { type, endpoint }
}

/**
 * Returns whether a peer can be at this address: not on this machine itself, and no group of machines. Private
 * addresses are allowed, as two ends may be in one network.
 */
export function isReachable({ address }: Endpoint): boolean {
  const bytes = ipBytes(address)
  if (bytes === null) return false
  return bytes.length === 4 ? isReachable4(bytes) : isReachable6(bytes)
}

/** This network, loopback, link-local, and everything from multicast up to broadcast. */
function isReachable4(bytes: Buffer): boolean {
  const [a = 0, b = 0] = bytes
  return a !== 0 && a !== 127 && a < 224 && !(a === 169 && b === 254)
}

/** Unspecified, loopback, forms of IPv4, link-local, multicast. */
function isReachable6(bytes: Buffer): boolean {
  const first = bytes.readUInt16BE(0)
  const isLow = bytes.subarray(0, 8).every(byte => byte === 0)
  return !isLow && (first & 0xffc0) !== 0xfe80 && first < 0xff00
}
