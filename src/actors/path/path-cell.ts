/** A path: the handle that its machine's effects, its attempts and the pages share. */
import type { Actor } from 'xstate'
import type { TokenBucket } from '../../kit/token-bucket.js'
import type { PathPolicy } from '../../mesh/path-policy.js'
import type { PathReason } from '../../mesh/path-reason.js'
import type { Tier } from '../../mesh/upgrade.js'
import type { WireOf } from '../../protocol/messages.js'
import type { LinkId, PathEndName, PathTier, PathVia, RouteId } from '../ports.js'
import type { Cell } from '../session/cell.js'
import type { pathMachine } from './path.machine.js'
import type { Trial } from './trial.js'

export interface PathCell {
  readonly link: LinkId
  readonly routeId: RouteId
  /** The client sends all its traffic through the node. */
  readonly exit: boolean
  readonly client: Cell
  readonly node: Cell
  /** What is known of each end's side; the client's is first. */
  readonly sides: readonly [Side, Side]
  readonly actor: Actor<typeof pathMachine>
  readonly sinceMs: number
  /** What holds for it, of its ends' wishes and the operator's. Owned by the paths. */
  policy: PathPolicy
  /** What keeps it from being direct; null while it is. Owned by the upgrades. */
  reason: PathReason | null
  /** Number of the last attempt. Owned by the upgrades, as is all that follows. */
  attempts: number
  /** It is from an earlier process and was not tried in this one: what its ends say of an earlier attempt counts. */
  mayBeClaimed: boolean
  /** Failures in a row: what the next rest depends on. */
  failures: number
  /** What starts it anew is counted: an end may say anything. */
  anew: TokenBucket | null
  /** An end has said something new since the last attempt began. */
  isRenewed: boolean
  /** When the last attempt began, and since when a way off the relay carries; monotonic ms. */
  triedMs: number | null
  carriedMs: number | null
  /** The attempt that runs, and the one whose way carries. */
  trial: Trial | null
  standing: Trial | null
  /** The attempt by WireGuard’s own socket that carries instead; the one that stands is what it falls back on. */
  native: Trial | null
  /** The same of it: failures in a row, and since when it carries. */
  nativeFailures: number
  nativeMs: number | null
}

/** One end's side of a path. */
export interface Side {
  readonly end: Cell
  readonly name: PathEndName
  /** It has said that it is set up. */
  ready: boolean
  /** It has said so since it was introduced last. */
  present: boolean
  /** What it last said of the path. */
  report: PathReport | null
  /** Where it may be reached. */
  signal: Signal | null
  /** UDP port of its WireGuard; null when it has none, or has not said. */
  ownPort: number | null
  /** It was introduced anew: whatever revision it says next counts. */
  isSignalOld: boolean
  /** The other end has heard it, and when it last heard one; monotonic ms. */
  isSignalTold: boolean
  signalToldMs: number | null
  /** Where its socket came from when it was introduced last. */
  remote: string | null
}

/** A path as its end sees it. */
export type PathReport = Omit<WireOf<'path.report'>, 'type' | 'link'>
export type Signal = Omit<WireOf<'path.signal'>, 'type' | 'link'>

type Given = 'link' | 'routeId' | 'exit' | 'client' | 'node' | 'actor' | 'sinceMs' | 'policy'

export const newPath = (given: Pick<PathCell, Given>): PathCell => ({
  ...given,
  sides: [newSide(given.client, 'client'), newSide(given.node, 'node')],
  reason: 'starting',
  attempts: 0,
  mayBeClaimed: false,
  failures: 0,
  anew: null,
  isRenewed: false,
  triedMs: null,
  carriedMs: null,
  trial: null,
  standing: null,
  native: null,
  nativeFailures: 0,
  nativeMs: null,
})

const newSide = (end: Cell, name: PathEndName): Side => ({
  end,
  name,
  ready: false,
  present: false,
  report: null,
  signal: null,
  ownPort: null,
  isSignalOld: false,
  isSignalTold: true,
  signalToldMs: null,
  remote: null,
})

/** Returns the side of `end`, or undefined when it is no end of the path. */
export const sideOf = (path: PathCell, end: Cell): Side | undefined =>
  path.sides.find(side => side.end === end)

/** Returns the side across. */
export const across = ({ sides }: PathCell, side: Side): Side => (side === sides[0] ? sides[1] : sides[0])

/** Returns how packets travel now. */
export function tierOf({ actor }: PathCell): PathTier {
  const { value } = actor.getSnapshot() as { value: 'opening' | 'closed' | { carried: { tier: Tier } } } // the machine’s states; their derived type has every part optional
  return typeof value === 'string' ? value : value.carried.tier
}

/** Returns whether the ends have been told how packets travel. */
export const isCarried = (tier: PathTier): tier is Tier => tier !== 'opening' && tier !== 'closed'

/** Returns by which socket packets travel; null when they do not. */
export function viaOf({ standing, native }: PathCell, tier: PathTier): PathVia | null {
  if (tier === 'relayed') return 'websocket'
  return (native ?? standing)?.via ?? null
}

/** Returns why the path is not direct; null while it is. */
export function reasonOf({ reason }: PathCell, tier: PathTier): PathReason | null {
  if (tier === 'direct') return null
  return tier === 'waiting' ? 'policy_direct_only' : reason
}
