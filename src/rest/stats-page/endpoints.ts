/** `/stats`: the servers that send heartbeats, for people. The page has no data of its own: it asks with their token. */
import { join } from 'node:path'
import { z } from 'zod'
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { pageFiles } from '../../http/page-files.js'

/** Where the build puts the parts of the page. */
const file = pageFiles(join(import.meta.dirname, '../../../stats'))

export const statsPage: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/stats',
    access: 'open',
    tag: 'servers',
    summary: 'Shows the servers and their last heartbeats to people',
    description: 'The page asks for the operator’s token and keeps it until it is closed.',
    replies: { 200: { description: 'The page.', schema: z.string(), type: 'text/html' } },
    handle: ({ headers }) => file('index.html', headers.get('accept-encoding')),
  }),
  endpoint({
    method: 'GET',
    path: '/stats/{part}',
    access: 'open',
    tag: 'servers',
    summary: 'Gives the parts of the page',
    params: z.object({ part: z.enum(['start.js', 'page.css']) }),
    replies: { 200: { description: 'A script or a style sheet.', schema: z.string(), type: 'text/*' } },
    handle: ({ params, headers }) => file(params.part, headers.get('accept-encoding')),
  }),
]
