/** What someone sees who opens the coordinator, or the mesh's own address, in a browser. */
import { z } from 'zod'
import { endpoint } from '../../http/endpoint.js'
import { HttpError } from '../../http/faults.js'
import { json, text } from '../../http/reply.js'
import { MESH_PATH, SUBPROTOCOL } from '../../protocol/timing.js'

/** What smoke tests of the first VPN API look for. */
const RUNS = 'VPN API is running'
const WORDS = `BosonServer: agents connect at ${MESH_PATH}; operators look at /inspector; how it is: /health; what it offers: /docs\n`
const VARIES = { Vary: 'Accept' }

export const rootRoute = endpoint({
  method: 'GET',
  path: '/',
  access: 'open',
  tag: 'documentation',
  summary: 'Says what this is',
  description: 'To a browser, which asks for a page: in words, and where to look next.',
  replies: { 200: { description: 'It runs.', schema: z.object({ msg: z.literal(RUNS) }) } },
  handle: ({ headers }) =>
    /text\/(html|plain)/.test(headers.get('accept') ?? '')
      ? text(WORDS, undefined, 200, VARIES)
      : json({ msg: RUNS }, 200, VARIES),
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
