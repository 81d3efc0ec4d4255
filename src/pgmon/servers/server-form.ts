/** A server as it is answered: what was set, without its secrets. */
import type { Server } from '../ports.js'
import type { ServerForm } from './forms.js'
import type { ServerState } from './rules.js'

export const serverForm = (server: Server, state: ServerState): ServerForm => ({
  name: server.name,
  is_own: server.isOwn,
  enabled: server.isEnabled,
  description: server.description,
  host: server.host,
  port: server.port,
  database: server.database,
  user: server.user,
  has_password: server.hasPassword,
  tls: server.tls,
  tls_ca: server.tlsCa,
  pool: server.pool,
  ssh_auth: state.ssh_auth,
  ssh_host: state.ssh_host,
  ssh_port: state.ssh_port,
  ssh_user: state.ssh_user,
  ssh_key_id: state.ssh_key_id,
  has_ssh_password: state.has_ssh_password,
  ssh_host_key: state.ssh_host_key,
  created_by: server.createdBy,
  created_at: new Date(server.createdAtMs).toISOString(),
  changed_at: new Date(server.changedAtMs).toISOString(),
})
