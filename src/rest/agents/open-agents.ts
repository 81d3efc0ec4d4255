/**
 * Agents that speak HTTP: their sessions are those of the mesh, with mailboxes for sockets.
 *
 *   endpoints ─→ mailboxes ─→ MeshApi.enter ─→ sessions, routes, relay
 *       └──────→ notes: what HTTP says and the mesh does not keep
 */
import type { IdentityId, MeshApi } from '../../actors/ports.js'
import type { PluginHost } from '../../app/plugin.js'
import type { Endpoint } from '../../http/endpoint.js'
import type { Room } from '../../store/index.js'
import type { RestDatabase } from '../database.js'
import { heartbeatRoute } from '../nodes/heartbeat.js'
import { nodePages } from '../nodes/page.js'
import { registerRoutes } from '../nodes/register.js'
import { timingRoute } from '../nodes/timing.js'
import { routingEndpoints } from '../routing/endpoints.js'
import type { Agents } from './agents.js'
import type { Gauges } from './mailbox.js'
import { Mailboxes } from './mailboxes.js'
import { Notes } from './notes.js'
import { httpTiming } from './timing.js'
import { whereabouts } from './whereabouts.js'

export interface OpenAgents {
  readonly endpoints: readonly Endpoint[]
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
): Promise<OpenAgents> {
  const notes = new Notes({ clock, room, warn: (fields, message) => log.warn(fields, message) })
  await notes.start()
  const timing = httpTiming(config)
  const mailboxes = new Mailboxes({
    clock,
    mesh,
    timing,
    beatEveryMs: config.beatEveryMs,
    packet: () => {},
    closed: ({ id, heardAtMs }) => notes.heard(id, heardAtMs),
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
    whereabouts: whereabouts(config),
    actionsFor: async () => [],
  }
  return {
    endpoints: [
      ...registerRoutes(agents),
      heartbeatRoute(agents),
      ...nodePages(agents),
      timingRoute(timing),
      ...routingEndpoints(agents),
    ],
    told(id, gauges) {
      const box = mailboxes.of(id)
      if (box === undefined) return
      box.gauges = { ...box.gauges, ...gauges }
      mailboxes.heard(box)
    },
    async stop() {
      deaf()
      mailboxes.stop()
      await notes.stop()
    },
  }
}
