/** What an operator types for a server, and what the coordinator is told of it. It knows no page. */
import type { ServerForm } from './kinds.js'

export type Fields = Readonly<Record<string, string>>

/** What is in the form before anything is typed. */
export const NEW: Fields = {
  name: '',
  description: '',
  host: '',
  port: '5432',
  database: 'postgres',
  user: 'boson_monitor',
  password: '',
  tls: 'require',
  tls_ca: '',
  pool: 'default',
  ssh_auth: 'none',
  ssh_host: '',
  ssh_port: '22',
  ssh_user: 'boson',
  ssh_key_id: '',
  ssh_password: '',
}

/** Secrets are not told by the coordinator: their fields are empty, and stay as they are unless something is typed. */
export const fieldsOf = (server: ServerForm): Fields => ({
  name: server.name,
  description: server.description,
  host: server.host,
  port: String(server.port),
  database: server.database,
  user: server.user,
  password: '',
  tls: server.tls,
  tls_ca: server.tls_ca ?? '',
  pool: server.pool,
  ssh_auth: server.ssh_auth,
  ssh_host: server.ssh_host ?? '',
  ssh_port: String(server.ssh_port),
  ssh_user: server.ssh_user,
  ssh_key_id: server.ssh_key_id === null ? '' : String(server.ssh_key_id),
  ssh_password: '',
})

/** Of the coordinator’s own database only these can be changed: the rest are its settings’ affair. */
const OWN = ['description', 'ssh_auth', 'ssh_host', 'ssh_port', 'ssh_user', 'ssh_key_id', 'ssh_password']

/** Returns the body that adds a server; throws an Error for the person when something is no number. */
export const bodyOf = (fields: Fields): Body =>
  Object.fromEntries(
    Object.keys(NEW)
      // What is left empty is as if nobody had asked.
      .filter(name => text(fields, name) !== '' || name === 'name' || name === 'host')
      .map(name => [name, valueOf(fields, name)]),
  )

/** Returns the body that changes what differs; an empty one: nothing does. */
export function changesOf(server: ServerForm, fields: Fields): Body {
  const before = fieldsOf(server)
  return Object.fromEntries(
    Object.keys(NEW)
      .filter(name => !server.is_own || OWN.includes(name))
      .filter(name => text(fields, name) !== (before[name] ?? ''))
      .map(name => [name, valueOf(fields, name)]),
  )
}

type Body = Readonly<Record<string, string | number | null>>

/** A password may begin or end in a space; nothing else does. */
const text = (fields: Fields, name: string): string => {
  const typed = fields[name] ?? ''
  return name.endsWith('password') ? typed : typed.trim()
}

function valueOf(fields: Fields, name: string): string | number | null {
  const typed = text(fields, name)
  if (name === 'port') return whole(typed, 'Port')
  if (name === 'ssh_port') return whole(typed, 'SSH port')
  if (name === 'ssh_key_id') return typed === '' ? null : Number(typed)
  if (name === 'tls_ca' || name === 'ssh_host') return typed === '' ? null : typed
  return typed
}

function whole(typed: string, label: string): number {
  if (!/^\d{1,5}$/.test(typed)) throw new Error(`${label}: wanted a number from 1 to 65535`)
  return Number(typed)
}

/** Returns what an admin of the database runs first: a role that may see statistics, and nothing else. */
export const roleSql = (user: string): string =>
  [
    `CREATE ROLE ${quoted(user)} LOGIN PASSWORD 'a long password';`,
    `GRANT pg_monitor TO ${quoted(user)};`,
    '-- only to cancel queries and terminate sessions from here:',
    `GRANT pg_signal_backend TO ${quoted(user)};`,
  ].join('\n')

const quoted = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
