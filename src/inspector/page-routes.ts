/** `/inspector`: the page, its parts, and where its socket is. The page has no data of its own. */
import { join } from 'node:path'
import { z } from 'zod'
import { type Endpoint, endpoint } from '../http/endpoint.js'
import { HttpError, notFound } from '../http/faults.js'
import { pageFiles } from '../http/page-files.js'
import { OPERATOR_PATH, OPERATOR_SUBPROTOCOL } from '../protocol/operator.js'

/** Where the build puts the page; it also runs from the sources’ folder. */
const file = pageFiles(join(import.meta.dirname, '../../inspector'), { isStrict: true })

/** Names as the build makes them: `index-Dse33OyG.js`. */
const FILE = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+$/

const frame = (path: '/inspector' | '/inspector/') =>
  endpoint({
    method: 'GET',
    path,
    access: 'open',
    tag: 'inspector',
    summary: 'Shows the mesh to operators, who may act',
    description: 'The page asks who you are, and then by a WebSocket for what it shows.',
    replies: { 200: { description: 'The page.', schema: z.string(), type: 'text/html' } },
    handle: ({ headers }) => file('index.html', headers.get('accept-encoding')),
  })

export const pageRoutes: readonly Endpoint[] = [
  frame('/inspector'),
  frame('/inspector/'),
  endpoint({
    method: 'GET',
    path: OPERATOR_PATH,
    access: 'open',
    tag: 'inspector',
    summary: 'Is where operators open their WebSocket',
    description: `The subprotocol is \`${OPERATOR_SUBPROTOCOL}\`; src/protocol/README.md describes it.`,
    faults: [426],
    replies: { 101: { description: 'The socket is open.' } },
    handle: () => {
      throw new HttpError(
        426,
        'upgrade_required',
        `this is where operators connect: open a WebSocket with the subprotocol ${OPERATOR_SUBPROTOCOL}, or look at /inspector`,
        { Upgrade: 'websocket' },
      )
    },
  }),
  endpoint({
    method: 'GET',
    path: '/inspector/{file}',
    access: 'open',
    tag: 'inspector',
    summary: 'Gives the parts of the page',
    faults: [404],
    replies: {
      200: { description: 'A script, a style sheet, a picture or data.', schema: z.string(), type: '*/*' },
    },
    handle({ params, headers }) {
      const { file: name } = params as { readonly file: string } // the path has it
      if (!FILE.test(name)) throw notFound('no such page')
      return file(name, headers.get('accept-encoding'))
    },
  }),
]
