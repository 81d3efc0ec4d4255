/** What an Allocate request asks for, checked in the order of RFC 8656 §7.2. */
import type { Family } from '../protocol/address.js'
import { DEFAULT_LIFETIME_S, MOST_LIFETIME_S } from './allocation.js'
import { ATTRIBUTE, FAMILY_BYTE, PROTOCOL_UDP, RESERVE_NEXT } from './attributes.js'
import { readUint32, type StunMessage, valueOf } from './codec.js'
import { BAD_REQUEST, type Refused } from './refused.js'

export interface Wish {
  /** The first is the one that must be had; a second is welcome. */
  readonly families: readonly Family[]
  /** Any port, an even one, or an even one with the next kept for later. */
  readonly port: 'any' | 'even' | 'pair'
  /** A port that was kept for later; null for a new one. */
  readonly token: string | null
  readonly lifetimeS: number
}

/** Returns the wish, or how to turn the request down. */
export function readWish(request: StunMessage, served: ReadonlySet<Family>): Wish | Refused {
  const transport = valueOf(request, ATTRIBUTE.requestedTransport)
  if (transport?.length !== 4) return BAD_REQUEST
  if (transport[0] !== PROTOCOL_UDP) return { code: 442, refusal: 'transport' }
  const lifetimeS = readLifetime(request)
  const even = valueOf(request, ATTRIBUTE.evenPort)
  const token = valueOf(request, ATTRIBUTE.reservationToken)
  const family = valueOf(request, ATTRIBUTE.requestedAddressFamily)
  const additional = valueOf(request, ATTRIBUTE.additionalAddressFamily)
  if (lifetimeS === null || (even && even.length !== 1) || (token && token.length !== 8)) return BAD_REQUEST
  if (token && (even || family || additional)) return BAD_REQUEST
  if (additional && (family || additional.length !== 4 || additional[0] !== FAMILY_BYTE[6]))
    return BAD_REQUEST
  const reserve = even !== undefined && ((even[0] as number) & RESERVE_NEXT) !== 0 // 1 byte
  if (additional && reserve) return BAD_REQUEST
  const families = additional ? ([4, 6] as const) : wantedFamily(family)
  if (families === null) return BAD_REQUEST
  if (!token && !families.some(wanted => served.has(wanted))) return { code: 440, refusal: 'family' }
  return {
    families,
    port: reserve ? 'pair' : even ? 'even' : 'any',
    token: token?.toString('hex') ?? null,
    lifetimeS,
  }
}

/** Returns the lifetime to grant, s; 0 ends the allocation where that is allowed; null when misshapen. */
export function readLifetime(request: StunMessage): number | null {
  const value = valueOf(request, ATTRIBUTE.lifetime)
  if (value === undefined) return DEFAULT_LIFETIME_S
  const wanted = readUint32(value)
  if (wanted === null || wanted === 0) return wanted
  return Math.min(MOST_LIFETIME_S, Math.max(DEFAULT_LIFETIME_S, wanted))
}

/** Returns the family in REQUESTED-ADDRESS-FAMILY; `unknown` when nobody has it, null when misshapen. */
export function readFamily(value: Buffer): Family | 'unknown' | null {
  if (value.length !== 4) return null
  if (value[0] === FAMILY_BYTE[4]) return 4
  return value[0] === FAMILY_BYTE[6] ? 6 : 'unknown'
}

function wantedFamily(value: Buffer | undefined): readonly Family[] | null {
  if (value === undefined) return [4]
  const family = readFamily(value)
  if (family === null) return null
  return family === 'unknown' ? [] : [family]
}
