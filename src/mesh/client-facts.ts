import type { Steering } from '../actors/ports.js'
import type { NatKind } from './nat-kind.js'
import type { Agreed } from './path-policy.js'
import type { Position } from './position.js'

/** What the mesh knows of a client when it chooses a node for it. Null is unknown, and stays unknown. */
export interface ClientFacts {
  readonly position: Position | null
  readonly nat: NatKind
  /** The IPv4 address that the world sees; see `nat-kind.ts`. */
  readonly seenAt: number | null
  /** Which ways its packets may travel. */
  readonly policy: Agreed
  /** What the operator has laid down for it. */
  readonly steering: Steering
  /** Its node is in one of these groups, by its terms; empty: in any or none. */
  readonly groups: readonly string[]
}
