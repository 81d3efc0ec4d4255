/** A server as its row has it, and as the rest of the monitor sees it. */
import type { Selectable } from 'kysely'
import type { MonitorTables } from '../tables.js'
import type { Server, SshPlace } from '../ports.js'

export type ServerRecord = Selectable<MonitorTables['pgmon_servers']>

/** Returns a server without its secrets. */
export function serverOf(row: ServerRecord): Server {
  return {
    serverId: row.server_id,
    name: row.name,
    isOwn: row.is_own,
    isEnabled: row.is_enabled,
    description: row.description,
    host: row.host,
    port: row.port,
    database: row.database,
    user: row.username,
    hasPassword: row.password !== null,
    tls: row.tls,
    tlsCa: row.tls_ca,
    pool: row.pool,
    ssh: sshPlaceOf(row),
    revision: row.changed_at.getTime(),
    createdBy: row.created_by,
    createdAtMs: row.created_at.getTime(),
    changedAtMs: row.changed_at.getTime(),
  }
}

function sshPlaceOf(row: ServerRecord): SshPlace | null {
  if (row.ssh_auth === 'none') return null
  return {
    host: row.ssh_host ?? row.host,
    port: row.ssh_port,
    user: row.ssh_user,
    auth: row.ssh_auth,
    keyId: row.ssh_key_id,
    hasPassword: row.ssh_password !== null,
    hostKey: row.ssh_host_key,
  }
}
