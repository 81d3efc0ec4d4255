/**
 * Relay sockets on their way. An Allocate request waits here until each socket it needs is open, or given up
 * after some other ports were tried; nothing blocks meanwhile.
 *
 *   wish ─→ a leg per family ─→ one socket, or two where the next port is kept ─→ open | other ports | failed
 */
import type { Random } from '../kit/random.js'
import type { Family } from '../protocol/address.js'
import type { Ask } from './effects.js'
import { type PortRange, RelayPorts } from './ports.js'

/** Ports that are tried before a leg fails: another process may hold some of the range. */
const TRIES = 8

export interface RelaySocket {
  readonly id: number
  readonly family: Family
  readonly port: number
}

/** One wish, and whatever its owner wants to find again when it is done. */
export interface Opened<T> {
  readonly owner: T
  /** By family; `next` is the socket kept for later. */
  readonly sockets: readonly { readonly relay: RelaySocket; readonly next: RelaySocket | null }[]
  readonly failed: readonly Family[]
}

interface Opening<T> {
  readonly owner: T
  readonly kind: 'any' | 'even' | 'pair'
  readonly legs: Leg[]
}

interface Leg {
  readonly family: Family
  tries: number
  sockets: RelaySocket[]
  readonly waiting: Set<number>
}

export class Openings<T> {
  readonly #ports: ReadonlyMap<Family, RelayPorts>
  readonly #waiting = new Map<number, { readonly opening: Opening<T>; readonly leg: Leg }>()
  #lastId = 0

  constructor(families: Iterable<Family>, range: PortRange, random: Random) {
    this.#ports = new Map(Array.from(families, family => [family, new RelayPorts(range, random)]))
  }

  /** Begins to open; returns what came of it when that is clear at once: no port was left. */
  begin(owner: T, families: readonly Family[], kind: 'any' | 'even' | 'pair', ask: Ask): Opened<T> | null {
    const legs = families.map(family => ({ family, tries: TRIES, sockets: [], waiting: new Set<number>() }))
    const opening: Opening<T> = { owner, kind, legs }
    for (const leg of legs) this.#try(opening, leg, ask)
    return settled(opening)
  }

  /** The shell's answer for one socket; returns the whole when it is complete. */
  opened(id: number, isOpen: boolean, ask: Ask): Opened<T> | null {
    const entry = this.#waiting.get(id)
    if (entry === undefined) return null
    const { opening, leg } = entry
    this.#waiting.delete(id)
    leg.waiting.delete(id)
    if (!isOpen) {
      this.#abandon(leg, ask)
      this.#try(opening, leg, ask)
    }
    return settled(opening)
  }

  /** Gives up what the owner waits for. */
  cancel(owner: T, ask: Ask): void {
    for (const { opening } of this.#waiting.values())
      if (opening.owner === owner) for (const leg of opening.legs) this.#abandon(leg, ask)
  }

  /** The socket is closed: its port is free again. */
  release({ family, port }: RelaySocket): void {
    this.#ports.get(family)?.release(port)
  }

  #try(opening: Opening<T>, leg: Leg, ask: Ask): void {
    const port = leg.tries-- > 0 ? (this.#ports.get(leg.family)?.take(opening.kind) ?? null) : null
    if (port === null) return
    const ports = opening.kind === 'pair' ? [port, port + 1] : [port]
    leg.sockets = ports.map(number => ({ id: ++this.#lastId, family: leg.family, port: number }))
    for (const { id, family, port: number } of leg.sockets) {
      leg.waiting.add(id)
      this.#waiting.set(id, { opening, leg })
      ask({ type: 'open', relay: id, family, port: number })
    }
  }

  #abandon(leg: Leg, ask: Ask): void {
    for (const socket of leg.sockets) {
      this.#waiting.delete(socket.id)
      ask({ type: 'close', relay: socket.id })
      this.release(socket)
    }
    leg.sockets = []
    leg.waiting.clear()
  }
}

/** Returns what came of an opening once no socket is waited for. */
function settled<T>({ owner, legs }: Opening<T>): Opened<T> | null {
  if (legs.some(leg => leg.waiting.size > 0)) return null
  return {
    owner,
    sockets: legs.flatMap(({ sockets: [relay, next = null] }) => (relay ? [{ relay, next }] : [])),
    failed: legs.filter(leg => leg.sockets.length === 0).map(leg => leg.family),
  }
}
