/** What a server may become. A secret goes where it was meant to go: who leads it elsewhere has to know it. */
import { badRequest, conflict, type HttpError } from '../../http/faults.js'
import type { ServerChange, ServerWish } from './bodies.js'
import type { ServerRecord } from './rows.js'

/** What decides who hears the password. */
const PASSWORD_GOES_BY = ['host', 'port', 'user', 'tls', 'tls_ca'] as const
/** What the settings say of the coordinator’s own database, and nobody else. */
const OWN_MAY_CHANGE: ReadonlySet<string> = new Set([
  'description',
  'enabled',
  'ssh_auth',
  'ssh_host',
  'ssh_port',
  'ssh_user',
  'ssh_key_id',
  'ssh_password',
  'ssh_host_key',
] satisfies (keyof ServerWish)[])

/** A server as its form words it, its secrets apart. */
export type ServerState = Omit<ServerWish, 'password' | 'ssh_password'> & {
  readonly has_password: boolean
  readonly has_ssh_password: boolean
}

export const stateOf = (row: ServerRecord): ServerState => ({
  name: row.name,
  enabled: row.is_enabled,
  description: row.description,
  host: row.host,
  port: row.port,
  database: row.database,
  user: row.username,
  has_password: row.password !== null,
  tls: row.tls,
  tls_ca: row.tls_ca,
  pool: row.pool,
  ssh_auth: row.ssh_auth,
  ssh_host: row.ssh_host,
  ssh_port: row.ssh_port,
  ssh_user: row.ssh_user,
  ssh_key_id: row.ssh_key_id,
  has_ssh_password: row.ssh_password !== null,
  ssh_host_key: row.ssh_host_key,
})

/** Returns the fields that a change changes; a secret that is sent counts, whatever it was. */
export function changedFields(before: ServerState, change: ServerChange): readonly (keyof ServerWish)[] {
  return (Object.keys(change) as (keyof ServerWish)[]).filter(field => {
    const wanted = change[field]
    if (wanted === undefined) return false
    return field === 'password' || field === 'ssh_password' || wanted !== before[field]
  })
}

/** Returns a server as it is after a change; throws a 400 or a 409 that says what is in the way. */
export function changed(before: ServerState, isOwn: boolean, change: ServerChange): ServerState {
  const fields = changedFields(before, change)
  const fixed = fields.filter(field => isOwn && !OWN_MAY_CHANGE.has(field))
  if (fixed.length > 0)
    throw conflict(`${fixed.join(', ')}: the coordinator’s own database is reached as DATABASE_URL says`)
  const { password, ssh_password: sshPassword, ...rest } = change
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  const after: ServerState = {
    ...before,
    ...given,
    ...(password !== undefined && { has_password: password !== null }),
    ...(sshPassword !== undefined && { has_ssh_password: sshPassword !== null }),
  }
  if (password === undefined && before.has_password && PASSWORD_GOES_BY.some(f => before[f] !== after[f]))
    throw again('password')
  const hasMoved = placeOf(before) !== placeOf(after)
  const hasOtherUser = before.ssh_user !== after.ssh_user
  if (sshPassword === undefined && before.has_ssh_password && (hasMoved || hasOtherUser))
    throw again('ssh_password')
  mustFit(after)
  // Another machine has another key.
  return hasMoved && change.ssh_host_key === undefined ? { ...after, ssh_host_key: null } : after
}

/** Throws a 400 when something is missing. */
export function mustFit(server: ServerState): void {
  if (server.tls_ca !== null && server.tls !== 'verify-full')
    throw wrong('tls_ca', 'is for tls verify-full: with another, no certificate is looked at')
  if (server.ssh_auth === 'none') return
  if (server.ssh_auth === 'key' && server.ssh_key_id === null)
    throw wrong('ssh_key_id', 'wanted the number of an SSH key')
  if (server.ssh_auth === 'password' && !server.has_ssh_password)
    throw wrong('ssh_password', 'wanted a password')
  if ((server.ssh_host ?? server.host) === '') throw wrong('ssh_host', 'wanted a name or an address')
}

export const wrong = (at: string, message: string): HttpError =>
  badRequest(`body.${at}: ${message}`, [{ at: `body.${at}`, message }])

const again = (field: string) =>
  wrong(field, 'wanted it again: it would go to another place or by another way than it was given for')

const placeOf = ({ host, ssh_host: sshHost, ssh_port: port }: ServerState): string =>
  `${sshHost ?? host} ${port}`
