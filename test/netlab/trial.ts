/** One pair of a lab, from the start of its client until its path has settled, with a ping that runs all the time. */
import { setTimeout as wait } from 'node:timers/promises'
import type { PathStory } from '../../src/actors/ports.js'
import type { NatMesh } from './nat-mesh.js'
import { type Agent, Pinging } from './processes.js'

/** How a pair fared. */
export interface Outcome {
  /** What the node and the client live behind, as it was written. */
  readonly a: string
  readonly b: string
  readonly tier: 'direct' | 'turn' | 'relay'
  readonly via: 'udp' | 'wireguard' | 'ice' | 'websocket'
  /** Why not directly; null when it is direct. */
  readonly reason: string | null
  /** From the start of `boson client` until the first ping came back, and until the tier was reached. */
  readonly msToFirst: number
  readonly msToTier: number
  /** Pings, a hundred a second, and how many of them did not come back. */
  readonly lost: number
  readonly sent: number
}

/** A pair whose tunnel is up. */
export interface Trial {
  /** The hosts of node and client. */
  readonly hosts: readonly [string, string]
  readonly client: Agent
  /** The node's address in the mesh. */
  readonly nodeAddress: string
  readonly ping: Pinging
  /** As the ledger has it. */
  readonly path: PathStory
  readonly outcome: Outcome
}

const PING_EVERY_S = 0.01
const LOOK_EVERY_MS = 100
/** A path that stays as it is for so long has settled: attempts last 5 s. */
const SETTLED_MS = { direct: 4_000, turned: 7_000, relayed: 7_000 }
/** A pair that still changes then is taken as it is. */
const PATIENCE_MS = 40_000

/** Starts the client `b` with a route to the node `a`, which is online; resolves when its path has settled. */
export async function tryPair(
  mesh: NatMesh,
  a: string,
  b: string,
  ...options: readonly string[]
): Promise<Trial> {
  const began = Date.now()
  const client = mesh.startClient(b, a, '--wait', ...options)
  const { nodeAddress: known } = await client.says(
    'its route carries',
    line => line.path !== null && !!line.nodeAddress,
  )
  const nodeAddress = known ?? ''
  const ping = new Pinging(mesh.lab.host(b).space, nodeAddress, PING_EVERY_S)
  const first = await ping.first()
  const path = await settled(mesh, b)
  const outcome = {
    a: mesh.lab.host(a).text,
    b: mesh.lab.host(b).text,
    tier: TIERS[path.tier],
    via: path.via ?? 'websocket',
    reason: path.tier === 'direct' ? null : path.reason,
    msToFirst: Math.round(first.atS * 1_000 - began),
    msToTier: Math.round(reachedAtMs(path) - began),
    ...ping.count(),
  }
  return { hosts: [a, b], client, nodeAddress, ping, path, outcome }
}

/** A path that carries. */
type Carrying = PathStory & { readonly tier: keyof typeof TIERS }

const TIERS = { direct: 'direct', turned: 'turn', relayed: 'relay' } as const

/** Resolves to the client's path when it has stayed as it is for a while. */
export async function settled(mesh: NatMesh, client: string): Promise<Carrying> {
  const giveUp = performance.now() + PATIENCE_MS
  let last = ''
  let since = performance.now()
  for (;;) {
    const path = await mesh.path(client)
    const text = `${path?.tier} ${path?.via} ${path?.reason}`
    const now = performance.now()
    if (text !== last) since = now
    last = text
    if (path !== undefined && carries(path)) {
      const rests = path.reason !== 'starting' && now - since >= SETTLED_MS[path.tier]
      if (rests || now > giveUp) return path
    } else if (now > giveUp) throw new Error(`${client}: wanted a path that carries, not ${text}`)
    await wait(LOOK_EVERY_MS)
  }
}

const carries = (path: PathStory): path is Carrying => path.tier in TIERS

/** When the path came to its tier: it may have changed sockets since. */
function reachedAtMs({ tier, sinceMs, history }: PathStory): number {
  return history.reduceRight(
    (at, stay) => (stay.tier === tier && stay.untilMs === at ? stay.fromMs : at),
    sinceMs,
  )
}
