/**
 * Whom a TURN relay may reach for an identity: the other ends of its paths, at the addresses that they have said
 * are theirs. Whether such an address is fit to be reached at all is asked elsewhere: an agent may say anything.
 */
import { ipBytes, ipText, readEndpoint } from '../../protocol/address.js'
import type { Cell } from '../session/cell.js'
import { across, type Signal, sideOf } from './path-cell.js'
import type { Paths } from './paths.js'

/** Addresses of one description that count: more than any machine has, and few to keep. */
const ADDRESSES_MAX = 64

/** Returns whether this end has a path to somebody at the canonical address who may be reached by TURN. */
export function mayReach(paths: Pick<Paths, 'at'>, end: Cell, address: string): boolean {
  for (const link of end.links ?? []) {
    const path = paths.at(link)
    const side = path && sideOf(path, end)
    if (path === undefined || side === undefined || path.policy === 'direct-only') continue
    const { signal } = across(path, side)
    if (signal !== null && addressesOf(signal).has(address)) return true
  }
  return false
}

/** A signal never changes, and is asked about for each packet that names its peer. */
const known = new WeakMap<Signal, ReadonlySet<string>>()

function addressesOf(signal: Signal): ReadonlySet<string> {
  const found = known.get(signal)
  if (found !== undefined) return found
  const plain = signal.candidates.flatMap(
    candidate => readEndpoint(candidate.split(' ')[1] ?? '')?.address ?? [],
  )
  const addresses = new Set([...plain, ...describedIn(signal.ice)].slice(0, ADDRESSES_MAX))
  known.set(signal, addresses)
  return addresses
}

/** RFC 8839 §5.1: foundation, component, transport, priority, address. */
const CANDIDATE = /^a=candidate:\S+ \d+ \S+ \d+ (\S+) /gm

function describedIn(ice: Uint8Array | undefined): string[] {
  if (ice === undefined) return []
  return [...Buffer.from(ice).toString('utf8').matchAll(CANDIDATE)].flatMap(([, address = '']) => {
    const ip = ipBytes(address)
    return ip === null ? [] : ipText(ip)
  })
}
