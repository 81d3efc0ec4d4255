/**
 * Agents that speak HTTP: their sessions are those of the mesh, with mailboxes for sockets.
 *
 *   endpoints ─→ mailboxes ─→ MeshApi.enter ─→ sessions, routes, relay
 *       └──────→ notes: what HTTP says and the mesh does not keep
 */
import type { IdentityId, IdentityView, MeshApi } from '../../actors/ports.js'
import type { PluginHost, RunningPlugin } from '../../app/plugin.js'
import type { Endpoint } from '../../http/endpoint.js'
import { endpointText } from '../../protocol/address.js'
import type { Figure } from '../../telemetry/figure.js'
import type { Room } from '../../store/index.js'
import type { RestDatabase } from '../database.js'
import { heartbeatRoute } from '../nodes/heartbeat.js'
import { nodePages } from '../nodes/page.js'
import { nodeRow, nodeRowOf } from '../nodes/row.js'
import { peersRoute } from '../nodes/peers.js'
import { registerRoutes } from '../nodes/register.js'
import { timingRoute } from '../nodes/timing.js'
import { clientPages } from '../clients/page.js'
import { clientRow, clientRowOf } from '../clients/row.js'
import { packetEndpoints } from '../packets/endpoints.js'
import { routingEndpoints } from '../routing/endpoints.js'
import { turnEndpoints } from '../turn/endpoints.js'
import { wireguardEndpoints } from '../wireguard/endpoints.js'
import type { Agents } from './agents.js'
import type { Gauges } from './mailbox.js'
import { agentFigures } from './figures.js'
import { Mailboxes } from './mailboxes.js'
import { Notes } from './notes.js'
import { NotesTable } from './notes-table.js'
import { httpTiming } from './timing.js'
import { whereabouts } from './whereabouts.js'

export interface OpenAgents {
  readonly endpoints: readonly Endpoint[]
  readonly figures: readonly Figure<void>[]
  readonly rows: NonNullable<RunningPlugin['rows']>
  /** Takes figures of a node that came by another way as its heartbeat, if it speaks HTTP and has a session. */
  readonly told: (id: IdentityId, gauges: Gauges) => void
  /** Speaks for nobody any more, and writes what waits. */
  stop(): Promise<void>
}

/** Resolves when agents may speak HTTP. */
export async function openAgents(
  mesh: MeshApi,
  { clock, config, log, tokens, traversal }: PluginHost,
  room: Room<RestDatabase>,
  actionsFor: Agents['actionsFor'],
): Promise<OpenAgents> {
  const notes = new Notes({
    clock,
    table: new NotesTable(room),
    warn: (fields, message) => log.warn(fields, message),
  })
  await notes.start()
  const timing = httpTiming(config)
  const mailboxes = new Mailboxes({
    clock,
    mesh,
    timing,
    beatEveryMs: config.beatEveryMs,
    opened(box) {
      const { wireguard } = notes.of(box.id)
      if (wireguard != null) box.links.standAt(endpointText(wireguard))
    },
    closed({ id, heardAtMs }) {
      notes.heard(id, heardAtMs)
      if (notes.of(id).wireguard != null) notes.set(id, { wireguard: null })
    },
  })
  const deaf = mesh.onFact(fact => {
    if (fact.type !== 'node.online' && fact.type !== 'node.offline') return
    const { id, atMs, generation } = fact
    notes.became({ id, atMs, generation, became: fact.type === 'node.online' ? 'online' : 'offline' })
  })
  const agents: Agents = {
    clock,
    mesh,
    mailboxes,
    notes,
    tokens,
    timing,
    traversal,
    realm: config.turnRealm,
    whereabouts: whereabouts(config),
    actionsFor,
  }
  return {
    endpoints: [
      ...registerRoutes(agents),
      heartbeatRoute(agents),
      ...nodePages(agents),
      peersRoute(agents),
      timingRoute(timing),
      ...routingEndpoints(agents),
      ...wireguardEndpoints(agents),
      ...packetEndpoints(agents),
      ...clientPages(agents),
      ...turnEndpoints(agents),
    ],
    figures: agentFigures(agents),
    told(id, gauges) {
      const box = mailboxes.of(id)
      if (box === undefined) return
      box.gauges = { ...box.gauges, ...gauges }
      mailboxes.heard(box)
    },
    rows: {
      nodes: { fields: nodeRow, of: view => nodeRowOf(agents, knownAs(mesh, view.id), view) },
      clients: { fields: clientRow, of: view => clientRowOf(agents, view.id, view) },
    },
    async stop() {
      deaf()
      mailboxes.stop()
      await notes.stop()
    },
  }
}

function knownAs(mesh: Pick<MeshApi, 'identity'>, id: string): IdentityView {
  const identity = mesh.identity(id)
  if (identity === null) throw new Error(`${id} has a session and never enrolled`)
  return identity
}
