/** What the addresses of an end tell: `type address:port`, as `path.signal` spells them. */
import { readEndpoint } from '../protocol/address.js'

/** Returns the candidates without those of TURN servers. */
export const ownOf = (candidates: readonly string[]): string[] =>
  candidates.filter(one => !one.startsWith('relay '))

/**
 * Returns whether new candidates are a new chance: the end has addresses of its own that it did not have. Another
 * port of the same address is what a NAT gives it for each attempt; a TURN server is what an attempt asks for.
 */
export function isNewChance(before: readonly string[], now: readonly string[]): boolean {
  const known = addressesIn(before)
  return [...addressesIn(ownOf(now))].some(address => !known.has(address))
}

/**
 * Returns whether the end names two ports of one address that the world sees it at: the NAT's, and one that its
 * operator may have opened, where peers get in whatever the NAT does.
 */
export function isForwarded(candidates: readonly string[]): boolean {
  const seen = candidates.filter(one => one.startsWith('srflx ') && !one.includes('['))
  return addressesIn(seen).size < seen.length
}

/** Returns whether the end is behind another NAT than before: the world sees it elsewhere, and only there. */
export function hasMoved(before: readonly string[], now: readonly string[]): boolean {
  const [was, is] = [seenAt(before), seenAt(now)]
  return was.size > 0 && is.size > 0 && ![...is].some(address => was.has(address))
}

/** The addresses that the world sees an end at. */
const seenAt = (candidates: readonly string[]): Set<string> =>
  addressesIn(candidates.filter(one => one.startsWith('srflx ')))

const addressesIn = (candidates: readonly string[]): Set<string> =>
  new Set(candidates.flatMap(one => readEndpoint(one.slice(one.indexOf(' ') + 1))?.address ?? []))
