/** The mesh as a map or a graph shows it: its largest nodes, and which paths lead to them from where. */
import type { Identities } from '../actors/admission/identities.js'
import type { Fleet } from '../actors/coordinator/fleet.js'
import type { FleetNode } from '../actors/coordinator/fleet-node.js'
import type { Vitals } from '../actors/coordinator/vitals.js'
import type { PathLedger } from '../actors/path/ledger.js'
import type { Paths } from '../actors/path/paths.js'
import type { MeshApi, PicturedNode } from '../actors/ports.js'
import type { Cell } from '../actors/session/cell.js'
import type { Sessions } from '../actors/session/sessions.js'
import type { Clock } from '../kit/clock.js'
import type { HeartbeatLedger } from '../lanes/heartbeat-ledger.js'
import { fullness } from '../mesh/node-facts.js'
import { PathBundles } from './path-bundles.js'

export interface PictureParts {
  readonly clock: Clock
  readonly sessions: Sessions
  readonly identities: Identities
  readonly fleet: Fleet
  readonly vitals: Vitals
  readonly ledger: HeartbeatLedger
  readonly paths: Paths
  readonly pathLedger: PathLedger
}

/** Paths that one turn of the event loop looks at: about 2 ms of them. */
const PATHS_PER_TURN = 500

export function pictureView(parts: PictureParts): Pick<MeshApi, 'picture'> {
  const { clock, sessions, identities, paths, pathLedger } = parts
  const turn = () => new Promise<void>(resolve => clock.soon(resolve))
  return {
    async picture({ nodes: most, links }) {
      const cells = largest(sessions.cells())
      const nodes = cells.slice(0, most).map(cell => pictured(parts, cell))
      const bundles = new PathBundles({
        isSingle: paths.size <= links,
        nodes: new Set(nodes.map(({ id }) => id)),
        placeOf: id => identities.of(id)?.profile,
      })
      let total = 0
      for (const path of pathLedger.all()) {
        if (++total % PATHS_PER_TURN === 0) await turn()
        bundles.add(path)
      }
      return {
        nowMs: clock.wallMs(),
        nodes,
        totalNodes: cells.length,
        links: bundles.links(links),
        totalPaths: total,
        totalClients: Object.values(sessions.census('client')).reduce((sum, count) => sum + count, 0),
      }
    },
  }
}

/** Returns all nodes, those with the most links first. */
const largest = (cells: Iterable<Cell>): Cell[] =>
  [...cells]
    .filter(({ role, identity }) => role === 'node' && identity.overlay4 !== '')
    .sort((a, b) => linksOf(b) - linksOf(a) || (a.identity.id < b.identity.id ? -1 : 1))

const linksOf = ({ links }: Cell): number => links?.size ?? 0

function pictured({ sessions, fleet, vitals, ledger }: PictureParts, cell: Cell): PicturedNode {
  const { id, profile } = cell.identity
  const place = fleet.of(cell)
  return {
    id,
    state: sessions.stateOf(cell),
    country: profile.country,
    latitude: profile.latitude,
    longitude: profile.longitude,
    clients: linksOf(cell),
    places: place?.maxSessions ?? null,
    load: place === undefined ? null : loadOf(place),
    draining: place?.draining ?? false,
    ailment: vitals.ailmentOf(id),
    rttMs: ledger.rttMs(cell.slot),
    lossPct: vitals.lossPctOf(id),
  }
}

/** Of its places or of its uplink, whichever is nearer to its end. */
function loadOf(node: FleetNode): number | null {
  const { bandwidthMbps, bwTotalMbps } = node
  const uplink =
    bandwidthMbps === null || bandwidthMbps === 0 || bwTotalMbps === null ? null : bwTotalMbps / bandwidthMbps
  const places = fullness(node)
  if (uplink === null) return places
  return Math.min(1, Math.max(places ?? 0, uplink))
}
