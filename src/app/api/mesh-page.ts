/** What someone sees who opens the coordinator, or the mesh's own address, in a browser. */
import { z } from 'zod'
import { endpoint } from '../../http/endpoint.js'
import { HttpError } from '../../http/faults.js'
import { text } from '../../http/reply.js'
import { MESH_PATH, SUBPROTOCOL } from '../../protocol/timing.js'

export const rootRoute = endpoint({
  method: 'GET',
  path: '/',
  access: 'open',
  tag: 'documentation',
  summary: 'Says what this is',
  replies: { 200: { description: 'Where to look next.', schema: z.string(), type: 'text/plain' } },
  handle: () =>
    text(
      `BosonServer: agents connect at ${MESH_PATH}; operators look at /inspector; how it is: /health; what it offers: /docs\n`,
    ),
})

export const meshRoute = endpoint({
  method: 'GET',
  path: MESH_PATH,
  access: 'open',
  tag: 'documentation',
  summary: 'Is where agents open their WebSocket',
  description: `The subprotocol is \`${SUBPROTOCOL}\`; src/protocol/README.md describes it.`,
  faults: [426],
  replies: { 101: { description: 'The mesh is open.' } },
  handle: () => {
    throw new HttpError(
      426,
      'upgrade_required',
      `this is where agents connect: open a WebSocket with the subprotocol ${SUBPROTOCOL}, or run \`boson node\``,
      { Upgrade: 'websocket' },
    )
  },
})
