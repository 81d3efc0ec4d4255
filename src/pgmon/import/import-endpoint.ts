/** `POST /pgmon/import`: an installation of the Python system, taken over. */
import { type Endpoint, endpoint } from '../../http/endpoint.js'
import { json } from '../../http/reply.js'
import { ImportReport, ImportWish } from './forms.js'
import { Importer, type ImporterOptions } from './importer.js'

/** Hundreds of servers and keys, bytes. */
const BODY_MAX = 1 << 20

export function importEndpoint(options: ImporterOptions): Endpoint {
  const importer = new Importer(options)
  return endpoint({
    method: 'POST',
    path: '/pgmon/import',
    access: 'admin',
    tag: 'databases',
    summary: 'Takes over servers and SSH keys of PostgreSQL Activity Monitor',
    description: `What its files in \`/etc/pg_activity_monitor\` have, opened with its key and sealed with ours. What is here
already stays as it is, and what cannot be taken is told: it can be repeated. Names that have no place here are spelled anew.`,
    body: ImportWish,
    bodyMax: BODY_MAX,
    replies: { 200: { description: 'What became of each entry.', schema: ImportReport } },
    handle: async ({ body, caller }) => json(await importer.run(body, caller)),
  })
}
