/** What every endpoint of this part does: find the server, ask it, say when, and tell a fault as HTTP does. */
import type { PluginHost } from '../../app/plugin.js'
import type { Caller } from '../../http/caller.js'
import { asHttpError } from '../databases/errors.js'
import type { Asking, Databases, Server, Servers } from '../ports.js'
import type { Sight } from './sessions.js'

export interface ActivityParts {
  readonly host: Pick<PluginHost, 'clock' | 'audit'>
  readonly servers: Servers
  readonly databases: Databases
}

/** Resolves with what `work` gives, asking a server in this database or the one that it is known by, and when that was. */
export async function asked<T>(
  { host, servers, databases }: ActivityParts,
  { name, database = null }: { readonly name: string; readonly database?: string | null },
  work: (db: Asking, server: Server) => Promise<T>,
): Promise<T & { readonly checked_at: string }> {
  const server = servers.called(name)
  try {
    const told = await databases.use(server, database, db => work(db, server))
    return { ...told, checked_at: new Date(host.clock.wallMs()).toISOString() }
  } catch (error) {
    throw asHttpError(error)
  }
}

/** Returns whether the caller may see the text of queries. */
export const sightOf = (caller: Caller): Sight =>
  caller.kind === 'operator' && caller.role !== 'viewer' ? 'text' : 'no text'
