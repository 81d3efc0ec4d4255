/** What someone sees who opens the coordinator, or the mesh's own address, in a browser. */
import { HttpError } from '../../http/faults.js'
import { text } from '../../http/reply.js'
import type { Route } from '../../http/router.js'
import { MESH_PATH, SUBPROTOCOL } from '../../protocol/timing.js'

export const rootRoute: Route = {
  method: 'GET',
  path: '/',
  access: 'open',
  handle: () => text(`BosonServer: agents connect at ${MESH_PATH}; how it is: /health\n`),
}

export const meshRoute: Route = {
  method: 'GET',
  path: MESH_PATH,
  access: 'open',
  handle: () => {
    throw new HttpError(
      426,
      'upgrade_required',
      `this is where agents connect: open a WebSocket with the subprotocol ${SUBPROTOCOL}, or run \`boson node\``,
      { Upgrade: 'websocket' },
    )
  },
}
